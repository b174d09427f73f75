"""Fixtures of the real services: each test module starts what it uses, once, below pytest's own directory."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.certificates import Certificates
from tests.services.http_receivers import WEBHOOK_SECRET, EventCollector, WebhookReceiver
from tests.services.issuer import Issuer
from tests.services.kafka import Kafka
from tests.services.opensearch import OpenSearch
from tests.services.rsyslog import Rsyslog
from tests.services.syslogng import SyslogNg


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return Certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture
def rsyslog(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Rsyslog]:
    """A fresh rsyslog, running, with nothing received yet."""
    with Rsyslog(tmp_path_factory.mktemp("rsyslog"), certificates) as daemon:
        yield daemon


@pytest.fixture
def syslogng(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[SyslogNg]:
    """A fresh syslog-ng, running, with nothing received yet."""
    with SyslogNg(tmp_path_factory.mktemp("syslog-ng"), certificates) as daemon:
        yield daemon


@pytest.fixture(scope="session")
def _issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Issuer]:
    with Issuer(tmp_path_factory.mktemp("issuer")) as daemon:
        yield daemon


@pytest.fixture
def issuer(_issuer: Issuer) -> Issuer:
    """The run's one token issuer, running, as if new."""
    if not _issuer.running:
        _issuer.start()
    _issuer.reset()
    return _issuer


@pytest.fixture(scope="session")
def _broker(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Kafka]:
    with Kafka(tmp_path_factory.mktemp("kafka"), certificates) as broker:
        yield broker


@pytest.fixture
def kafka(_broker: Kafka) -> Kafka:
    """The run's one broker, running. It keeps the topics of earlier tests; each test makes its own."""
    if not _broker.running:
        _broker.start()
    return _broker


@pytest.fixture
def collector(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EventCollector]:
    """A fresh event collector, running, with nothing received yet."""
    with EventCollector(tmp_path_factory.mktemp("hec")) as daemon:
        yield daemon


@pytest.fixture
def hooked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebhookReceiver]:
    """A fresh receiver of webhooks, running, with nothing received yet."""
    with WebhookReceiver(tmp_path_factory.mktemp("webhook")) as daemon:
        yield daemon


@pytest.fixture
def webhook_secret(tmp_path: Path) -> Path:
    """The file of the secret that ``hooked`` checks with."""
    file = tmp_path / "webhook-secret"
    file.write_text(f"{WEBHOOK_SECRET}\n")
    return file


@pytest.fixture(scope="session")
def _cluster_of_one(public_directory: Path) -> Iterator[OpenSearch]:
    with OpenSearch(public_directory) as daemon:
        yield daemon


@pytest.fixture
def opensearch(_cluster_of_one: OpenSearch) -> OpenSearch:
    """The run's one OpenSearch, running. It keeps the indices of earlier tests; each test makes its own."""
    if not _cluster_of_one.running:
        _cluster_of_one.start()
    return _cluster_of_one
