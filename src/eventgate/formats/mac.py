"""Hardware addresses in the notation that a format wants; whatever is none stays text and gets no such field.

Pure.
"""

import re
from functools import lru_cache

_ADDRESS = re.compile(r"[0-9A-Fa-f]{2}([:-]?)[0-9A-Fa-f]{2}(?:\1[0-9A-Fa-f]{2}){4}")


@lru_cache(16_384)
def with_colons(text: str) -> str | None:
    """``02:00:5e:10:00:01``, as CEF, LEEF and OCSF write it."""
    if _ADDRESS.fullmatch(text) is None:
        return None
    digits = text.replace(":", "").replace("-", "").lower()
    return ":".join([digits[at : at + 2] for at in range(0, 12, 2)])


@lru_cache(16_384)
def with_hyphens(text: str) -> str | None:
    """``02-00-5E-10-00-01``, as ECS writes it."""
    colons = with_colons(text)
    return colons and colons.upper().replace(":", "-")
