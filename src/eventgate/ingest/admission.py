"""What a write must satisfy before a byte of its body is read: size, media type, coding, backlog, disk.

Touches the request's head and then reads the body raw, bounded and paid for from the byte budget.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from aiohttp import StreamReader, web
from aiohttp.web import RequestPayloadError

from eventgate.errors import CallerError, Unavailable
from eventgate.ingest.budget import Charge
from eventgate.ingest.disk import Disk
from eventgate.ingest.inflate import CODINGS
from eventgate.ingest.limits import Limits
from eventgate.ingest.write import Media

_MEDIA: dict[str, Media] = {"application/json": "json", "application/x-ndjson": "ndjson"}
_AHEAD = 64 << 10
"""A body of unannounced length is paid for in advance, so many bytes at a time."""


class Admitted(NamedTuple):
    """A write that may be read: what its body is, and how long it says it is."""

    media: Media
    coding: str | None
    length: int | None


class Admission:
    """The gatekeeper of one process."""

    def __init__(self, limits: Limits, disk: Disk, backlog: Callable[[], int]) -> None:
        """``backlog`` says how many events wait for their commit."""
        self._limits = limits
        self._disk = disk
        self._backlog = backlog

    def admit(self, request: web.Request) -> Admitted:
        """Look at the head alone. Raises CallerError 413 or 415, Unavailable."""
        length = request.content_length
        if length is not None and length > self._limits.body_bytes:
            raise self._too_large()
        headers = request.headers
        admitted = Admitted(
            _media(headers.get("Content-Type")), _coding(headers.getall("Content-Encoding", [])), length
        )
        if self._backlog() >= self._limits.backlog_events:
            raise Unavailable("busy", "Too many events wait for their commit. Send this write again later.")
        self._disk.check()
        return admitted

    async def read(self, content: StreamReader, length: int | None, charge: Charge) -> bytes:
        """The body as sent, charged before it is read.

        Raises CallerError 400, 408 or 413, Unavailable ``busy``.
        """
        if length is not None:
            charge.add(length)
        try:
            if length is not None and content.is_eof():
                return await content.read()
            async with asyncio.timeout(self._limits.body_seconds):
                return await self._collect(content, length, charge)
        except TimeoutError:
            raise CallerError(
                408, "body-timeout", f"The body did not arrive within {self._limits.body_seconds:g} seconds."
            ) from None
        except RequestPayloadError as error:
            raise CallerError(400, "body-malformed", f"The body ended early or is badly framed: {error}.") from error

    async def _collect(self, content: StreamReader, length: int | None, charge: Charge) -> bytes:
        pieces = []
        size = paid = 0
        while not content.at_eof():
            if length is None and size >= paid:
                charge.add(_AHEAD)
                paid += _AHEAD
            piece = await content.readany()
            size += len(piece)
            if size > self._limits.body_bytes:
                raise self._too_large()
            pieces.append(piece)
        return b"".join(pieces)

    def _too_large(self) -> CallerError:
        return CallerError(
            413,
            "body-too-large",
            f"The body is larger than {self._limits.body_bytes} bytes as sent. Send fewer events a write, or compress.",
        )


def _media(field: str | None) -> Media:
    essence, _, parameters = (field or "").partition(";")
    media = _MEDIA.get(essence.strip().lower())
    charset = parameters.strip().lower().replace('"', "").replace(" ", "")
    if media is None or charset not in ("", "charset=utf-8"):
        raise CallerError(
            415,
            "media-type-unsupported",
            f"Content-Type is {field or 'missing'}; send application/json or application/x-ndjson, in UTF-8.",
        )
    return media


def _coding(fields: list[str]) -> str | None:
    coding = ",".join(fields).strip().lower()
    if coding in ("", "identity"):
        return None
    if coding not in CODINGS:
        raise CallerError(
            415,
            "content-encoding-unsupported",
            f"Content-Encoding is {coding}; send gzip, zstd, or nothing.",
            headers={"Accept-Encoding": "gzip, zstd"},
        )
    return coding
