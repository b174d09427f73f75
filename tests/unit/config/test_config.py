"""The configuration: what wins over what, what a mistake says, and that the documented file is the truth."""

import re
import tomllib
from pathlib import Path

import pytest

from eventgate.config import Configuration, TokenIssuer, load
from eventgate.errors import ConfigurationError
from eventgate.query.instants import parse_instant

DOCUMENTED = Path(__file__).parents[3] / "config" / "eventgate.toml"


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CONFIG", "SECRETS", "DATA"):
        monkeypatch.delenv(f"EVENTGATE_{name}", raising=False)


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "eventgate.toml"
    path.write_text(text)
    return path


def test_nothing_said_is_complete() -> None:
    assert load().http.base_url == "http://127.0.0.1:8080"


def test_a_file_with_only_sinks_is_complete(tmp_path: Path) -> None:
    text = '[[sinks]]\nname = "k"\ntransport = "kafka"\nbrokers = ["127.0.0.1:9092"]\nfilter = ["severity·>·5"]\n'
    sink = load(_file(tmp_path, text)).sinks[0]
    assert (sink.name, sink.filter, sink.options) == ("k", ("severity·>·5",), {"brokers": ["127.0.0.1:9092"]})


@pytest.mark.parametrize(
    "written",
    ["'2026-11-20 14:00:30.5'", "2026-11-20 14:00:30.5", "2026-11-20T14:00:30.500Z", "2026-11-20 15:00:30.5+01:00"],
)
def test_a_sink_begins_at_a_moment_with_quotes_or_without(tmp_path: Path, written: str) -> None:
    told = load(_file(tmp_path, f"[[sinks]]\nname='k'\ntransport='file'\nbegin = {written}\n")).sinks[0].begin
    moment = parse_instant(told)
    assert moment, told
    assert moment.start == 1_795_183_230_500


def test_the_order_of_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = _file(tmp_path, "[http]\nport = 1001\nworkers = 5\n[metrics]\ntoken = 'file'\n[search]\nconnections = 9\n")
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "metrics__token").write_text("secret\n")
    (secrets / "http__port").write_text("1002")
    monkeypatch.setenv("EVENTGATE_SECRETS", str(secrets))
    monkeypatch.setenv("EVENTGATE_HTTP__PORT", "1003")
    monkeypatch.setenv("EVENTGATE_CONFIG", str(path))
    assert load().http.port == 1003
    assert load(told={"http": {"port": 1004}}).http.port == 1004
    found = load()
    assert (found.metrics.token, found.http.workers, found.search.connections) == ("secret", 5, 9)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[http]\nport = 'x'", "http.port: expected a valid integer"),
        ("[http]\nprot = 80", "http.prot: there is no such key; did you mean port?"),
        ("[htpp]\nport = 80", "htpp: there is no such key; did you mean http?"),
        ("[http]\nport = 0", "http.port: expected greater than or equal to 1, found 0"),
        ("[http\n", "the file: expected TOML: "),
        ("[http]\nhost = '0.0.0.0'", "plain_text_on_network = true to insist"),
        ("[http]\nhost = 'gate'", "http.host: 'gate' does not appear to be an IPv4 or IPv6 address"),
        ("[http]\nkey_file = 'k'", "certificate_file and key_file belong together"),
        ("[mail]\nhost = 'mail.example'", "a host needs a sender"),
        ("[mail]\nhost = 'm'\nsender = 'e@m'\nusername = 'e'", "username and password belong together"),
        ("[mail]\nhost = 'm'\nsender = 'e@m'\nusername = 'e'\npassword = 'p'\ntls = 'none'", "the password readable"),
        ("[[oauth2.issuers]]\nurl='http://login.example'\naudiences=['a']\ncompany='c'", "oauth2.issuers.0.url"),
        ("[[oauth2.issuers]]\nurl='https://login.example'\naudiences=['a']", "either company"),
        ("[[oauth2.issuers]]\nurl='https://login.example'\naudiences=[]\ncompany='c'", "oauth2.issuers.0.audiences"),
        ("[[sinks]]\ntransport = 'file'", "sinks.0.name: expected a value, found none"),
        (
            "[[sinks]]\nname='a'\ntransport='x'\n[[sinks]]\nname='soc'\ntransport='x'\ncompany='Acme'",
            "sinks.soc.company: expected an id, as in 0199c1f0-0000-7000-8000-000000000000, found 'Acme'",
        ),
        ("[[sinks]]\nname='soc'", "sinks.soc.transport: expected a value, found none"),
        ("[[sinks]]\nname='A b'\ntransport='x'", "sinks.0.name: expected at most 63 of a to z, 0 to 9 and dashes"),
        ("[[sinks]]\nname='a'\ntransport='x'\nfilter='kind·=·alert'", "expected a list, found 'kind·=·alert'"),
        ("[http]\npublic_url = 'gate/'", "http.public_url: expected an address without a slash at its end"),
        ("[mail]\nsender = 'gate'", "mail.sender: expected an address of mail, as in eventgate@example.org"),
        ("[[sinks]]\nname=7\ntransport='x'\ncompany=8", "sinks.0.company: "),
        ("[[sinks]]\nname='a'\ntransport='x'\n[[sinks]]\nname='a'\ntransport='x'", "two sinks are called 'a'"),
    ],
)
def test_a_mistake_names_file_key_and_what_was_expected(tmp_path: Path, text: str, said: str) -> None:
    path = _file(tmp_path, text)
    with pytest.raises(ConfigurationError) as raised:
        load(path)
    assert str(path) in str(raised.value)
    assert said in str(raised.value)


