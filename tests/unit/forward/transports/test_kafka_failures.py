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


def test_other_errors_pass() -> None:
    with pytest.raises(ZeroDivisionError), translated("delivering"):
        raise ZeroDivisionError
