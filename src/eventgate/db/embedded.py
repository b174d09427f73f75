"""A PostgreSQL of our own: made, started, supervised, stopped, and recovered after a kill, inside one directory.

The server is ours alone: a Unix socket in that directory, a random password (scram), no TCP.
Touches the directory and one process in a session of its own, so that Ctrl-C reaches us first.
"""

import asyncio
import hashlib
import os
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

import asyncpg

from eventgate.db.account import Account, database_account, demand_reach
from eventgate.db.cluster_files import demand_version, initialise, password
from eventgate.db.lifeline import dies_with_parent
from eventgate.db.program import binaries
from eventgate.errors import ConfigurationError, FieldError, Unavailable

_DATABASE = _USER = "eventgate"
_SOCKET = ".s.PGSQL.5432"
_SOCKET_LIMIT = 107  # bytes in sockaddr_un.sun_path, without its last NUL
_START_SECONDS = 120.0  # recovery replays at most the write-ahead log between two checkpoints
_STOP_SECONDS = 30.0
_POLL_SECONDS = 0.02
_STATUS_LINE = 7  # of postmaster.pid: "starting", then "ready"

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "logging_collector": "on",
    "log_directory": "../log",
    "log_filename": "postgres-%a.log",  # a week of files, each overwritten after seven days
    "log_truncate_on_rotation": "on",
    "log_min_error_statement": "panic",  # a failing statement's text would carry events into the log
    "log_parameter_max_length_on_error": "0",
    "max_connections": "100",
    "max_locks_per_transaction": "256",  # a search may touch every daily partition and its indexes
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "10min",
    "random_page_cost": "1.1",
    "jit": "off",  # compiling costs more than any of our statements runs
}


class EmbeddedPostgres:
    """The PostgreSQL in ``directory``; ``url`` is where to reach it once it has started.

    ``settings`` are PostgreSQL's own, and win over ours.
    """

    def __init__(self, directory: Path, *, settings: Mapping[str, str] | None = None) -> None:
        self.directory = directory.resolve()
        self._cluster = self.directory / "cluster"
        self._settings = {**_SETTINGS, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    async def start(self) -> None:
        """Make the cluster at first, start the server, wait until it has recovered and takes connections.

        To be called on the main thread: the server dies with the thread that starts it.
        Raises ConfigurationError where the directory is unusable, Unavailable where the server does not come up.
        """
        account = database_account(self.directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        account.own(self.directory, 0o700)
        demand_reach(account, self.directory)
        programs = binaries(account, self.directory)
        secret_file = self.directory / "password"
        secret = password(secret_file, account)
        initialise(self._cluster, programs, account, user=_USER, password_file=secret_file)
        demand_version(self._cluster)
        await self._outlast_former()
        sockets = self._socket_directory(account)
        await self._launch(programs, account, sockets)
        self.url = _url(secret, sockets)
        await self._make_database()

    def url_of_running(self) -> str:
        """Where to reach the server that another process of ours runs on this directory."""
        account = database_account(self.directory)
        return _url(password(self.directory / "password", account), self._socket_directory(account))

    async def stop(self) -> None:
        """End every connection and stop cleanly (fast shutdown); harmless where the server is gone already."""
        if self._process is None:
            return
        for how, patience in ((signal.SIGINT, _STOP_SECONDS), (signal.SIGQUIT, _STOP_SECONDS), (signal.SIGKILL, None)):
            if self._process.poll() is None:
                self._process.send_signal(how)
            try:
                await asyncio.to_thread(self._process.wait, patience)
            except subprocess.TimeoutExpired:
                continue
            break
        self._process = None

    async def exited(self) -> int:
        """Wait until the server ends, for whatever reason; its exit status."""
        assert self._process is not None, "the server was never started"
        while (status := self._process.poll()) is None:  # noqa: ASYNC110 - a process has no event to wait for
            await asyncio.sleep(0.1)
        return status

    async def _outlast_former(self) -> None:
        """Wait for what an earlier run left behind: its server got a signal when that run died, or was killed itself.

        A killed server's own children may outlive it for a moment, and must not meet a second server on their files.
        """
        lock = self._cluster / "postmaster.pid"
        deadline = asyncio.get_running_loop().time() + _STOP_SECONDS
        while lock.exists() and (left := self._left_behind()):
            if asyncio.get_running_loop().time() > deadline:
                detail = f"a PostgreSQL (process {left[0]}) still runs on {self._cluster} and does not end"
                raise Unavailable("storage-unavailable", detail)
            await asyncio.sleep(_POLL_SECONDS)
        # Its number may belong to another program by now, and PostgreSQL would then refuse to start.
        lock.unlink(missing_ok=True)

    def _left_behind(self) -> list[int]:
        """Processes at home in our cluster's directory, as every process of a PostgreSQL is."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it has ended, or is another account's and so none of ours
                if (entry / "cwd").readlink() == self._cluster:
                    found.append(int(entry.name))
        return found

    def _socket_directory(self, account: Account) -> Path:
        """The directory of the socket: ours, or a private one in the temporary directory where ours is too long."""
        sockets = self.directory / "socket"
        if len(os.fsencode(sockets / _SOCKET)) > _SOCKET_LIMIT:
            name = hashlib.sha256(os.fsencode(sockets)).hexdigest()[:16]
            sockets = Path(tempfile.gettempdir()) / f"eventgate-{name}"
        sockets.mkdir(mode=0o700, exist_ok=True)
        if sockets.is_symlink() or sockets.stat().st_uid not in (os.getuid(), account.uid):
            detail = f"{sockets} belongs to somebody else; remove it, or choose a shorter data directory"
            raise ConfigurationError("data directory", [FieldError("data", "socket", detail)])
        account.own(sockets, 0o700)
        return sockets

    async def _launch(self, programs: Path, account: Account, sockets: Path) -> None:
        settings = {**self._settings, "unix_socket_directories": str(sockets)}
        command = [str(programs / "postgres"), "-D", str(self._cluster)]
        command += [f"--{name}={value}" for name, value in settings.items()]
        first_words = self.directory / "start.log"
        with first_words.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603, ASYNC220 - forking takes a millisecond, on this thread on purpose
                command,
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGINT),  # noqa: PLW1509 - it calls nothing but prctl and getppid
                **account.options(),
            )
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _START_SECONDS
        while not self._is_ready(self._process.pid):
            if self._process.poll() is not None or loop.time() > deadline:
                await self.stop()
                said = first_words.read_text(errors="replace").strip()
                detail = f"PostgreSQL did not start: {said} (more in {self.directory / 'log'})"
                raise Unavailable("storage-unavailable", detail)
            await asyncio.sleep(_POLL_SECONDS)

    def _is_ready(self, pid: int) -> bool:
        try:
            lines = (self._cluster / "postmaster.pid").read_text().split("\n")
        except FileNotFoundError:
            return False
        return lines[0] == str(pid) and len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "ready"

    async def _make_database(self) -> None:
        connection = await asyncpg.connect(self.url, database="postgres")
        try:
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", _DATABASE):
                await connection.execute(f"CREATE DATABASE {_DATABASE}")
        finally:
            await connection.close()


def _url(secret: str, sockets: Path) -> str:
    return f"postgresql://{_USER}:{secret}@/{_DATABASE}?host={quote(str(sockets), safe='/')}"
