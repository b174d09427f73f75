"""Server-sent events, as the HTML standard writes them: lines in, messages out.

Pure.
"""

from typing import NamedTuple


class Message(NamedTuple):
    """One message. ``id`` is the last that was seen, for resuming."""

    id: str
    event: str
    text: str


class Reader:
    """Takes lines without their ends; a message is whole at an empty line. Comments keep the connection alive only."""

    def __init__(self, last_id: str = "") -> None:
        self.last_id = last_id
        self._event = ""
        self._text: list[str] = []

    def feed(self, line: str) -> Message | None:
        if not line:
            return self._finish()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._text.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self.last_id = value
        return None

    def _finish(self) -> Message | None:
        text, event = self._text, self._event
        self._text, self._event = [], ""
        return Message(self.last_id, event or "message", "\n".join(text)) if text else None
