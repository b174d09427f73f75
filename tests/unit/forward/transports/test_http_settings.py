"""The keys of sinks over HTTP: mistakes are named, secrets are read from their files and never shown."""

from pathlib import Path

import pytest

from eventgate.errors import ConfigurationError
from eventgate.forward.plan import Plan, plan
from eventgate.sinks.definition import SinkDefinition

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://siem.example:8088"


def planned(transport: str, format_: str = "json", **options: object) -> Plan:
    return plan(SinkDefinition("siem", transport, format_, options={"url": URL, **options}), "gate.toml")


def mistakes(transport: str, format_: str = "json", **options: object) -> str:
    with pytest.raises(ConfigurationError) as caught:
        planned(transport, format_, **options)
    return str(caught.value)


@pytest.fixture
def secret_file(tmp_path: Path) -> Path:
    file = tmp_path / "secret"
    file.write_text(f"{SECRET}\n")
    return file


@pytest.mark.parametrize(
    "url",
    [
        "siem.example",
        "ftp://siem.example",
        "https://",
        "https://user:pw@siem",
        "https://a b",
        "https://s:99999",
        "https://s#x",
    ],
)
@pytest.mark.parametrize("key", ["url", "proxy"])
def test_an_address_is_http_with_a_host_and_nothing_secret(url: str, key: str) -> None:
    assert f"sinks.siem.{key}" in mistakes("hec", token="t", **{key: url})


@pytest.mark.parametrize("transport", ["hec", "bulk"])
def test_paths_of_the_protocol_are_not_for_the_address(transport: str) -> None:
    options = {"token": "t"} if transport == "hec" else {}
    assert "query" in mistakes(transport, **options, url=f"{URL}/?a=b")
    assert "before /services/collector" in mistakes("hec", token="t", url=f"{URL}/services/collector/event")


def test_one_token_and_it_is_one_word(secret_file: Path) -> None:
    assert "one of token and token_file" in mistakes("hec")
    assert "one of token and token_file" in mistakes("hec", token="t", token_file=secret_file)
    told = mistakes("hec", token="hush\nX-Injected: 1")
    assert "one word" in told
    assert "hush" not in told


def test_credentials_of_a_cluster_do_not_mix(secret_file: Path) -> None:
    planned("bulk")
    planned("bulk", username="gate", password_file=secret_file)
    assert "at most one" in mistakes("bulk", api_key="a", password="b", username="c")
    assert "username belongs with" in mistakes("bulk", username="gate")
    assert "username belongs with" in mistakes("bulk", password="b")
    assert "lower case" in mistakes("bulk", index="Upper")


@pytest.mark.parametrize(
    ("transport", "key"), [("hec", "token_file"), ("bulk", "api_key_file"), ("webhook", "secret_file")]
)
def test_a_file_that_is_not_there_or_holds_something_else_is_named(transport: str, key: str, tmp_path: Path) -> None:
    assert f"sinks.siem.{key}: expected a readable file" in mistakes(transport, **{key: tmp_path / "none"})
    (tmp_path / "odd").write_text("whsec_hush hush hush")
    told = mistakes(transport, **{key: tmp_path / "odd"})
    assert f"sinks.siem.{key}" in told
    assert "hush" not in told
    (tmp_path / "odd").write_bytes(b"\xff\xfe")
    assert "expected text" in mistakes(transport, **{key: tmp_path / "odd"})


def test_documents_are_json(secret_file: Path) -> None:
    assert "sinks.siem.format" in mistakes("bulk", "rfc5424")
    planned("webhook", "rfc5424", secret_file=secret_file)
    planned("hec", "rfc5424", token="t")


def test_what_a_collectors_sink_promises_hangs_on_its_acknowledgement() -> None:
    assert planned("hec", token="t").guarantee == "confirmed"
    assert planned("hec", token="t", acknowledge=False).guarantee == "written"


@pytest.mark.parametrize(
    ("transport", "options", "said"),
    [
        ("hec", {"token": "hush"}, "the token"),
        ("bulk", {"api_key": "hush"}, "the api_key"),
        ("bulk", {"username": "u", "password": "hush"}, "the password"),
        ("bulk", {}, None),
    ],
)
def test_a_secret_that_the_network_can_read_is_remarked(
    transport: str, options: dict[str, str], said: str | None
) -> None:
    open_ = planned(transport, url="http://siem.example:8088/path", **options).remarks
    if said is None:
        assert open_ == []
    else:
        (told,) = open_
        assert told.startswith("sinks.siem.url: over http, ")
        assert said in told
        assert "hush" not in told
        assert "path" not in told
    assert planned(transport, **options).remarks == []
    here = planned(transport, url="http://127.0.0.1:8088", private_addresses=True, **options)
    assert here.remarks == []


def test_a_secret_in_a_file_is_remarked_too_and_a_proxy_is_no_loopback(secret_file: Path) -> None:
    (told,) = planned("hec", url="http://siem.example", token_file=secret_file).remarks
    assert "read the token;" in told
    (told,) = planned("hec", url="http://localhost", token="t", proxy="http://proxy.example:3128").remarks
    assert "read the token;" in told


def test_a_webhook_s_secret_never_travels(secret_file: Path) -> None:
    assert planned("webhook", url="http://siem.example/", secret_file=secret_file).remarks == []


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("https://127.0.0.1:8088", "set private_addresses = true"),
        ("https://localhost:8088", "set private_addresses = true"),
        ("https://10.0.0.1", "set private_addresses = true"),
        ("https://[fd00::1]:9200", "set private_addresses = true"),
        ("https://169.254.169.254", "never reached"),
    ],
)
def test_an_address_that_is_never_dialled_is_remarked(url: str, said: str) -> None:
    (told,) = planned("bulk", url=url).remarks
    assert told.startswith("sinks.siem.url: nothing can be delivered there: ")
    assert said in told
    allowed = planned("bulk", url=url, private_addresses=True).remarks
    assert bool(allowed) == ("169.254" in url)


def test_what_a_name_resolves_to_nobody_knows() -> None:
    assert planned("bulk", url="https://siem.internal").remarks == []
    assert planned("bulk", url="https://8.8.8.8").remarks == []
