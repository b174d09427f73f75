"""``eventgate keys``: API keys, listed, made, changed, deleted.

Touches EventGate over HTTP and the terminal. What makes signing keys stands in ``cli/verify_keys.py``.
"""

import json
from typing import Annotated, Any

import typer

from eventgate.cli import terminal, verify_keys
from eventgate.cli.gate import HERE, CaFile, Data, Gate, Key, Url, pages, segment

AsJson = Annotated[bool, typer.Option("--json", help="One JSON object a line, whole, for other programs.")]
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
    context_settings={"help_option_names": ["-h", "--help"]},
)


@keys.command("list")
def list_keys(
    *,
    inactive: Annotated[bool, typer.Option("--inactive", help="Those that were deleted.")] = False,
    user: Annotated[str | None, typer.Option("--user", help="Only those of the user of this id.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    data: Data = HERE,
    ca_file: CaFile = None,
) -> None:
    """List API keys, newest first.

    [bold]Examples[/bold]

    eventgate keys list

    eventgate keys list --json | jq -r 'select(.lastUsedAt == null) | .id'
    """
    path = f"/v2/users/{segment(user)}/api-keys" if user else "/keys"
    parameters = [("status", "inactive" if inactive else "active"), ("limit", "100")]
    found = [each for page in pages(Gate.find(url, key, data, ca_file), path, parameters) for each in page["data"]]
    if as_json:
        for each in found:
            print(json.dumps(each))
    elif found:
        _table(found)
    else:
        terminal.err.print("There is none.")


@keys.command()
def show(
    key_id: _KeyId,
    *,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    data: Data = HERE,
    ca_file: CaFile = None,
) -> None:
    """Show one API key, and its verify keys.

    [bold]Example[/bold]

    eventgate keys show 0199c1f0-0000-7000-8000-000000000000
    """
    gate = Gate.find(url, key, data, ca_file)
    found = gate.get(f"/keys/{segment(key_id)}")
    if as_json:
        print(json.dumps(found))
    else:
        _members(found)
        verify_keys.table(gate.get(f"/keys/{segment(key_id)}/verify-keys")["data"])


@keys.command()
def create(
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
    url: Url = None,
    key: Key = None,
    data: Data = HERE,
    ca_file: CaFile = None,
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
    made = Gate.find(url, key, data, ca_file).post("/keys" if user else "/v2/users/current/api-keys", body)
    if as_json:
        print(json.dumps(made))
        return
    terminal.err.print(terminal.plain(f"API key {made['id']}: {' '.join(made['scopes']) or 'no scopes'}"))
    if "events:write" in made["scopes"]:
        terminal.err.print(
            f"To write it needs a signing key: eventgate keys new-pair {made['id']} sensor.pem", markup=False
        )
    terminal.err.print("The auth key, which nobody can show you again:")
    print(made["key"])


@keys.command()
def update(
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
    url: Url = None,
    key: Key = None,
    data: Data = HERE,
    ca_file: CaFile = None,
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
    changed = Gate.find(url, key, data, ca_file).put(f"/keys/{segment(key_id)}", body)
    if as_json:
        print(json.dumps(changed))
    else:
        _members(changed)


@keys.command()
def delete(
    key_ids: Annotated[list[str], typer.Argument(metavar="KEY-ID…", help="The ids of the API keys.")],
    url: Url = None,
    key: Key = None,
    data: Data = HERE,
    ca_file: CaFile = None,
) -> None:
    """Delete API keys: each is refused within a second, and never works again.

    [bold]Example[/bold]

    eventgate keys delete 0199c1f0-0000-7000-8000-000000000000
    """
    gate = Gate.find(url, key, data, ca_file)
    for key_id in key_ids:
        gate.delete(f"/keys/{segment(key_id)}")
        terminal.err.print(terminal.plain(f"{key_id} works no more."))


keys.command("new-pair")(verify_keys.new_pair)
keys.add_typer(verify_keys.verify_keys)


def _said(**members: Any) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, [])}


def _table(found: list[dict[str, Any]]) -> None:
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("Id", "Key", "Last used", "Expires"):
        table.add_column(column, no_wrap=True)
    for column in ("For", "May"):
        table.add_column(column, overflow="fold")
    for key in found:
        moments = (terminal.local_time(key[name]) if key[name] else "-" for name in ("lastUsedAt", "expiresAt"))
        may = " ".join(key["scopes"]) + (" (one sensor)" if key["edgeId"] else "")
        table.add_row(*map(terminal.plain, (key["id"], key["key"], *moments, key["description"] or "-", may or "-")))
    terminal.out.print(table, soft_wrap=False)


def _members(key: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in key.items():
        table.add_row(name, terminal.plain(_written(value)))
    terminal.out.print(table, soft_wrap=False)


def _written(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
