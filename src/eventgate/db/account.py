"""Which account of the machine runs the embedded PostgreSQL, and whether it can reach a path.

PostgreSQL refuses to run as root, so a start by root runs it as an account without rights.
Touches the account database and runs ``test`` as that account.
"""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventgate.errors import ConfigurationError, FieldError

_CANDIDATES = ("eventgate", "postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """An account by its numbers. ``other`` is false where it is the account that we run as ourselves."""

    name: str
    uid: int
    gid: int
    other: bool

    def options(self) -> dict[str, Any]:
        """What ``subprocess`` needs to run a program as this account, without any group of ours."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.other else {}

    def can(self, test: str, path: Path) -> bool:
        """Ask the kernel, as this account, whether ``test -x path`` (or ``-r``) holds: modes, ACLs, mounts and all."""
        command = ["/usr/bin/test", test, str(path)]
        return subprocess.run(command, check=False, **self.options()).returncode == 0  # noqa: S603 - fixed program

    def own(self, path: Path, mode: int) -> None:
        """Give ``path`` to this account with ``mode``."""
        if self.other:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)


def database_account(directory: Path) -> Account:
    """The account for the database in ``directory``: ourselves, or for root whoever owns the directory already.

    Raises ConfigurationError where PostgreSQL could not run: a user id without a name in the account database.
    """
    if os.getuid() != 0:
        try:
            entry = pwd.getpwuid(os.getuid())
        except KeyError:
            detail = (
                f"the user id {os.getuid()} has no entry in /etc/passwd, and PostgreSQL's initdb needs one; "
                "run EventGate as a named user, or set database.url to an external PostgreSQL"
            )
            raise _unusable(detail) from None
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, other=False)
    owner = directory.stat().st_uid if directory.exists() else 0
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwuid(owner) if owner else pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(entry.pw_name, entry.pw_uid, entry.pw_gid, other=True)
    raise _unusable(f"PostgreSQL refuses to run as root, and none of the accounts {', '.join(_CANDIDATES)} exists")


def demand_reach(account: Account, directory: Path) -> None:
    """Raise ConfigurationError naming the first directory on the way to ``directory`` that ``account`` cannot pass."""
    if account.can("-x", directory):
        return
    for step in [*reversed(directory.parents), directory]:
        if not account.can("-x", step):
            detail = (
                f"the database runs as the account {account.name!r}, which cannot enter {step}; "
                f"choose a data directory it can reach (for example under /var/lib), or allow it: chmod o+x {step}"
            )
            raise _unusable(detail)


def _unusable(detail: str) -> ConfigurationError:
    return ConfigurationError("data directory", [FieldError("data", "unusable", detail)])