def test_all_mistakes_are_told_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTGATE_HTTP__WORKERS", "many")
    with pytest.raises(ConfigurationError) as raised:
        load(_file(tmp_path, "[http]\nport = 0\n[log]\nlevel = 'loud'"))
    assert sorted(problem.pointer for problem in raised.value.problems) == [
        "EVENTGATE_HTTP__WORKERS",
        "http.port",
        "log.level",
    ]


def test_a_variable_of_no_section_is_no_silent_slip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EVENTGATE_HTPP__PORT", "80")
    with pytest.raises(ConfigurationError, match="EVENTGATE_HTPP__PORT: no such section"):
        load()


def test_a_secret_is_never_repeated(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load(_file(tmp_path, "[database]\nurl = 'mysql://me:hunter2@db'"))
    assert "hunter2" not in str(raised.value)
    assert "hunter2" not in repr(load(told={"database": {"url": "postgresql://me:hunter2@db/x"}}))


@pytest.mark.parametrize(
    "way", ["certificate_file='c'\nkey_file='k'", "trusted_proxies=['10.0.0.0/8']", "plain_text_on_network=true"]
)
def test_the_network_is_reached_when_guarded_or_said_twice(tmp_path: Path, way: str) -> None:
    assert load(_file(tmp_path, f"[http]\nhost = '0.0.0.0'\n{way}")).http.host == "0.0.0.0"


def test_it_travels_to_a_child_whole(tmp_path: Path) -> None:
    found = load(_file(tmp_path, "[metrics]\ntoken='t'\n[[sinks]]\nname='a'\ntransport='file'\npath='p'"))
    assert Configuration.model_validate_json(found.model_dump_json()) == found


def test_the_documented_file_names_every_key_with_its_default() -> None:
    text = DOCUMENTED.read_text()
    assert load(DOCUMENTED) == load()
    told = tomllib.loads(
        "\n".join(re.sub(r"^# (?=[a-z_]+ = )", "", line) for line in text.split("\n# [[sinks]]")[0].splitlines())
    )
    examples = {"certificate_file", "key_file", "trusted_proxies", "workers", "settings", "ca_file"}
    for name, field in Configuration.model_fields.items():
        if name in {"data", "oauth2", "sinks"}:
            continue
        defaults = field.default.model_dump()
        assert set(told[name]) == set(defaults), f"[{name}] documents other keys than there are"
        for key in set(defaults) - examples:
            assert told[name][key] == defaults[key], f"[{name}] {key}"
    assert Path(told["data"]) == Configuration().data


def test_the_documented_issuer_names_every_key_with_its_default() -> None:
    example = DOCUMENTED.read_text().split("# [[oauth2.issuers]]\n")[1]
    told = tomllib.loads("\n".join(line.removeprefix("# ") for line in example.splitlines()))
    assert set(told) == set(TokenIssuer.model_fields)
    defaults = TokenIssuer(url="https://login.example", audiences=("a",), company="c").model_dump(mode="json")
    for key in set(told) - {"url", "audiences", "scopes", "company", "ca_file", "certificate_file", "key_file"}:
        assert told[key] == defaults[key], key
