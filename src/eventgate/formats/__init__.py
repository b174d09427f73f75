"""Events as text for sinks: one module a format, each a function from an event and its sensor's names to bytes.

Pure. Every byte that came from a sensor is hostile: a format lets none of it forge a field or a line. ``MEDIA`` says
what a format's bytes are, for whoever puts them into an envelope: a JSON object is embedded as it is, a line of text
as a string.
"""

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

from eventgate.event import KIND_NAMES, Event, Kind, Origin, SensorNames

Format = Callable[[Event, SensorNames], bytes]

Sort = tuple[Kind, Origin, str | None, int | None, int | None]
"""What many events share: kind, origin, code, category and severity."""

Media = Literal["json", "text"]
MEDIA: Mapping[str, Media] = {
    "json": "json",
    "ocsf": "json",
    "ecs": "json",
    "rfc5424": "text",
    "rfc3164": "text",
    "cef": "text",
    "leef": "text",
}
"""By a format's name: ``json`` is one object on one line, ``text`` one line of UTF-8 without a line break."""


class Catalogue(NamedTuple):
    """What people call an alert: the title of each known code, the name of each category."""

    titles: Mapping[str, str]
    categories: Mapping[int, str]

    def title(self, code: str) -> str:
        return self.titles.get(code, code)

    def category(self, kind: Kind, category: int | None) -> str:
        """What an event is about in a word: its category, or its kind where it has none."""
        return KIND_NAMES[kind] if category is None else self.categories.get(category, str(category))


NO_CATALOGUE = Catalogue({}, {})
