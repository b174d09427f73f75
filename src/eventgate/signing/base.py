"""The signature base (RFC 9421, section 2.5): the bytes that a signature over a request is made of.

Pure. One builder for both sides: ``sign`` and ``verify`` cannot come to different bytes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from eventgate.errors import CallerError
from eventgate.signing.fields import Component


class SignedRequest(NamedTuple):
    """A request as its signer saw it.

    ``scheme``, ``authority`` and ``path`` are those of the public address; ``path`` as sent, still percent-encoded.
    ``headers`` are names in lower case with their values, in order; ``body`` the bytes as sent.
    """

    method: str
    scheme: str
    authority: str
    path: str
    headers: Sequence[tuple[str, str]]
    body: bytes


_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def _authority(request: SignedRequest) -> str:
    """Lower case, without the scheme's own port (RFC 9421, section 2.2.3)."""
    return request.authority.lower().removesuffix(_DEFAULT_PORTS.get(request.scheme, "\n"))


_DERIVED: dict[str, Callable[[SignedRequest], str]] = {
    "@method": lambda request: request.method,
    "@path": lambda request: request.path or "/",
    "@authority": _authority,
    "@scheme": lambda request: request.scheme,
    "@target-uri": lambda request: f"{request.scheme}://{request.authority}{request.path}",
    "@request-target": lambda request: request.path,
    "@query": lambda _request: "?",  # a write has no query string; section 2.2.7 then wants the lone question mark
}
"""The derived components of section 2.2 that a write has. ``@query-param`` and ``@status`` cannot occur in one."""


def combine(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """One value a field: stripped of outer blanks, repeated lines joined by a comma (RFC 9421, section 2.1)."""
    fields: dict[str, str] = {}
    for name, value in headers:
        value = value.strip(" \t")  # noqa: PLW2901 - the raw value has no further use
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields


def signature_base(
    request: SignedRequest, fields: Mapping[str, str], components: Iterable[Component], parameters: str
) -> bytes:
    """Build the base. ``parameters`` is the text of ``@signature-params``: the inner list with its parameters.

    Raises CallerError 400 for a component that a write cannot have, 401 for a field that this write lacks.
    """
    lines = []
    for name, own_parameters in components:
        if own_parameters:
            raise _malformed(f"the component {name!r} has parameters ({own_parameters}), which EventGate does not take")
        if name[:1] == "@":
            derive = _DERIVED.get(name)
            if derive is None:
                raise _malformed(f"the derived component {name!r} is not one of {', '.join(_DERIVED)}")
            value = derive(request)
        elif name in fields:
            value = fields[name]
        else:
            raise CallerError(
                401, "signature-invalid", f"The signature covers {name!r}, but the request has no such field."
            )
        if "\n" in value:
            raise _malformed(f"the value of {name!r} holds a line feed")
        lines.append(f'"{name}": {value}')
    lines.append(f'"@signature-params": {parameters}')
    try:
        # HTTP parsers hand on bytes above 0x7F as surrogate escapes: this gives those bytes back.
        return "\n".join(lines).encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        raise _malformed("a covered value is not text") from None


def _malformed(what: str) -> CallerError:
    return CallerError(400, "signature-malformed", f"Signature-Input: {what}.")
