"""``eventgate check`` and what `serve` says of a configuration it cannot use."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.services.ports import free_port

_FILE = """
[[sinks]]
name = "to-file"
transport = "file"
path = "{directory}/out.ndjson"
filter = ["severity·>·5"]

[[sinks]]
name = "to-syslog"
transport = "relp"
format = "rfc5424"
address = "127.0.0.1:{port}"
"""


def _check(path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "eventgate", "check", "--config", str(path), *arguments]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "eventgate.toml"
    path.write_text(_FILE.format(directory=tmp_path, port=free_port()))
    return path


def test_a_right_configuration_says_what_each_sink_promises(config: Path) -> None:
    done = _check(config)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "to-file: file, confirmed",
        "to-syslog: relp, confirmed",
        "The configuration is right.",
    ]


def test_of_a_datagrams_receiver_it_promises_nothing(config: Path) -> None:
    config.write_text(f'[[sinks]]\nname = "out"\ntransport = "udp"\naddress = "127.0.0.1:{free_port()}"\n')
    done = _check(config, "--connect")
    assert done.returncode == 0
    assert "out: udp, best effort, has an address; UDP does not say whether anybody listens" in done.stdout


def test_what_is_hardly_meant_is_remarked_and_refused_nowhere(config: Path) -> None:
    config.write_text('[[sinks]]\nname = "out"\ntransport = "hec"\nurl = "http://10.0.0.1:8088"\ntoken = "hush"\n')
    done = _check(config)
    assert done.returncode == 0
    assert done.stdout.endswith("The configuration is right.\n")
    open_, unreachable = done.stderr.splitlines()
    assert open_.startswith("Remark: sinks.out.url: over http, ")
    assert unreachable.startswith("Remark: sinks.out.url: nothing can be delivered there: 10.0.0.1 is private")
    assert "hush" not in done.stderr


def test_connect_tries_every_sink(config: Path) -> None:
    done = _check(config, "--connect")
    assert done.returncode == 1
    assert "to-file: file, confirmed, answers" in done.stdout
    assert "cannot reach: to-syslog" in done.stderr
    assert not (config.parent / "out.ndjson").exists(), "a check leaves nothing behind"


@pytest.mark.parametrize(
    ("right", "wrong", "key"),
    [
        ('transport = "relp"', 'transport = "smoke"', "sinks.to-syslog.transport"),
        ('address = "127', 'adress = "127', "sinks.to-syslog.adress"),
        ("severity·>·5", "severity·>·much", "sinks.to-file.filter[0]"),
        ('format = "rfc5424"', 'format = "morse"', "sinks.to-syslog.format"),
    ],
)
def test_a_mistake_names_the_file_and_the_key(config: Path, right: str, wrong: str, key: str) -> None:
    config.write_text(config.read_text().replace(right, wrong))
    done = _check(config)
    assert done.returncode == 1
    assert f"{config}: {key}: " in done.stderr


def test_serve_refuses_before_it_makes_anything(config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text().replace('transport = "relp"', 'transport = "smoke"'))
    command = [sys.executable, "-m", "eventgate", "serve", "--config", str(config), "--data", str(tmp_path / "data")]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 1
    assert "transport: expected one of" in done.stderr
    assert not (tmp_path / "data").exists()
