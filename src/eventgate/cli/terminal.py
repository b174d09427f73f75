"""Writing to a terminal what strangers broadcast, without letting it speak to the terminal.

Touches standard output and standard error.
"""

import json
import os
import sys
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.text import Text

_PIPE_WIDTH = 4096

# Lines end where they end: a terminal wraps them itself, and a pipe must not be given half ones.
out = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _PIPE_WIDTH)
err = Console(highlight=False, soft_wrap=True, stderr=True)

_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def defused(text: str) -> str:
    """The text with control, format and unassigned characters written out: an SSID must not move the cursor."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(character) if unicodedata.category(character) in _HIDDEN else character for character in text)


def plain(text: str, style: str = "") -> Text:
    """The text for printing as it is: defused, and without a meaning for rich."""
    return Text(defused(text), style)


def say(text: str, style: str = "") -> None:
    """Print the text plain: what was asked for."""
    out.print(plain(text, style))


def remark(text: str, style: str = "") -> None:
    """Print the text plain on standard error: what people want to know beside it."""
    err.print(plain(text, style))


def table(
    columns: Sequence[str],
    rows: Iterable[Sequence[str | Text]],
    *,
    fold: Collection[str] = (),
    right: Collection[str] = (),
    header: bool = True,
) -> None:
    """Print rows below the names of their columns; a string is printed plain, and where it may ``fold``, in full."""
    from rich.table import Table

    shown = Table(box=None, show_header=header, header_style="bold", pad_edge=False)
    for column in columns:
        shown.add_column(
            column,
            no_wrap=column not in fold,
            overflow="fold" if column in fold else "ellipsis",
            justify="right" if column in right else "left",
        )
    for row in rows:
        shown.add_row(*(cell if isinstance(cell, Text) else plain(cell) for cell in row))
    out.print(shown, soft_wrap=False)


def print_json(*found: Any) -> None:
    """Print each on a line of its own, for other programs: whole, and in ASCII."""
    for each in found:
        print(json.dumps(each))


def _shown(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def severity(value: int | None) -> Text:
    """A severity from 0 to 10, the worse the redder."""
    if value is None:
        return Text("-")
    styles = {0: "dim", 3: "", 6: "yellow", 8: "red", 10: "bold red"}
    return Text(str(value), next(style for least, style in reversed(styles.items()) if value >= least))


def local_time(timestamp: str) -> str:
    """An RFC 3339 timestamp in the terminal's own time zone."""
    return datetime.fromisoformat(timestamp).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """So long, in the largest unit that it fills."""
    for least, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= least:
            return f"{seconds / least:.1f} {unit}"
    return f"{seconds:.0f} s"


def counted(number: int, thing: str) -> str:
    """So many of a thing whose plural ends in s."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def at_the_rate(seconds: float | None) -> str:
    """How long a replay takes at its sink's rate; None: it has none."""
    if seconds is None:
        return "as fast as the receiver takes them"
    return "in a second or so" if seconds < 1 else f"in about {duration(seconds)} at the sink's rate"


def complain(first: str, *more: str) -> None:
    """Say on standard error what went wrong, in one paragraph."""
    err.print(Text("eventgate: ", "bold red").append(defused(first), ""))
    for line in more:
        remark(f"  {line}")


def reader_left() -> int:
    """Whoever read our output (``head``, ``less``) has enough: end without a word; the exit code that says so."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
