import logging

import pytest
from aiokafka import errors

from eventgate.errors import DeliveryError, Disconnected, Refused
from eventgate.forward.transports.kafka.failures import translated


@pytest.mark.parametrize(
    ("raised", "becomes", "words"),
    [
        (errors.MessageSizeTooLargeError(), Refused, "refuses"),
        (errors.InvalidTimestampError(), Refused, "refuses"),
        (errors.ProducerFenced(), Disconnected, "fenced while delivering"),
        (errors.OutOfOrderSequenceNumber(), Disconnected, "lost Kafka while delivering"),
        (errors.TopicAuthorizationFailedError("events"), Disconnected, "events"),
        (TimeoutError(), Disconnected, "in time"),
        (ConnectionRefusedError(111, "refused"), Disconnected, "refused"),
        (AssertionError("Invalid state transition"), Disconnected, "Invalid state"),
    ],
)
def test_an_error_of_the_library_says_what_the_loop_does_next(
    raised: Exception, becomes: type[DeliveryError], words: str
) -> None:
    with pytest.raises(becomes, match=words) as caught, translated("delivering"):
        raise raised
    assert caught.value.__cause__ is raised


def test_the_hidden_cause_is_told() -> None:
    hidden = errors.KafkaError("Unexpected error during batch delivery")
    hidden.__cause__ = errors.InvalidTxnState()
    with pytest.raises(Disconnected, match="InvalidTxnState"), translated("delivering"):
        raise hidden


def test_what_each_broker_said_is_told() -> None:
    nobody = errors.KafkaConnectionError("Unable to bootstrap from [('k1.example', 9092, <AddressFamily.AF_INET: 2>)]")

    def refused() -> None:
        logging.getLogger("aiokafka").error('Unable connect to "%s:%s": %s', "k1.example", 9092, "no such user")
        raise nobody

    with pytest.raises(Disconnected) as caught, translated("starting"):
        refused()
    assert str(caught.value) == "lost Kafka while starting: no broker let us in: k1.example:9092: no such user"
    with pytest.raises(Disconnected, match="Unable to bootstrap"), translated("starting"):
        raise nobody


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), translated("delivering"):
        raise ZeroDivisionError
