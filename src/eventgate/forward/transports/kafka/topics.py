"""The sink's topic: looked for, or created as configured.

Touches the network through the library's admin client.
"""

from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import NoError, TopicAlreadyExistsError, for_code

from eventgate.forward.transports.kafka.settings import KafkaSettings


async def reach(settings: KafkaSettings, connection: dict[str, Any]) -> None:
    """Ask the cluster about the topic, change nothing. An absent topic is well. Raises the library's errors."""
    admin = AIOKafkaAdminClient(**connection)
    try:
        await admin.start()
        await admin.describe_topics([settings.topic])
    finally:
        await admin.close()


async def ensure_topic(settings: KafkaSettings, connection: dict[str, Any]) -> None:
    """Create the topic where it is absent. Raises the library's errors."""
    admin = AIOKafkaAdminClient(**connection)
    try:
        await admin.start()
        (found,) = await admin.describe_topics([settings.topic])
        if for_code(found["error_code"]) is NoError:
            return
        brokers = len((await admin.describe_cluster())["brokers"])
        replication = settings.replication or min(3, brokers)
        answer = await admin.create_topics([NewTopic(settings.topic, settings.partitions, replication)])
        for _, code, message in answer.topic_errors:
            error = for_code(code)
            if error not in (NoError, TopicAlreadyExistsError):
                raise error(f"topic {settings.topic} is absent and cannot be created: {message}")
    finally:
        await admin.close()
