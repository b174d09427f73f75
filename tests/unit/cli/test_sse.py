"""Server-sent events: lines in, messages out."""

from eventgate.cli.sse import Message, Reader


def _feed(reader: Reader, text: str) -> list[Message]:
    return [message for line in text.split("\n") if (message := reader.feed(line))]


def test_messages_are_whole_at_an_empty_line() -> None:
    text = ": hello\n\nid: 7.2\nevent: alert\ndata: {\ndata:}\n\ndata:  x\n\nid\ndata\n\nretry: 3\n\ndata: unfinished"
    assert _feed(Reader(), text) == [
        Message("7.2", "alert", "{\n}"),
        Message("7.2", "message", " x"),
        Message("", "message", ""),
    ]


def test_the_last_id_stays_for_resuming() -> None:
    reader = Reader("3.1")
    assert reader.last_id == "3.1"
    assert _feed(reader, "id: 4.0\n\n: comment\n\nid: a\0b\n\n") == []
    assert reader.last_id == "4.0"
