"""The configured token issuers: checked before anything starts, and each given its own way out to its keys.

Touches the certificate files that they name; the network once their keys are needed.
"""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from functools import partial

from eventgate.access.scopes import SCOPES
from eventgate.access.tokens.check import Trusted
from eventgate.access.tokens.issuer import ALGORITHMS, Issuer
from eventgate.access.tokens.issuer_keys import IssuerKeys
from eventgate.clock import Clock
from eventgate.config import Configuration, TokenIssuer
from eventgate.errors import ConfigurationError, FieldError
from eventgate.outbound import Outbound, OutboundError, Reach

_SECONDS = 5.0
_MOST_BYTES = 256 * 1024


def check_issuers(configuration: Configuration, source: str) -> None:
    """Raise ConfigurationError, of ``source``, with the mistakes of all of them."""
    problems = [
        FieldError(f"oauth2.issuers.{place}.{key}", "unusable", detail)
        for place, issuer in enumerate(configuration.oauth2.issuers)
        for key, detail in _mistakes(issuer)
    ]
    urls = [issuer.url for issuer in configuration.oauth2.issuers]
    twice = sorted({url for url in urls if urls.count(url) > 1})
    problems += [FieldError("oauth2.issuers", "unusable", f"{url!r} stands there twice") for url in twice]
    if problems:
        raise ConfigurationError(source, problems)


async def trusted_issuers(stack: AsyncExitStack, configuration: Configuration, clock: Clock) -> list[Trusted]:
    """Every issuer, ready to check tokens. ``stack`` closes their connections."""
    check_issuers(configuration, "configuration")
    trusted = []
    for told in configuration.oauth2.issuers:
        outbound = await stack.enter_async_context(_outbound(told))
        issuer = Issuer(
            url=told.url,
            audiences=told.audiences,
            jwks_url=told.jwks_url,
            algorithms=told.algorithms,
            leeway_seconds=told.leeway_seconds,
            scopes_claim=told.scopes_claim,
            company_claim=told.company_claim,
            company=told.company,
            user_claim=told.user_claim,
            scopes=told.scopes,
        )
        trusted.append(Trusted(issuer, IssuerKeys(told.url, told.jwks_url, partial(_fetch, outbound), clock)))
    return trusted


def _mistakes(issuer: TokenIssuer) -> Iterator[tuple[str, str]]:
    strangers = [name for name in issuer.algorithms if name not in ALGORITHMS]
    if strangers:
        yield "algorithms", f"expected some of {', '.join(ALGORITHMS)}, found {strangers[0]!r}"
    for foreign, ours in issuer.scopes.items():
        unknown = [scope for scope in ours if scope not in SCOPES]
        if unknown:
            yield f"scopes.{foreign}", f"expected some of {', '.join(SCOPES)}, found {unknown[0]!r}"
    try:
        _outbound(issuer)
    except OSError as error:  # ssl.SSLError is one
        yield "ca_file", f"expected PEM that OpenSSL can read, here and in certificate_file: {error.strerror or error}"


def _outbound(issuer: TokenIssuer) -> Outbound:
    return Outbound(
        Reach(private=issuer.private_addresses),
        ca_file=issuer.ca_file,
        certificate_file=issuer.certificate_file,
        key_file=issuer.key_file,
        proxy=issuer.proxy or None,
        connections=2,
    )


async def _fetch(outbound: Outbound, url: str) -> bytes:
    answer = await outbound.get(url, seconds=_SECONDS, most_bytes=_MOST_BYTES)
    if answer.status != 200:
        raise OutboundError(f"GET {url}: answered {answer.status}")
    return answer.body
