"""Tokens of a real issuer, a process of its own: which ones are taken, and what they stand for."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from multidict import CIMultiDict

from eventgate.access import Asked, Authenticator, KeyAuthenticator, Principal, TokenAuthenticator
from eventgate.app.issuers import trusted_issuers
from eventgate.clock import ManualClock
from eventgate.config import Configuration
from eventgate.errors import CallerError, Unavailable
from tests.services.issuer import Issuer


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(int(time.time() * 1000))


@pytest.fixture
async def companies(pool) -> dict[str, UUID]:
    made = {name: uuid4() for name in ("Ours", "Theirs")}
    for name, company in made.items():
        await pool.execute("INSERT INTO companies (id, name, id_secret) VALUES ($1, $2, $3)", company, name, bytes(32))
        await pool.execute(
            "INSERT INTO users (id, company, login, role, email) VALUES ($1, $2, $3, 'analyst', $4)",
            uuid4(), company, f"{name}-ann", f"ann@{name}.example".lower(),
        )  # fmt: skip
    return made


Trusting = Callable[..., Any]


@pytest.fixture
async def trusting(pool, clock, companies, issuer: Issuer) -> AsyncIterator[Trusting]:
    """Makes what answers who is asking, as the service does of its configuration."""
    async with AsyncExitStack() as stack:

        async def make(**told: Any) -> Authenticator:
            whole = {"url": issuer.url, "audiences": ["eventgate"], "private_addresses": True, "company": "Ours"} | told
            configuration = Configuration.model_validate({"oauth2": {"issuers": [whole]}})
            tokens = TokenAuthenticator(await trusted_issuers(stack, configuration, clock), pool, clock)
            return Authenticator(KeyAuthenticator(pool, clock), tokens=tokens)

        yield make


@pytest.fixture
async def gate(trusting: Trusting) -> Authenticator:
    made: Authenticator = await trusting()
    return made


async def ask(gate: Authenticator, token: str) -> Principal:
    return await gate.authenticate(Asked("GET", CIMultiDict(Authorization=f"Bearer {token}")))


async def refusal(gate: Authenticator, token: str) -> str:
    with pytest.raises(CallerError) as caught:
        await ask(gate, token)
    assert caught.value.status == 401
    assert 'error="invalid_token"' in caught.value.headers["WWW-Authenticate"]
    assert token not in caught.value.detail
    return caught.value.code


async def test_a_good_token_is_taken(gate, issuer, companies):
    for algorithm in ("RS256", "EdDSA", "ES256"):
        found = await ask(gate, issuer.token("alerts:read openid", algorithm=algorithm))
        assert (found.company, found.user, found.key) == (companies["Ours"], None, None)
        assert found.scopes == {"alerts:read"}
        assert found.name == f"soc of {issuer.url}"
        assert not found.operator
        assert found.verify_keys == {}


async def test_a_good_token_is_remembered(gate, issuer):
    token = issuer.token("alerts:read")
    assert await ask(gate, token) is await ask(gate, token)
    assert issuer.fetches() == 1


WRONG = [
    ("token-audience", {"audience": "another"}),
    ("token-audience", {"claims": {"aud": None}}),
    ("token-audience", {"claims": {"aud": ["a", "b"]}}),
    ("token-audience", {"claims": {"aud": {"eventgate": 1}}}),
    ("token-issuer-unknown", {"claims": {"iss": "https://elsewhere.example"}}),
    ("token-issuer-unknown", {"claims": {"iss": None}}),
    ("token-expired", {"claims": {"exp": 1}}),
    ("token-malformed", {"claims": {"exp": None}}),
    ("token-malformed", {"header": {"typ": "logout+jwt"}}),
    ("token-malformed", {"header": {"typ": "secevent+jwt"}}),
    ("token-malformed", {"header": {"crit": ["exp"], "exp": 1}}),
    ("token-malformed", {"claims": {"filler": "x" * 9000}}),
    ("token-key-unknown", {"header": {"kid": "nobody's"}}),
    ("token-key-unknown", {"header": {"kid": "RS256-1"}}),  # a key, but not for this algorithm
]


async def test_what_is_wrong_is_said(gate, issuer):
    for code, changes in WRONG:
        assert await refusal(gate, issuer.token("alerts:read", **changes)) == code, changes


async def test_a_list_that_names_us_is_our_audience(gate, issuer):
    await ask(gate, issuer.token(claims={"aud": ["other", "eventgate"]}))


async def test_times_are_taken_with_leeway(gate, issuer, clock):
    now = clock.now_ms() // 1000
    await ask(gate, issuer.token(claims={"nbf": now + 20}))
    assert await refusal(gate, issuer.token(claims={"nbf": now + 60})) == "token-not-yet-valid"
    token = issuer.token(claims={"exp": now + 10})
    await ask(gate, token)
    clock.advance(39)
    await ask(gate, token)
    clock.advance(2)
    assert await refusal(gate, token) == "token-expired"


def forged(issuer: Issuer, header: dict[str, Any], sign: Callable[[bytes], bytes]) -> str:
    claims = {"iss": issuer.url, "aud": "eventgate", "sub": "eve", "exp": int(time.time()) + 60, "scope": "keys:manage"}
    signed = ".".join(_part(json.dumps(each).encode()) for each in (header, claims))
    return f"{signed}.{_part(sign(signed.encode()))}"


def _part(text: bytes) -> str:
    return base64.urlsafe_b64encode(text).rstrip(b"=").decode()


async def test_forged_tokens_are_refused(gate, issuer):
    await ask(gate, issuer.token())
    public = next(key for key in issuer.published() if key["kid"] == "RS256-1")
    pem = jwt.algorithms.RSAAlgorithm.from_jwk(public).public_bytes(
        encoding=jwt.algorithms.Encoding.PEM, format=jwt.algorithms.PublicFormat.SubjectPublicKeyInfo
    )
    for secret in (pem, json.dumps(public).encode(), b""):
        token = forged(
            issuer, {"alg": "HS256", "kid": "RS256-1"}, lambda signed, s=secret: hmac.digest(s, signed, hashlib.sha256)
        )
        assert await refusal(gate, token) == "token-algorithm"
    for none in ("none", "None", "", None):
        assert await refusal(gate, forged(issuer, {"alg": none, "kid": "ES256-1"}, lambda _: b"")) == "token-algorithm"
    assert await refusal(gate, forged(issuer, {"alg": "ES256", "kid": "ES256-1"}, lambda _: bytes(64))) == (
        "token-signature-invalid"
    )
    assert await refusal(gate, forged(issuer, {"alg": "ES256", "kid": "ES256-1"}, lambda _: b"")) == (
        "token-signature-invalid"
    )
    # A key that the token brings along is nobody's.
    eve = ec.generate_private_key(ec.SECP256R1())
    brought = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(eve.public_key()))
    claims = {"iss": issuer.url, "aud": "eventgate", "exp": int(time.time()) + 60}
    token = jwt.encode(claims, eve, algorithm="ES256", headers={"jwk": brought, "kid": "ES256-1"})
    assert await refusal(gate, token) == "token-signature-invalid"


async def test_nonsense_is_a_401(gate):
    for token in ["..", "a.b.c", "e30.e30.", "bnVsbA.W10.x", "\udcff.\udcff.\udcff", "e30.eyJpc3MiOnt9fQ.x"]:
        assert await refusal(gate, token) in {"token-malformed", "token-issuer-unknown"}, token


async def test_rotation_is_survived(gate, issuer, clock):
    old = issuer.token()
    await ask(gate, old)
    issuer.rotate(keep=True)
    new = issuer.token()
    clock.advance(61)  # since the first fetch
    await ask(gate, new)
    await ask(gate, issuer.token(claims={"jti": "another"}))
    clock.advance(6)
    await ask(gate, old)
    assert issuer.fetches() == 2


async def test_keys_taken_back_end_with_the_next_fetch(gate, issuer, clock):
    old = issuer.token()
    await ask(gate, old)
    issuer.rotate(keep=False)
    clock.advance(61)
    await ask(gate, issuer.token())
    assert await refusal(gate, old) == "token-key-unknown"


async def test_unknown_keys_cause_one_fetch_a_minute(gate, issuer, clock):
    await ask(gate, issuer.token())
    for number in range(20):
        assert await refusal(gate, issuer.token(header={"kid": f"made-up-{number}"})) == "token-key-unknown"
    assert issuer.fetches() == 1
    clock.advance(61)
    for number in range(20):
        assert await refusal(gate, issuer.token(header={"kid": f"made-up-{number}"})) == "token-key-unknown"
    assert issuer.fetches() == 2


async def test_an_issuer_that_is_away_refuses_no_token_of_a_key_at_hand(gate, issuer, clock):
    tokens = [issuer.token(claims={"jti": str(number)}) for number in range(3)]
    stranger = issuer.token(header={"kid": "made-up"})
    await ask(gate, tokens[0])
    issuer.kill()
    await ask(gate, tokens[1])
    clock.advance(200)
    await ask(gate, tokens[2])
    with pytest.raises(Unavailable) as caught:
        await ask(gate, stranger)
    assert caught.value.code == "issuer-unavailable"


async def test_an_issuer_that_was_never_there_is_unavailable(gate, issuer, clock):
    token = issuer.token()
    issuer.kill()
    for _ in range(3):
        with pytest.raises(Unavailable):
            await ask(gate, token)
    issuer.start()
    clock.advance(6)
    await ask(gate, issuer.token())


async def test_private_addresses_need_permission(trusting, issuer):
    gate = await trusting(private_addresses=False)
    with pytest.raises(Unavailable):
        await ask(gate, issuer.token())
    assert issuer.fetches() == 0


async def test_roles_of_the_issuer_stand_for_scopes_of_ours(trusting, issuer):
    gate = await trusting(
        scopes_claim="realm_access.roles", scopes={"soc": ["alerts:read", "edges:read"], "sinks:read": []}
    )
    roles = ["soc", "audit:read", "sinks:read", "root", 7, "everything:manage"]
    found = await ask(gate, issuer.token("keys:manage", claims={"realm_access": {"roles": roles}}))
    assert found.scopes == {"alerts:read", "edges:read", "audit:read"}
    for odd in ({}, {"realm_access": "soc"}, {"realm_access": {"roles": {"soc": 1}}}):
        assert (await ask(gate, issuer.token(claims=odd))).scopes == set()


async def test_a_claim_says_which_company(trusting, issuer, companies, pool):
    gate = await trusting(company="", company_claim="tenant")
    assert (await ask(gate, issuer.token(claims={"tenant": "Theirs"}))).company == companies["Theirs"]
    ours = issuer.token(claims={"tenant": str(companies["Ours"]).upper()})
    assert (await ask(gate, ours)).company == companies["Ours"]
    for nobody in ({"tenant": "theirs"}, {"tenant": ""}, {"tenant": 5}, {"tenant": "%"}, {"tenant": "a\0"}, {}):
        assert await refusal(gate, issuer.token(claims=nobody)) == "token-company-unknown"
    await pool.execute("UPDATE companies SET retired_at = now() WHERE id = $1", companies["Ours"])
    gate.forget(f"company {companies['Ours']}")
    assert await refusal(gate, ours) == "token-company-unknown"
    await pool.execute("UPDATE companies SET name = 'Twice'")
    assert await refusal(gate, issuer.token(claims={"tenant": "Twice"})) == "token-company-unknown"


async def test_a_claim_says_which_user_and_its_role_bounds_the_scopes(trusting, issuer, companies, pool):
    gate = await trusting(user_claim="email")
    ann = await pool.fetchval("SELECT id FROM users WHERE login = 'Ours-ann'")
    token = issuer.token("alerts:read keys:manage", claims={"email": "Ann@ours.example"})
    found = await ask(gate, token)
    assert (found.user, found.name, found.scopes) == (ann, "Ours-ann", {"alerts:read"})
    assert (await ask(gate, issuer.token(claims={"email": "OURS-ANN"}))).user == ann
    for nobody in ("ann@theirs.example", "somebody", "", 5, "ours-ann\0"):
        assert await refusal(gate, issuer.token(claims={"email": nobody})) == "token-user-unknown"
    unverified = issuer.token(claims={"email": "ann@ours.example", "email_verified": False})
    assert await refusal(gate, unverified) == "token-user-unknown"
    assert (await ask(gate, issuer.token())).user is None, "a program's token names no user"
    await pool.execute("UPDATE users SET deleted_at = now() WHERE id = $1", ann)
    gate.forget(f"user {ann}")
    assert await refusal(gate, token) == "token-user-revoked"
