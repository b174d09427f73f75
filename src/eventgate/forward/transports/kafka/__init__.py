"""Apache Kafka, exactly once: events and the sink's cursor in one transaction.

Touches the network through aiokafka, which no other room imports.
"""

from eventgate.forward.transports.kafka.settings import KafkaSettings
from eventgate.forward.transports.kafka.transport import Kafka

__all__ = ["Kafka", "KafkaSettings"]
