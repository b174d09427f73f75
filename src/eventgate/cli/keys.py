"""``eventgate keys``: API keys, listed, made, changed, deleted.

Touches EventGate over HTTP and the terminal. What makes signing keys stands in ``cli/verify_keys.py``.
"""

from typing import Annotated, Any

import typer

from eventgate.cli import terminal, verify_keys
from eventgate.cli.gate import everything, segment
from eventgate.cli.options import AsJson, Find, asks

_KeyId = Annotated[
    str, typer.Argument(metavar="KEY-ID", help="The id of an API key, as `eventgate keys list` shows it.")
]
_Description = Annotated[str | None, typer.Option("--description", "-m", help="For people: what the key is for.")]
_Scopes = Annotated[
    list[str] | None, typer.Option("--scope", "-s", help="What it may do, alerts:read say. Repeat it for several.")
]
_From = Annotated[
    list[str] | None,
    typer.Option("--from", help="An address or CIDR block it may be used from. Repeat it for several."),
]
_Sensor = Annotated[str | None, typer.Option("--sensor", help="The id of the one sensor it writes for.")]
_Expires = Annotated[str | None, typer.Option("--expires", help="When it ends, as 2027-01-31T00:00:00Z.")]
_Rate = Annotated[int | None, typer.Option("--rate", min=1, help="At most so many requests a second.")]
_CLEARED = {
    "description": "description", "from": "whitelistedIPs", "sensor": "edgeId", "expires": "expiresAt",
    "rate": "rateLimit",
}  # fmt: skip

