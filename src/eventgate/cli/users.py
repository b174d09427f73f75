"""``eventgate users``: people, listed, invited, changed, deleted; and the ways to a new password.

Touches EventGate over HTTP and the terminal; ``recover`` the database of a data directory instead.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from eventgate.cli import terminal
from eventgate.cli.gate import Gate, pages, segment
from eventgate.cli.options import HERE, AsJson, CaFile, Data, Find, Url, asks
from eventgate.cli.serve import Config

if TYPE_CHECKING:
    from eventgate.access.actor import Actor
    from eventgate.access.people.links import Delivery
    from eventgate.access.people.user import User
    from eventgate.config import Configuration

_PATH = "/v2/users"
_NO_KEY = "none"
"""Sent where a link's token is the credential: nobody looks at it."""

users = typer.Typer(
    name="users",
    help="People: who may sign in, as what, and how they come to a password.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)

Id = Annotated[str, typer.Argument(help="The user's id; `eventgate users list` shows it.", metavar="ID")]
Role = Annotated[str | None, typer.Option("--role", "-r", help="operator, admin, analyst or sensor.")]
Login = Annotated[str | None, typer.Option("--login", "-l", help="What it signs in with.")]
Email = Annotated[str | None, typer.Option("--email", "-e", help="Where its links are sent; '' for nowhere.")]
Name = Annotated[str | None, typer.Option("--name", "-n", help="What people call it; '' for nothing.")]


@users.command("list")
@asks
def list_users(find: Find, *, as_json: AsJson = False) -> None:
    """List the users of your company, newest first.

    [bold]Examples[/bold]

    eventgate users list

    eventgate users list --json | jq -r 'select(.secondFactor | not) | .login'
    """
    for page in pages(find(), _PATH, [("limit", "100")]):
        if as_json:
            terminal.print_json(*page["data"])
        else:
            _table(page["data"])


@users.command()
@asks
def invite(
    find: Find,
    *,
    role: Annotated[str, typer.Option("--role", "-r", help="operator, admin, analyst or sensor.")] = "analyst",
    login: Login = None,
    email: Email = None,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Make a user, and invite it by a link that works once.

    The link is sent where EventGate has a mail server and the user an address. Otherwise it is shown here, once.

    [bold]Examples[/bold]

    eventgate users invite --email ann@example.org --name 'Ann Lee' --role admin

    eventgate users invite --login night-shift
    """
    body = {"role": role, **_said(login=login, email=email, name=name)}
    made = find().post(_PATH, body)
    if as_json:
        terminal.print_json(made)
        return
    terminal.remark(f"{made['login']} is made, as {made['role']}, with the id {made['id']}.")
    _tell(made["link"])


@users.command()
@asks
def update(
    find: Find,
    user: Id,
    *,
    role: Role = None,
    login: Login = None,
    email: Email = None,
    name: Name = None,
    status: Annotated[
        str | None, typer.Option("--status", "-s", help="inactive keeps it out until it is active again.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a user; what is not named stays.

    [bold]Example[/bold]

    eventgate users update 0199c1f0-0000-7000-8000-000000000000 --role analyst
    """
    body = _said(role=role, login=login, email=email, name=name, status=status)
    changed = find().patch(f"{_PATH}/{segment(user)}", body)
    if as_json:
        terminal.print_json(changed)
    else:
        _table([changed])


@users.command()
@asks
def delete(find: Find, user: Id) -> None:
    """Delete a user: its API keys stop working and its sessions end, within a second.

    [bold]Example[/bold]

    eventgate users delete 0199c1f0-0000-7000-8000-000000000000
    """
    find().delete(f"{_PATH}/{segment(user)}")
    terminal.remark(f"{user} is deleted.")


@users.command("reset-password")
@asks
def reset_password(find: Find, user: Id, *, as_json: AsJson = False) -> None:
    """Give a user a link to set a new password by; the old one is good until the link is used.

    [bold]Example[/bold]

    eventgate users reset-password 0199c1f0-0000-7000-8000-000000000000
    """
    link = find().put(f"{_PATH}/{segment(user)}/reset-password")
    if as_json:
        terminal.print_json(link)
    else:
        _tell(link)


@users.command("set-password")
def set_password(*, url: Url = None, data: Data = HERE, ca_file: CaFile = None) -> None:
    """Set your password with the link you were given; asks for both, or reads them from standard input, a line each.

    [bold]Example[/bold]

    eventgate users set-password --url https://gate.example
    """
    if sys.stdin.isatty():
        link = typer.prompt("The link, or its token", hide_input=True)
        password = typer.prompt("New password", hide_input=True, confirmation_prompt="And again")
    else:
        link, password = (sys.stdin.readline().rstrip("\r\n") for _ in range(2))
    token = link.strip().rpartition("#token=")[2]
    Gate.find(url, _NO_KEY, data, ca_file).post("/v2/password-links/redeem", {"token": token, "password": password})
    terminal.remark("The password is set.")


@users.command()
def recover(
    *,
    login: Annotated[
        str | None, typer.Option("--login", "-l", help="Whose password was lost; the first operator's if left out.")
    ] = None,
    reset_2fa: Annotated[
        bool, typer.Option("--reset-2fa", help="The second factor is lost too: take it away, and end every session.")
    ] = False,
    data: Annotated[Path | None, typer.Option(envvar="EVENTGATE_DATA", help="The data directory.")] = None,
    config: Config = None,
) -> None:
    """Make a link for an operator who lost the password, on the machine itself and without a credential.

    EventGate may be running or not; the link is used where it runs, with `eventgate users set-password`.

    [bold]Example[/bold]

    eventgate users recover --data /var/lib/eventgate

    eventgate users recover --login ann --reset-2fa
    """
    import asyncio

    from eventgate.config import load

    configuration = load(config, {"data": data} if data else None)
    user, delivery = asyncio.run(_recover(configuration, login, reset_2fa=reset_2fa))
    terminal.remark(f"For {user.login}:")
    if reset_2fa:
        terminal.remark("The second factor is taken away, and every session ended.")
    _tell(delivery.shown())


async def _recover(configuration: "Configuration", login: str | None, *, reset_2fa: bool) -> "tuple[User, Delivery]":
    from eventgate.access.audit.record import Audit
    from eventgate.access.people.links import Links
    from eventgate.access.people.recovery import recover as make_link
    from eventgate.access.signin.second_factor import remove_within
    from eventgate.clock import SystemClock
    from eventgate.db.pool import open_pool
    from eventgate.processes.attach import attached
    from eventgate.processes.lock import last_address

    clock, hours, http = SystemClock(), configuration.people, configuration.http
    links = Links(
        clock,
        http.public_url or last_address(configuration.data) or http.base_url,  # `serve --port` is in no file
        invitation_hours=hours.invitation_hours,
        reset_hours=hours.reset_hours,
    )
    async with attached(configuration) as url:
        pool = await open_pool(url, size=1, name="eventgate users recover")
        try:
            audit = Audit(pool, clock)

            async def take_second_factor(connection: Any, actor: "Actor", user: "User") -> None:
                await remove_within(connection, audit, actor, user.id, user.company)

            return await make_link(pool, audit, links, login, besides=take_second_factor if reset_2fa else None)
        finally:
            await pool.close()


def _said(**members: str | None) -> dict[str, Any]:
    """What was typed; an empty email or name is null."""
    return {name: text or None for name, text in members.items() if text is not None}


def _tell(link: dict[str, Any]) -> None:
    """Say where a link went: one that is shown stands alone on standard output."""
    until = terminal.local_time(link["expiresAt"])
    match link["delivery"]:
        case "shown":
            print(link["url"])
            text = f"The link works once, until {until}. Pass it on; `eventgate users set-password` takes it."
        case "sent":
            text = f"The link was sent; it works once, until {until}."
        case "queued":
            text = f"The mail server has not taken the link yet; EventGate goes on trying. It works until {until}."
        case _:
            text = "The mail server refused the link. Mend the address, then run `eventgate users reset-password`."
    terminal.remark(text)


def _table(found: list[dict[str, Any]]) -> None:
    terminal.table(("Id", "Login", "Role", "Status", "2FA", "Last seen", "Name", "Email"), map(_row, found))


def _row(user: dict[str, Any]) -> list[str]:
    seen = terminal.local_time(user["lastLoginAt"]) if user["lastLoginAt"] else "-"
    return [
        user["id"], user["login"], user["role"], user["status"], "yes" if user["secondFactor"] else "no", seen,
        user["name"] or "-", user["email"] or "-",
    ]  # fmt: skip
