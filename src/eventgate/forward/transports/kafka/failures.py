"""What the client library raises, in the words of the delivery loop.

Pure. Whatever is not plainly about one record's content means: drop the producer, fence, read the cursor again.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aiokafka.errors import (
    CorruptRecordException,
    InvalidTimestampError,
    KafkaError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    ProducerFenced,
    RecordListTooLargeError,
)

from eventgate.errors import Disconnected, Refused
from eventgate.forward.transports.kafka.overhearing import overheard

_ABOUT_A_RECORD = (
    CorruptRecordException,
    InvalidTimestampError,
    MessageSizeTooLargeError,
    PolicyViolationError,
    RecordListTooLargeError,
)

_NOBODY = "Unable to bootstrap from"
"""The library says so of brokers that were asked in turn, and tells its log what each of them said."""


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn the library's and the network's exceptions into Refused or Disconnected; ``doing`` ends the sentence."""
    try:
        with overheard() as heard:
            yield
    except _ABOUT_A_RECORD as error:
        raise Refused(f"Kafka refuses a record: {_words(error, heard)}") from error
    except ProducerFenced as error:
        # No proof of a rival: a transaction that outlived its timeout is fenced by the coordinator as well.
        raise Disconnected(f"fenced while {doing}: another producer took over, or a transaction timed out") from error
    except TimeoutError as error:
        raise Disconnected(f"no answer from Kafka in time while {doing}") from error
    except (KafkaError, OSError) as error:
        raise Disconnected(f"lost Kafka while {doing}: {_words(error, heard)}") from error
    except AssertionError as error:
        # The library asserts its own state, where a transaction failed for good behind its back.
        raise Disconnected(f"the producer failed while {doing}: {error}") from error


def _words(error: BaseException, heard: Sequence[str]) -> str:
    """The error and the cause that the library hides behind "Unexpected error"."""
    own = str(error) or type(error).__name__
    if _NOBODY in own and heard:
        own = f"no broker let us in: {'; '.join(heard)}"
    cause = error.__cause__
    return f"{own} ({str(cause) or type(cause).__name__})" if cause is not None else own
