"""Standard Webhooks: the specification's own example, and an independent library that believes our signatures."""

import time
import uuid

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from eventgate.protocols.webhook import message_id, secrets, signature
from tests.unit.formats.samples import ALERT

SECRET, OTHER = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_bm90IHRoZSBzYW1lIHNlY3JldCBhdCBhbGw="


def test_the_specifications_example() -> None:
    # https://github.com/standard-webhooks/standard-webhooks, the vectors of its libraries
    told = signature(secrets(SECRET), "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert told == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("known", [SECRET, OTHER])
def test_while_a_secret_changes_both_are_believed(known: str) -> None:
    body, now = b'{"caf\xc3\xa9":1}', int(time.time())
    signed = signature(secrets(f"{SECRET}\n{OTHER}\n"), "evt_1", now, body)
    headers = {"webhook-id": "evt_1", "webhook-timestamp": str(now), "webhook-signature": signed}
    assert Webhook(known).verify(body, headers) == {"café": 1}
    with pytest.raises(WebhookVerificationError):
        Webhook(known).verify(body + b" ", headers)


def test_the_id_belongs_to_the_events_and_their_company() -> None:
    other = ALERT._replace(company=uuid.uuid4())
    ids = {message_id(events) for events in ([ALERT], [other], [ALERT, other], [other, ALERT])}
    assert len(ids) == 4
    assert message_id([ALERT]) == message_id([ALERT._replace(message="retold")])
    assert not any("." in each for each in ids)


@pytest.mark.parametrize(
    "text", ["", "\n", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_c2hvcnQ=", "whsec_%%%", f"{SECRET} x"]
)
def test_what_is_no_secret_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(ValueError, match="whsec_") as caught:
        secrets(text)
    assert "MfKQ" not in str(caught.value)
    assert "c2hvcnQ" not in str(caught.value)
