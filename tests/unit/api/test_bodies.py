"""What is said of a member that is not what it must be: words, never a pattern or a library's sentence."""

import asyncio

import orjson
import pytest
from aiohttp import StreamReader
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request

from eventgate.api.access.key_bodies import KeyChanges, NewKey
from eventgate.api.access.password_links import Redeem
from eventgate.api.access.users import InviteUser
from eventgate.api.bodies import Body, read_body
from eventgate.errors import CallerError

TOKEN = "A" * 43


async def _read(model: type[Body], sent: object) -> Body:
    loop = asyncio.get_running_loop()
    content = StreamReader(BaseProtocol(loop), 1 << 16, loop=loop)
    content.feed_data(orjson.dumps(sent))
    content.feed_eof()
    return await read_body(
        make_mocked_request("POST", "/", headers={"Content-Type": "application/json"}, payload=content), model
    )


@pytest.mark.parametrize(
    ("model", "sent", "said"),
    [
        (NewKey, {"userId": "x"}, "/userId: expected a UUID, as in 0199c1f0-0000-7000-8000-000000000000."),
        (KeyChanges, {"whitelistedIPs": []}, "/whitelistedIPs: expected at least 1 in the list, found 0."),
        (
            KeyChanges,
            {"whitelistedIPs": ["10.0.0.0/8", "10.0.0.1/8"]},
            (
                "/whitelistedIPs/1: the address has bits set beyond its prefix; "
                "10.0.0.0/8 is the block, 10.0.0.1 the one address."
            ),
        ),
        (KeyChanges, {"description": ""}, "/description: expected one line of 1 to 200 characters."),
        (KeyChanges, {"apiVersion": "26-11-2026"}, "/apiVersion: expected a version as YYYY-MM-DD."),
        (InviteUser, {"role": "admin", "email": "nope"}, "/email: expected an address of mail, as in ann@example.org."),
        (
            InviteUser,
            {"role": "admin", "login": " "},
            "/login: expected one line of 1 to 320 characters, not blanks alone.",
        ),
        (
            Redeem,
            {"token": "junk", "password": "x"},
            "/token: expected the 43 characters behind #token= in the link.",
        ),
    ],
)
def test_it_says_in_words_what_was_expected(model: type[Body], sent: object, said: str) -> None:
    with pytest.raises(CallerError) as refused:
        asyncio.run(_read(model, sent))
    assert refused.value.detail == said


def test_what_can_be_null_still_can() -> None:
    assert asyncio.run(_read(KeyChanges, {"description": None, "whitelistedIPs": None})) == KeyChanges()


def test_the_patterns_stay_in_the_schema() -> None:
    assert InviteUser.model_json_schema()["properties"]["email"]["anyOf"][0]["pattern"]
    assert KeyChanges.model_json_schema(by_alias=True)["properties"]["apiVersion"]["pattern"] == r"^\d{4}-\d{2}-\d{2}$"
    assert Redeem.model_json_schema()["properties"]["token"]["pattern"]
