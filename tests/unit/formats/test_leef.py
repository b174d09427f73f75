"""Format leef: both versions, and every delimiter."""

import pytest

from tests.unit.formats.every import made
from tests.unit.formats.readers import leef
from tests.unit.formats.samples import ALERT, FULL, NAMES


@pytest.mark.parametrize("options", [{}, {"leef_version": "1.0"}, *({"delimiter": each} for each in "^~;!#$%&*?@")])
def test_no_value_holds_the_delimiter(options: dict[str, str]) -> None:
    event = FULL._replace(message="a\tb^c~d;e!f#g$h%i&j*k+l?m@n|o=p", code="A|B\tC", data=b'{"ssid":"\\t^=|"}')
    read = leef(made("leef", **options)(event, NAMES))
    delimiter = options.get("delimiter", "\t")
    assert read["msg"] == event.message.replace(delimiter, " ").replace("\t", "\u2409")
    assert read["EventID"].replace("\u2409", " ") == "A_B C"
    assert read["ssid"] in ("\u2409^=|", " ^=|", "\u2409 =|")


@pytest.mark.parametrize(("ours", "theirs"), [(None, "1"), (0, "1"), (1, "1"), (5, "5"), (10, "10")])
def test_severities(ours: int | None, theirs: str) -> None:
    assert leef(made("leef")(ALERT._replace(severity=ours), NAMES))["sev"] == theirs
