"""What a reload would do: which sinks move, and what must wait for a restart."""

from eventgate.app.reload import fingerprints, members_of, restart_keys, sink_moves, what_needs_a_restart
from eventgate.app.sinks import definitions
from eventgate.config import Configuration


def configured(**paths: str) -> Configuration:
    sinks = [{"name": name, "transport": "file", "path": path} for name, path in paths.items()]
    return Configuration.model_validate({"sinks": sinks})


def test_sinks_come_change_go_and_stay() -> None:
    moves = sink_moves(members_of(configured(a="1", b="1", c="1")), definitions(configured(b="2", c="1", d="1")))
    assert moves == (["d"], {"b": ["path"]}, ["a"], ["c"])
    assert moves.any


def test_another_order_is_no_difference() -> None:
    moves = sink_moves(members_of(configured(a="1", b="1")), definitions(configured(b="1", a="1")))
    assert not moves.any
    assert moves.unchanged == ["b", "a"]


def test_another_name_is_another_sink() -> None:
    moves = sink_moves(members_of(configured(old="1")), definitions(configured(new="1")))
    assert (moves.added, moves.removed) == (["new"], ["old"])


def test_keys_that_only_a_start_reads_are_named_and_sinks_are_none_of_them() -> None:
    before = Configuration()
    after = Configuration.model_validate({"http": {"port": 9, "workers": 3}, "metrics": {"token": "hush-hush"}})
    after = after.model_copy(update={"sinks": configured(a="1").sinks, "http": after.http})
    before = before.model_copy(update={"http": before.http.model_copy(update={"workers": 3})})
    assert what_needs_a_restart(before, after) == ["http.port", "metrics.token"]
    prints = fingerprints(before)
    assert restart_keys(prints, after) == ["http.port", "metrics.token"]
    assert restart_keys(prints, before) == []
    assert "hush-hush" not in str(fingerprints(after))
