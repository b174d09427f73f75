"""``eventgate companies``: who shares this EventGate; made, changed and retired by its operator.

Touches EventGate over HTTP and the terminal.
"""

import json
from typing import Annotated, Any

import typer

from eventgate.cli import terminal
from eventgate.cli.gate import HERE, CaFile, Data, Gate, Key, Url, pages, segment

_PATH = "/v2/companies"
_PAGE = "100"

companies = typer.Typer(
    name="companies",
    help="List, make, change and retire companies: those who share this EventGate and see nothing of one another.",
    epilog="For the operator of this EventGate alone: the first start's admin key is one.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Id = Annotated[str, typer.Argument(help="The company's id; `eventgate companies list` shows it.", metavar="ID")]
AsJson = Annotated[bool, typer.Option("--json", help="JSON, whole, for other programs.")]
Limit = Annotated[int | None, typer.Option("--rate-limit", min=1, help="Requests a second, all its keys together.")]


@companies.command("list")
def show(
    *,
    status: Annotated[str | None, typer.Option(help="Only those that are active, or retired.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    data: Data = HERE,
    ca_file: CaFile = None,
) -> None:
    """Show every company, newest first.

    [bold]Examples[/bold]

    eventgate companies list

    eventgate companies list --status active --json | jq -r .name
    """
    gate = Gate.find(url, key, data, ca_file)
    asked = [("limit", _PAGE), *([("status", status)] if status else [])]
    for page in pages(gate, _PATH, asked):
        if as_json:
            for company in page["data"]:
                print(json.dumps(company))
        else:
            _table(page["data"])


@companies.command("create")
def create(
    *,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    login: Annotated[
        str | None, typer.Option("--admin-login", help="What its first admin signs in with; by default the address.")
    ] = None,
    email: Annotated[
        str | None, typer.Option("--admin-email", help="Where its first admin's invitation is sent.")
    ] = None,
    admin_name: Annotated[str | None, typer.Option("--admin-name", help="Its first admin's name.")] = None,
    rate_limit: Limit = None,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    data: Data = HERE,
    ca_file: CaFile = None,
) -> None:
    """Make a company, and invite its first admin by a link that works once.

    The link is sent where EventGate has a mail server and the admin an address. Otherwise it is shown here, once.

    [bold]Examples[/bold]

    eventgate companies create "Harbour Ltd" --admin-email ada@harbour.example

    eventgate companies create Quayside --admin-login quay --rate-limit 200
    """
    said = {"login": login, "email": email, "name": admin_name}
    admin = {member: text for member, text in said.items() if text is not None}
    if not admin.keys() & {"login", "email"}:
        raise ValueError("Say who is invited to run the company: --admin-email, or --admin-login.")
    wanted = {"name": name, "rateLimit": rate_limit, "admin": admin}
    made = Gate.find(url, key, data, ca_file).post(_PATH, wanted)
    if as_json:
        print(json.dumps(made))
        return
    link = made["admin"]["link"]
    terminal.out.print(
        terminal.plain(f"{made['name']} is company {made['id']}; its admin is {made['admin']['login']}.")
    )
    if link["url"] is None:
        terminal.out.print(terminal.plain(f"The invitation to {made['admin']['email']}: {link['delivery']}."))
        return
    terminal.out.print("Pass this link on. It works once, and is not shown again:")
    terminal.out.print(terminal.plain(link["url"]))


@companies.command("update")
def update(
    *,
    company: Id,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    rate_limit: Limit = None,
    no_rate_limit: Annotated[bool, typer.Option("--no-rate-limit", help="Any number of requests a second.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    key: Key = None,
    data: Data = HERE,
    ca_file: CaFile = None,
) -> None:
    """Change a company's name or rate limit, which is felt within a second.

    [bold]Examples[/bold]

    eventgate companies update 0199… --rate-limit 500

    eventgate companies update 0199… --name "Harbour & Sons" --no-rate-limit
    """
    if rate_limit is not None and no_rate_limit:
        raise ValueError("Say --rate-limit or --no-rate-limit, not both.")
    changes: dict[str, Any] = {} if name is None else {"name": name}
    if rate_limit is not None or no_rate_limit:
        changes["rateLimit"] = rate_limit
    if not changes:
        raise ValueError("Say what to change: --name, --rate-limit or --no-rate-limit.")
    changed = Gate.find(url, key, data, ca_file).patch(f"{_PATH}/{segment(company)}", changes)
    if as_json:
        print(json.dumps(changed))
    else:
        _table([changed])


@companies.command("retire")
def retire(
    *,
    company: Id,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it is meant.")] = False,
    url: Url = None,
    key: Key = None,
    data: Data = HERE,
    ca_file: CaFile = None,
) -> None:
    """Retire a company, for good: nobody of it is let in from then on, with whatever credential.

    Its events stay until their retention ends, and its sinks deliver what was stored until then.

    [bold]Examples[/bold]

    eventgate companies retire 0199…

    eventgate companies retire 0199… --yes
    """
    gate, path = Gate.find(url, key, data, ca_file), f"{_PATH}/{segment(company)}"
    name = terminal.defused(gate.get(path)["name"])
    if not yes:
        typer.confirm(
            f"Retire {name}? Its keys, sessions and tokens stop working, and this cannot be undone", abort=True
        )
    gate.delete(path)
    terminal.out.print(terminal.plain(f"{name} is retired."))


def _table(found: list[dict[str, Any]]) -> None:
    from rich.table import Table

    if not found:
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("Id", "Name", "Status", "Requests a second", "Since"):
        table.add_column(column, no_wrap=column != "Name", overflow="fold")
    for company in found:
        status = terminal.plain(company["status"])
        status.stylize("" if company["status"] == "active" else "dim")
        limit = company["rateLimit"]
        table.add_row(
            terminal.plain(company["id"]),
            terminal.plain(company["name"]),
            status,
            terminal.plain("any" if limit is None else f"{limit:,}"),
            terminal.plain(terminal.local_time(company["retiredAt"] or company["createdAt"])),
        )
    terminal.out.print(table, soft_wrap=False)
