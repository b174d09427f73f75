"""``eventgate where``: the story of one event, from whoever signed it to every receiver.

Touches EventGate over HTTP and the terminal.
"""

from collections.abc import Iterator
from typing import Annotated, Any

import typer

from eventgate.cli import terminal
from eventgate.cli.gate import segment
from eventgate.cli.options import AsJson, Find, asks

_STYLES = {"delivered": "green", "filtered": "dim", "pending": "yellow", "dead": "bold red", "before": "dim"}
_PLACES = {"topic", "partition", "offset"}
_ORDER = {name: number for number, name in enumerate(("path", "from", "to", "status", "transaction"))}


@asks
def where(
    find: Find,
    event: Annotated[str, typer.Argument(metavar="ID", help="The event's id.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Tell where an event is: who signed it, when it was committed, and what became of it at every sink.

    Of a delivery it tells what the receiver said: Kafka's partition and offset, RELP's transaction, a file's bytes.

    [bold]Examples[/bold]

    eventgate where 0199b0a4-7d3c-7a50-8000-0123456789ab

    eventgate where 0199b0a4-7d3c-7a50-8000-0123456789ab --json | jq '.sinks[] | {name, fate}'
    """
    told = find().get(f"/v2/events/{segment(event)}/custody")
    if as_json:
        terminal.print_json(told)
    else:
        _show(told)


def _show(told: dict[str, Any]) -> None:
    rows = [
        (place, terminal.plain(fate, _STYLES.get(fate, "")), terminal.local_time(at) if at else "", detail)
        for place, fate, at, detail in story(told)
    ]
    terminal.table(("Where", "Fate", "At", "Detail"), rows, fold=("Detail",), header=False)


def story(told: dict[str, Any]) -> Iterator[tuple[str, str, str | None, str]]:
    """The story in lines: where, what happened, when, and the details."""
    signed, committed = told["signedBy"], told["committed"]
    sensor = told["serial"] or told["edgeId"]
    yield "sensor", told["kind"], told["timestamp"], " ".join(filter(None, [told["alertCode"], "of", sensor]))
    if signed["keyId"]:
        yield "", "signed", None, f"key {signed['keyId']}, verify key {signed['verifyKeyId']}"
    yield "gate", "received", told["receivedAt"], f"content {signed['contentDigest'][:16]}…"
    place = f"position {committed['position']}.{committed['index']}, digest {committed['digest'][:16]}…"
    yield "journal", "committed", committed["at"], place
    for sink in told["sinks"]:
        yield from _at_sink(sink)


def _at_sink(sink: dict[str, Any]) -> Iterator[tuple[str, str, str | None, str]]:
    """A line for each delivery and each death, in the order of time; one for the fate where there are none."""
    happened = [(each["at"], "delivered", _delivery(each)) for each in sink["deliveries"]]
    happened += [(each["at"], "dead", _death(each)) for each in sink["deaths"]]
    name = sink["name"] if sink["configured"] else f"{sink['name']}, removed"
    for at, fate, detail in sorted(happened):
        yield name, fate, at, detail
        name = ""
    if not happened:
        yield name, sink["fate"], None, sink["detail"]
    if sink["comesAgain"]:
        yield "", "pending", None, "A replay is on its way to it."


def _delivery(delivery: dict[str, Any]) -> str:
    return ", ".join(filter(None, [told_receipt(delivery["receipt"]), _again(delivery)]))


def _again(delivery: dict[str, Any]) -> str:
    return f"again, in generation {delivery['generation']}" if delivery["lane"] == "replay" else ""


def told_receipt(receipt: dict[str, Any]) -> str:
    """What the receiver said; a place in Kafka as its tools write it."""
    names = sorted(receipt.keys() - _PLACES, key=lambda name: (_ORDER.get(name, len(_ORDER)), name))
    rest = [f"{name} {receipt[name]}" for name in names]
    if "offset" in receipt:
        return ", ".join([f"{receipt['topic']}-{receipt['partition']} offset {receipt['offset']}", *rest])
    return ", ".join([*([f"topic {receipt['topic']}"] if "topic" in receipt else []), *rest])


def _death(death: dict[str, Any]) -> str:
    again = f"; brought again in generation {death['redrivenIn']}" if death["redrivenIn"] else ""
    return f"{death['reason']}{again}"
