"""One stream to a receiver, plain or TLS, on a bare socket, so that "handed over" can be told from "still here".

Touches the network. asyncio's own streams hide how much waits inside them, above all under TLS; here ``send`` returns
when every byte is the kernel's, ``unacknowledged`` says how many of those the peer's kernel has not taken, and
``check`` notices a peer that has closed before more is written to it.
"""

import asyncio
import contextlib
import errno
import fcntl
import socket
import ssl
import struct
import sys
from typing import Self

from eventgate.errors import Disconnected
from eventgate.forward.transports.settings import host_and_port

_SIOCOUTQ = 0x5411 if sys.platform == "linux" else 0
_CHUNK = 1 << 18
_CONNECT_SECONDS = 10.0
_ADMISSION_SECONDS = 0.5


class Connection:
    """Made by ``connect``. One task may send while another receives."""

    def __init__(self, sock: socket.socket, tls: "_Tls | None") -> None:
        self._socket = sock
        self._tls = tls
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def connect(cls, address: str, tls: ssl.SSLContext | None = None, server_name: str | None = None) -> Self:
        """Connect, and shake hands where ``tls`` is given. Raises Disconnected with what went wrong."""
        host, port = host_and_port(address)
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                connection = cls(await _dial(host, port), _Tls(tls, server_name or host) if tls else None)
                try:
                    await connection._shake_hands()
                except BaseException:
                    connection.close()
                    raise
        except TimeoutError:
            raise Disconnected(f"{address} did not answer within {_CONNECT_SECONDS:g} s") from None
        except ssl.SSLError as error:
            raise Disconnected(f"TLS with {address}: {_tls_reason(error)}") from error
        except OSError as error:
            raise Disconnected(f"cannot connect to {address}: {_reason(error)}") from error
        return connection

    async def send(self, data: bytes) -> None:
        """Hand every byte to the kernel. Raises Disconnected."""
        try:
            await self._loop.sock_sendall(self._socket, self._tls.encrypt(data) if self._tls else data)
        except (OSError, ssl.SSLError) as error:
            raise Disconnected(f"connection lost while sending: {_reason(error)}") from error

    async def receive(self) -> bytes:
        """Wait for bytes from the peer. Raises Disconnected, also when the peer has closed."""
        try:
            while True:
                # Else our kernel may hold its acknowledgement back for 40 ms, and a receiver that answers in pieces
                # (Nagle's algorithm, RFC 896) its next piece until then. The kernel forgets this wish by and by.
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
                received = await self._loop.sock_recv(self._socket, _CHUNK)
                if not received:
                    raise Disconnected("the receiver closed the connection")
                if self._tls is None:
                    return received
                plain = self._tls.decrypt(received)
                await self._flush()
                if plain:
                    return plain
        except (OSError, ssl.SSLError) as error:
            raise Disconnected(f"connection lost: {_reason(error)}") from error

    def check(self) -> None:
        """Raise Disconnected if the peer has closed its side; what it may have said is read and dropped."""
        try:
            while received := self._socket.recv(_CHUNK):
                if self._tls is not None:
                    self._tls.decrypt(received)
        except BlockingIOError:
            return
        except (OSError, ssl.SSLError) as error:
            raise Disconnected(f"connection lost: {_reason(error)}") from error
        raise Disconnected("the receiver closed the connection")

    def unacknowledged(self) -> int:
        """Bytes in the kernel's send queue that the peer's kernel has not acknowledged (SIOCOUTQ)."""
        return int(struct.unpack("i", fcntl.ioctl(self._socket.fileno(), _SIOCOUTQ, b"\0\0\0\0"))[0])

    def close(self) -> None:
        if self._tls is not None and self._socket.fileno() >= 0:
            with contextlib.suppress(OSError, ssl.SSLError):
                self._socket.send(self._tls.farewell())
        self._socket.close()

    async def _shake_hands(self) -> None:
        if self._tls is None:
            return
        while not self._tls.shake_hands():
            await self._flush()
            received = await self._loop.sock_recv(self._socket, _CHUNK)
            if not received:
                raise ConnectionResetError(errno.ECONNRESET, "closed by the peer")
            self._tls.feed(received)
        await self._flush()
        if self._tls.version == "TLSv1.3":
            await self._be_admitted(self._tls)

    async def _be_admitted(self, tls: "_Tls") -> None:
        """In TLS 1.3 our half is done before the receiver has seen our certificate: wait for its tickets, or its no.

        A receiver that sends neither is believed after a while; it has nothing to say before we speak.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_ADMISSION_SECONDS):
                received = await self._loop.sock_recv(self._socket, _CHUNK)
                if not received:
                    raise ConnectionResetError(errno.ECONNRESET, "closed by the peer")
                tls.decrypt(received)

    async def _flush(self) -> None:
        if self._tls is not None and (waiting := self._tls.outgoing()):
            await self._loop.sock_sendall(self._socket, waiting)


class _Tls:
    """One client's side of TLS over memory: ciphertext in, plain text out, and the other way round."""

    def __init__(self, context: ssl.SSLContext, server_name: str) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._object = context.wrap_bio(self._in, self._out, server_hostname=server_name)

    def shake_hands(self) -> bool:
        """Take a step; True when both sides are done."""
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    @property
    def version(self) -> str | None:
        return self._object.version()

    def feed(self, received: bytes) -> None:
        self._in.write(received)

    def encrypt(self, plain: bytes) -> bytes:
        if plain:
            self._object.write(plain)
        return self._out.read()

    def decrypt(self, received: bytes) -> bytes:
        self._in.write(received)
        plain = []
        with contextlib.suppress(ssl.SSLWantReadError):
            while piece := self._object.read(_CHUNK):
                plain.append(piece)
            if not plain:  # what came before the end is handed over first; the end is still there the next time
                raise ConnectionResetError(errno.ECONNRESET, "closed by the peer")
        return b"".join(plain)

    def outgoing(self) -> bytes:
        return self._out.read()

    def farewell(self) -> bytes:
        with contextlib.suppress(ssl.SSLWantReadError):
            self._object.unwrap()
        return self._out.read()


async def _dial(host: str, port: int) -> socket.socket:
    """The first of the host's addresses that accepts."""
    loop = asyncio.get_running_loop()
    failure: OSError = ConnectionRefusedError(errno.EADDRNOTAVAIL, "the name has no address")
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            return sock
    raise failure


def _reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        return _tls_reason(error)
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _tls_reason(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the receiver's certificate does not pass: {error.verify_message}"
    return (error.reason or str(error)).replace("_", " ").lower()
