"""From the bytes of a verified write to its events, and to the rejects that must not hold up the others.

Pure but for the directory of sensors. Takes nothing but VerifiedBytes: what nobody signed is never inflated or parsed.
"""

from asyncio import Lock
from collections.abc import Callable, Generator

from eventgate.errors import CallerError, FieldError
from eventgate.event import Event
from eventgate.ingest.budget import Charge
from eventgate.ingest.examine import Malformed, is_plain
from eventgate.ingest.inflate import inflate
from eventgate.ingest.judge import Judge, Verdict
from eventgate.ingest.limits import Limits
from eventgate.ingest.split import line_and_column, place, split_json, split_lines
from eventgate.ingest.turns import in_turns
from eventgate.ingest.write import Decoded, Media, Write
from eventgate.journal.rejects import Rejected
from eventgate.sensors import Directory

_SMALL = 16 << 10
"""Bodies up to this size decode side by side; larger ones one after the other, so that their turns do not add up."""

_SIZABLE = 8 << 10
"""An event of this size is worth asking after it whether others should have a turn; of smaller ones every eighth."""

_SLICE = 1 << 20
_LONGEST_TELL = 18
"""A slice begins so many bytes early that nothing which is_plain looks for is cut in two."""


class Decoder:
    """Decodes the writes of one process."""

    def __init__(self, directory: Directory, defaults: Callable[[str], tuple[int, int]], limits: Limits) -> None:
        """``defaults`` gives an alert code's category and severity."""
        self._directory = directory
        self._defaults = defaults
        self._limits = limits
        self._large = Lock()

    async def decode(self, write: Write, charge: Charge) -> Decoded:
        """Read the events of a write; what its body inflates to is charged, and the room its events take.

        Raises CallerError 400, 413 or 422 for a body that is wrong as a whole, Unavailable.
        """
        await self._directory.warm(write.principal.company)
        if len(write.verified.body) <= _SMALL and write.coding is None:
            return await self._decode(write, charge)
        async with self._large:
            return await self._decode(write, charge)

    async def _decode(self, write: Write, charge: Charge) -> Decoded:
        body = write.verified.body
        if write.coding is not None:
            body = await in_turns(self._inflate(write.coding, body, charge))
        await charge.work(len(body))
        judge = Judge(write, self._directory, self._defaults, self._limits)
        try:
            array, texts, verdicts = await in_turns(self._read(body, write.media, judge))
        except Malformed as error:
            raise _malformed(body, error.offset) from None
        if judge.unresolved:
            await judge.resolve()
            await in_turns(self._read_again(texts, verdicts, judge))
        events: list[Event] = []
        indexes: list[int] = []
        rejects: list[Rejected] = []
        for index, verdict in enumerate(verdicts):
            if isinstance(verdict, Event):
                events.append(verdict)
                indexes.append(index)
            elif verdict is not None:
                rejects.append(Rejected(index, texts[index], verdict))
        return Decoded(array, events, indexes, rejects)

    def _inflate(self, coding: str, body: bytes, charge: Charge) -> Generator[None, None, bytes]:
        pieces = []
        for piece in inflate(coding, body, self._limits.inflated_bytes):
            charge.add(len(piece))
            pieces.append(piece)
            yield
        return b"".join(pieces)

    def _read(
        self, body: bytes, media: Media, judge: Judge
    ) -> Generator[None, None, tuple[bool, list[bytes], list[Verdict]]]:
        if media == "ndjson":
            array, texts = True, split_lines(body, self._limits.events)
        else:
            array, texts = yield from split_json(body, self._limits.events)
        if not texts:
            raise CallerError(422, "no-events", "The write carries no event.")
        yield
        plain = yield from _all_plain(body)
        verdicts: list[Verdict] = []
        for index, text in enumerate(texts):
            try:
                verdicts.append(judge.judge(text, plain=plain))
            except Malformed as error:
                if media == "json":
                    raise Malformed((yield from place(body, array, index, error.offset))) from None
                verdicts.append(_malformed_line(text, error.offset))
            if index % 8 == 7 or len(text) > _SIZABLE:
                yield
        return array, texts, verdicts

    def _read_again(self, texts: list[bytes], verdicts: list[Verdict], judge: Judge) -> Generator[None, None, None]:
        for index, verdict in enumerate(verdicts):
            if verdict is None:
                verdicts[index] = judge.judge(texts[index])
                yield


def _all_plain(body: bytes) -> Generator[None, None, bool]:
    for start in range(0, len(body), _SLICE):
        if not is_plain(body[max(start - _LONGEST_TELL, 0) : start + _SLICE]):
            return False
        yield
    return True


def _malformed(body: bytes, offset: int) -> CallerError:
    line, column = line_and_column(body, offset)
    detail = f"The body is no JSON object or array: line {line}, column {column} is not what JSON allows there."
    return CallerError(400, "json-malformed", detail, members={"line": line, "column": column})


def _malformed_line(text: bytes, offset: int) -> list[FieldError]:
    column = line_and_column(text, offset)[1]
    return [FieldError("", "json-malformed", f"The line is not JSON from column {column}.")]
