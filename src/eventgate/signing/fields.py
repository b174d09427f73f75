"""The part of Structured Fields (RFC 9651) that signatures are written in: dictionaries of inner lists or of bytes.

Pure and strict: only the canonical serialisation of a member is taken, so that the text that was sent is the text that
was signed (RFC 9421, section 2.3), and a name stands once. Raises FieldSyntax, which says at which character.
"""

import re
from binascii import a2b_base64
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

# Possessive quantifiers throughout: no text, however hostile, makes these expressions go back.
_KEY = r"[a-z*][a-z0-9_.*-]*+"
_STRING = r'"(?:[\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*+"'
_INTEGER = r"(?:0|-?[1-9][0-9]{0,14}+)"
_DECIMAL = r"-?(?:0|[1-9][0-9]{0,11}+)\.[0-9]{1,3}+"
_BASE64 = r"(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?+"
_BYTES = rf":{_BASE64}:"
_TOKEN = r"[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*+"  # noqa: S105 - a grammar's name, no secret
_BARE = rf"(?:{_STRING}|{_DECIMAL}|{_INTEGER}|{_BYTES}|{_TOKEN}|\?0|@{_INTEGER})"
_PARAMETERS = rf"(?:;{_KEY}(?:={_BARE})?+)*+"
_ITEM = rf"{_STRING}{_PARAMETERS}"

_LIST_MEMBER = re.compile(rf"({_KEY})=(\((?:{_ITEM}(?: {_ITEM})*+)?+\))({_PARAMETERS})")
_BYTES_MEMBER = re.compile(rf"({_KEY})=:({_BASE64}):{_PARAMETERS}")
_COMMA = re.compile(r"[ \t]*+,[ \t]*+")
_ONE_ITEM = re.compile(rf"({_STRING})({_PARAMETERS})")
_ONE_PARAMETER = re.compile(rf";({_KEY})(?:=({_BARE}))?")

Value = str | int | None
"""A parameter's value: strings and integers, the only types that signatures define; None stands for any other."""


class FieldSyntax(ValueError):
    """A field is not what RFC 9651 and RFC 9421 allow; the message names the character."""


class Component(NamedTuple):
    """One covered component: its name, and its parameters as they were written (``""`` for none)."""

    name: str
    parameters: str


class Member(NamedTuple):
    """One label of Signature-Input: the covered components, the parameters, and the text of both as it was sent."""

    components: tuple[Component, ...]
    parameters: Mapping[str, Value]
    text: str


@lru_cache(maxsize=256)
def parse_lists(text: str) -> Mapping[str, Member]:
    """Parse a dictionary of inner lists of strings with parameters: Signature-Input (RFC 9421, section 4.1).

    Cached, and so read-only: what one sensor writes within one second has the same Signature-Input.
    """
    members: dict[str, Member] = {}
    at = 0
    while True:
        match = _LIST_MEMBER.match(text, at)
        if match is None:
            raise FieldSyntax(f'character {at + 1}: expected label=("component" …);parameter=value in canonical form')
        label, components, parameters = match.groups()
        if label in members:
            raise FieldSyntax(f"character {at + 1}: the label {label!r} stands twice")
        members[label] = Member(_components(components), _parameters(parameters), components + parameters)
        if match.end() == len(text):
            return members
        at = _after_comma(text, match.end())


def parse_bytes(text: str) -> dict[str, bytes]:
    """Parse a dictionary of byte sequences: Signature (RFC 9421, section 4.2), Content-Digest (RFC 9530, section 2)."""
    members: dict[str, bytes] = {}
    at = 0
    while True:
        match = _BYTES_MEMBER.match(text, at)
        if match is None:
            raise FieldSyntax(f"character {at + 1}: expected name=:BASE64:")
        name, encoded = match.groups()
        if name in members:
            raise FieldSyntax(f"character {at + 1}: {name!r} stands twice")
        members[name] = a2b_base64(encoded)
        if match.end() == len(text):
            return members
        at = _after_comma(text, match.end())


def _after_comma(text: str, at: int) -> int:
    comma = _COMMA.match(text, at)
    if comma is None:
        raise FieldSyntax(f"character {at + 1}: expected a comma and the next member, or the end")
    return comma.end()


@lru_cache(maxsize=256)
def _components(text: str) -> tuple[Component, ...]:
    """Take an inner list apart. Cached: a sensor covers the same components in every write."""
    return tuple(Component(_unquoted(name), parameters) for name, parameters in _ONE_ITEM.findall(text))


def _parameters(text: str) -> dict[str, Value]:
    values: dict[str, Value] = {}
    for name, bare in _ONE_PARAMETER.findall(text):
        if name in values:
            raise FieldSyntax(f"the parameter {name!r} stands twice")
        first = bare[:1]
        if first == '"':
            values[name] = _unquoted(bare)
        elif (first == "-" or first.isdigit()) and "." not in bare:
            values[name] = int(bare)
        else:
            values[name] = None
    return values


def _unquoted(text: str) -> str:
    inner = text[1:-1]
    return re.sub(r"\\(.)", r"\1", inner) if "\\" in inner else inner
