"""``eventgate companies``: who shares this EventGate; made, changed and retired by its operator.

Touches EventGate over HTTP and the terminal.
"""

from typing import Annotated, Any

import typer

from eventgate.cli import terminal
from eventgate.cli.gate import pages, segment
from eventgate.cli.options import AsJson, Find, asks

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
RateLimit = Annotated[int | None, typer.Option("--rate-limit", min=1, help="Requests a second, all its keys together.")]


@companies.command("list")
@asks
def show(
    find: Find,
    *,
    status: Annotated[str | None, typer.Option(help="Only those that are active, or retired.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show every company, newest first.

    [bold]Examples[/bold]

    eventgate companies list

    eventgate companies list --status active --json | jq -r .name
    """
    gate = find()
    asked = [("limit", _PAGE), *([("status", status)] if status else [])]
    for page in pages(gate, _PATH, asked):
        if as_json:
            terminal.print_json(*page["data"])
        else:
            _table(page["data"])


@companies.command("create")
@asks
def create(
    find: Find,
    *,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    login: Annotated[
        str | None, typer.Option("--admin-login", help="What its first admin signs in with; by default the address.")
    ] = None,
    email: Annotated[
        str | None, typer.Option("--admin-email", help="Where its first admin's invitation is sent.")
    ] = None,
    admin_name: Annotated[str | None, typer.Option("--admin-name", help="Its first admin's name.")] = None,
    rate_limit: RateLimit = None,
    as_json: AsJson = False,
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
    made = find().post(_PATH, wanted)
    if as_json:
        terminal.print_json(made)
        return
    link = made["admin"]["link"]
    terminal.say(f"{made['name']} is company {made['id']}; its admin is {made['admin']['login']}.")
    if link["url"] is None:
        terminal.say(f"The invitation to {made['admin']['email']}: {link['delivery']}.")
        return
    terminal.say("Pass this link on. It works once, and is not shown again:")
    terminal.say(link["url"])


@companies.command("update")
@asks
def update(
    find: Find,
    *,
    company: Id,
    name: Annotated[str | None, typer.Option(help="Another name.")] = None,
    rate_limit: RateLimit = None,
    no_rate_limit: Annotated[bool, typer.Option("--no-rate-limit", help="Any number of requests a second.")] = False,
    as_json: AsJson = False,
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
    changed = find().patch(f"{_PATH}/{segment(company)}", changes)
    if as_json:
        terminal.print_json(changed)
    else:
        _table([changed])


@companies.command("retire")
@asks
def retire(
    find: Find,
    *,
    company: Id,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether it is meant.")] = False,
) -> None:
    """Retire a company, for good: nobody of it is let in from then on, with whatever credential.

    Its events stay until their retention ends, and its sinks deliver what was stored until then.

    [bold]Examples[/bold]

    eventgate companies retire 0199…

    eventgate companies retire 0199… --yes
    """
    gate, path = find(), f"{_PATH}/{segment(company)}"
    name = terminal.defused(gate.get(path)["name"])
    if not yes:
        typer.confirm(
            f"Retire {name}? Its keys, sessions and tokens stop working, and this cannot be undone", abort=True
        )
    gate.delete(path)
    terminal.say(f"{name} is retired.")


def _table(found: list[dict[str, Any]]) -> None:
    rows = [
        (
            company["id"],
            company["name"],
            terminal.plain(company["status"], "" if company["status"] == "active" else "dim"),
            "any" if company["rateLimit"] is None else f"{company['rateLimit']:,}",
            terminal.local_time(company["retiredAt"] or company["createdAt"]),
        )
        for company in found
    ]
    if rows:
        terminal.table(("Id", "Name", "Status", "Requests a second", "Since"), rows, fold=("Name",))
