"""What of a request says who is asking, and from where.

Pure. Made by the door of the HTTP interface; the rooms below never see a request.
"""

from collections.abc import Iterable
from typing import NamedTuple, Protocol


class Headers(Protocol):
    """A multidict: names without regard to case, several values a name."""

    def getall(self, key: str, default: list[str], /) -> Iterable[str]: ...


class Asked(NamedTuple):
    """One request, as far as authentication looks at it.

    ``query_string`` is raw. ``remote`` is the caller's address, "" where there is none. ``origin`` is scheme and
    authority under which the caller sees EventGate, as in ``https://gate.example``: what a browser sends as ``Origin``.
    """

    method: str
    headers: Headers
    query_string: str = ""
    remote: str = ""
    origin: str = ""
