from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from eventgate.errors import ConfigurationError
from eventgate.forward.transports.kafka import KafkaSettings

LEAST = {"brokers": ["kafka-1.example:9092", "[::1]:9093"], "topic": "events"}
SASL = {"sasl_mechanism": "SCRAM-SHA-512", "username": "gate", "password": "x"}


def test_brokers_and_topic_are_enough() -> None:
    told = KafkaSettings(**LEAST).connection()
    assert told["bootstrap_servers"] == ["kafka-1.example:9092", "[::1]:9093"]
    assert told["security_protocol"] == "PLAINTEXT"
    assert KafkaSettings(**LEAST).compression == "zstd"


@pytest.mark.parametrize(
    ("more", "protocol"),
    [({}, "PLAINTEXT"), ({"tls": True}, "SSL"), (SASL, "SASL_PLAINTEXT"), (SASL | {"tls": True}, "SASL_SSL")],
)
def test_the_protocol_follows_from_the_keys(more: dict[str, Any], protocol: str) -> None:
    assert KafkaSettings(**LEAST, **more).connection()["security_protocol"] == protocol


def test_the_password_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("open sesame\n")
    settings = KafkaSettings(**LEAST, **SASL | {"password": None, "password_file": tmp_path / "password"})
    assert settings.connection()["sasl_plain_password"] == "open sesame"
    with pytest.raises(ConfigurationError, match="password_file"):
        settings.model_copy(update={"password_file": tmp_path / "absent"}).connection()


def test_a_password_is_never_shown() -> None:
    assert "open sesame" not in repr(KafkaSettings(**LEAST, **SASL | {"password": "open sesame"}))
    with pytest.raises(ValidationError) as failure:
        KafkaSettings(**LEAST, password="open sesame")
    assert "open sesame" not in str(failure.value)


@pytest.mark.parametrize(
    ("keys", "word"),
    [
        ({"brokers": []}, "brokers"),
        ({"brokers": ["kafka"]}, "brokers"),
        ({"topic": "white space"}, "topic"),
        ({"partitions": 0}, "partitions"),
        ({"compression": "brotli"}, "compression"),
        ({"ca_file": "ca.pem"}, "tls = true"),
        ({"tls": True, "certificate_file": "c.pem"}, "key_file"),
        ({"tls": True, "server_name": "kafka"}, "server_name"),
        ({"username": "gate"}, "sasl_mechanism"),
        ({"sasl_mechanism": "PLAIN"}, "username"),
        ({"sasl_mechanism": "PLAIN", "username": "gate"}, "password"),
        (SASL | {"password_file": "p"}, "password_file"),
        ({"acks": "0"}, "acks"),
    ],
)
def test_a_mistake_is_named(keys: dict[str, Any], word: str) -> None:
    with pytest.raises(ValidationError, match=word):
        KafkaSettings(**LEAST | keys)


def test_a_password_that_the_network_can_read_is_remarked() -> None:
    (remark,) = KafkaSettings(**LEAST, **SASL).remarks()
    assert remark.key == "tls"
    assert "guess at the password" in remark.sentence
    (remark,) = KafkaSettings(**LEAST, **SASL | {"sasl_mechanism": "PLAIN"}).remarks()
    assert "read the password" in remark.sentence
    here = {**LEAST, "brokers": ["localhost:9092", "[::1]:9093"]}
    for fine in (LEAST, LEAST | SASL | {"tls": True}, here | SASL):
        assert not list(KafkaSettings(**fine).remarks())
