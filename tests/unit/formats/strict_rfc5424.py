"""A strict reader of the grammar of RFC 5424, section 6, for messages with one structured element."""

import re

_GRAMMAR = re.compile(
    r"<(?P<pri>[1-9]\d{0,2}|0)>1"
    r" (?P<timestamp>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z)"
    r" (?P<host>[!-~]{1,255}) (?P<app>[!-~]{1,48}) (?P<procid>[!-~]{1,128}) (?P<msgid>[!-~]{1,32})"
    r" \[(?P<sd_id>[!#-<>-\\^-~]{1,32})(?P<params>(?: [!#-<>-\\^-~]{1,32}=\"(?:[^\"\\\]]|\\[\"\\\]])*\")*)\]"
    r"(?: (?P<message>.*))?",
    re.DOTALL,
)
_PARAM = re.compile(r' ([^=]+)="((?:[^"\\\]]|\\["\\\]])*)"')


def parse(message: bytes) -> tuple[dict[str, str], dict[str, str]]:
    """Header and MSG, and the parameters of the one element."""
    found = _GRAMMAR.fullmatch(message.decode())
    assert found is not None, message
    return found.groupdict(), params_of(found["params"])


def params_of(element: str) -> dict[str, str]:
    """The parameters of an element, unescaped (section 6.3.3)."""
    return {name: re.sub(r'\\(["\\\]])', r"\1", value) for name, value in _PARAM.findall(element)}
