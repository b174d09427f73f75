"""The files of the embedded PostgreSQL: made by initdb with a random password, checked for their version.

Touches the database's directory. Every step is beside its final place and moved there whole, so that a kill
in the middle leaves nothing half made.
"""

import os
import secrets
import shutil
import signal
import subprocess
from pathlib import Path

from eventgate.db.account import Account
from eventgate.db.lifeline import dies_with_parent
from eventgate.errors import ConfigurationError, FieldError, Unavailable

MAJOR = "18"


def password(path: Path, account: Account) -> str:
    """The password kept at ``path``, made there the first time; readable by us and the database's account alone."""
    if not path.exists():
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(32))
        account.own(fresh, 0o600)
        fresh.rename(path)
    return path.read_text().strip()


def initialise(cluster: Path, programs: Path, account: Account, *, user: str, password_file: Path) -> None:
    """Make a cluster at ``cluster`` unless there is one; raises Unavailable with initdb's own words.

    UTF-8 with PostgreSQL's built-in locale: the same order and the same letters on every machine, whatever its libc.
    """
    if cluster.exists():
        return
    for half_made in cluster.parent.glob(f"{cluster.name}.new-*"):  # by a start that was killed; perhaps not quite dead
        shutil.rmtree(half_made, ignore_errors=True)
    fresh = cluster.with_name(f"{cluster.name}.new-{os.getpid()}")
    command = [
        str(programs / "initdb"),
        f"--pgdata={fresh}",
        f"--username={user}",
        f"--pwfile={password_file}",
        "--auth=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
        "--no-instructions",
    ]
    outcome = subprocess.run(  # noqa: S603 - our own program
        command,
        check=False,
        cwd="/",
        capture_output=True,
        text=True,
        preexec_fn=dies_with_parent(signal.SIGKILL),
        **account.options(),
    )
    if outcome.returncode != 0:
        words = (outcome.stderr or outcome.stdout).strip()
        raise Unavailable("storage-unavailable", f"PostgreSQL could not make its files in {fresh}: {words}")
    fresh.rename(cluster)


def demand_version(cluster: Path) -> None:
    """Raise ConfigurationError where another major version of PostgreSQL wrote ``cluster``."""
    found = (cluster / "PG_VERSION").read_text().strip()
    if found != MAJOR:
        detail = f"{cluster} was written by PostgreSQL {found}; this EventGate brings PostgreSQL {MAJOR}"
        raise ConfigurationError("data directory", [FieldError("data", "version", detail)])