keys = typer.Typer(
    name="keys",
    help="API keys: who may use EventGate for what, and whose signatures count.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@keys.command("list")
@asks
def list_keys(
    find: Find,
    *,
    inactive: Annotated[bool, typer.Option("--inactive", help="Those that were deleted.")] = False,
    user: Annotated[str | None, typer.Option("--user", help="Only those of the user of this id.")] = None,
    as_json: AsJson = False,
) -> None:
    """List API keys, newest first.

    [bold]Examples[/bold]

    eventgate keys list

    eventgate keys list --json | jq -r 'select(.lastUsedAt == null) | .id'
    """
    path = f"/v2/users/{segment(user)}/api-keys" if user else "/keys"
    parameters = [("status", "inactive" if inactive else "active"), ("limit", "100")]
    found = everything(find(), path, parameters)
    if as_json:
        terminal.print_json(*found)
    elif found:
        _table(found)
    else:
        terminal.remark("There is none.")


@keys.command()
@asks
def show(find: Find, key_id: _KeyId, *, as_json: AsJson = False) -> None:
    """Show one API key, and its verify keys.

    [bold]Example[/bold]

    eventgate keys show 0199c1f0-0000-7000-8000-000000000000
    """
    gate = find()
    found = gate.get(f"/keys/{segment(key_id)}")
    if as_json:
        terminal.print_json(found)
    else:
        _members(found)
        verify_keys.table(gate.get(f"/keys/{segment(key_id)}/verify-keys")["data"])


@keys.command()
@asks
def create(
    find: Find,
    *,
    user: Annotated[str | None, typer.Option("--user", help="Whose key it is, by id; your own if left out.")] = None,
    description: _Description = None,
    scopes: _Scopes = None,
    addresses: _From = None,
    sensor: _Sensor = None,
    registers: Annotated[
        bool, typer.Option("--registers", help="Register sensors it writes for at first sight.")
    ] = False,
    expires: _Expires = None,
    rate: _Rate = None,
    as_json: AsJson = False,
) -> None:
    """Make an API key. Its auth key is shown this once, alone on standard output.

    Without --scope it may read what you may read. It is never stronger than you are.

    [bold]Examples[/bold]

    eventgate keys create -m "Grafana" --scope alerts:read --from 192.0.2.0/24

    eventgate keys create -m "Sensor in hall 3" --sensor 0199c1f0-0000-7000-8000-000000000000 --scope events:write
    """
    body = _said(
        userId=user, description=description, scopes=scopes, whitelistedIPs=addresses, edgeId=sensor,
        registersEdges=registers or None, expiresAt=expires, rateLimit=rate,
    )  # fmt: skip
    made = find().post("/keys" if user else "/v2/users/current/api-keys", body)
    if as_json:
        terminal.print_json(made)
        return
    terminal.remark(f"API key {made['id']}: {' '.join(made['scopes']) or 'no scopes'}")
    if "events:write" in made["scopes"]:
        terminal.remark(f"To write it needs a signing key: eventgate keys new-pair {made['id']} sensor.pem")
    terminal.remark("The auth key, which nobody can show you again:")
    print(made["key"])


@keys.command()
@asks
def update(
    find: Find,
    key_id: _KeyId,
    *,
    description: _Description = None,
    scopes: _Scopes = None,
    addresses: _From = None,
    sensor: _Sensor = None,
    registers: Annotated[
        bool | None, typer.Option("--registers/--no-registers", help="Whether it registers sensors at first sight.")
    ] = None,
    expires: _Expires = None,
    rate: _Rate = None,
    api_version: Annotated[
        str | None, typer.Option("--api-version", help="The dated version of the API it is answered in.")
    ] = None,
    clear: Annotated[
        list[str] | None, typer.Option("--clear", help=f"Take away: {', '.join(_CLEARED)}. Repeat it for several.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change an API key; what is not named stays as it is.

    [bold]Examples[/bold]

    eventgate keys update 0199c1f0-0000-7000-8000-000000000000 --from 192.0.2.7 --from 2001:db8::/32

    eventgate keys update 0199c1f0-0000-7000-8000-000000000000 --clear from --api-version 2026-11-26
    """
    if unknown := [name for name in clear or () if name not in _CLEARED]:
        raise ValueError(f"--clear takes {', '.join(_CLEARED)}; this is {unknown[0]}.")
    body = _said(
        description=description, scopes=scopes, whitelistedIPs=addresses, edgeId=sensor, registersEdges=registers,
        expiresAt=expires, rateLimit=rate, apiVersion=api_version,
    ) | {_CLEARED[name]: None for name in clear or ()}  # fmt: skip
    if not body:
        raise ValueError("Say what to change; --help lists what can be.")
    changed = find().put(f"/keys/{segment(key_id)}", body)
    if as_json:
        terminal.print_json(changed)
    else:
        _members(changed)


@keys.command()
@asks
def delete(
    find: Find, key_ids: Annotated[list[str], typer.Argument(metavar="KEY-ID…", help="The ids of the API keys.")]
) -> None:
    """Delete API keys: each is refused within a second, and never works again.

    [bold]Example[/bold]

    eventgate keys delete 0199c1f0-0000-7000-8000-000000000000
    """
    gate = find()
    for key_id in key_ids:
        gate.delete(f"/keys/{segment(key_id)}")
        terminal.remark(f"{key_id} works no more.")


keys.command("new-pair")(verify_keys.new_pair)
keys.add_typer(verify_keys.verify_keys)


def _said(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, [])}


def _table(found: list[dict[str, Any]]) -> None:
    columns = ("Id", "Key", "Last used", "Expires", "For", "May")
    terminal.table(columns, map(_row, found), fold=("For", "May"))


def _row(key: dict[str, Any]) -> list[str]:
    moments = [terminal.local_time(key[name]) if key[name] else "-" for name in ("lastUsedAt", "expiresAt")]
    may = " ".join(key["scopes"]) + (" (one sensor)" if key["edgeId"] else "")
    return [key["id"], key["key"], *moments, key["description"] or "-", may or "-"]


def _members(key: dict[str, Any]) -> None:
    rows = [(terminal.plain(name, "bold"), _written(value)) for name, value in key.items()]
    terminal.table(("Member", "Value"), rows, fold=("Value",), header=False)


def _written(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
