"""``eventgate keys new-pair`` and ``eventgate keys verify-keys``: signing keys made here, public halves told there.

Touches EventGate over HTTP, the terminal, and the file of the signing key, which goes nowhere else.
"""

import json
from pathlib import Path
from typing import Annotated, Any, cast

import typer

from eventgate.cli import terminal
from eventgate.cli.gate import everything, segment
from eventgate.cli.options import AsJson, Find, asks
from eventgate.durable import write_private
from eventgate.errors import CallerError, EventGateError
from eventgate.signing.keys import CURVES, CurveName, SigningKey

_KeyId = Annotated[str, typer.Argument(metavar="KEY-ID", help="The id of the API key that it signs for.")]

verify_keys = typer.Typer(
    name="verify-keys",
    help="The public halves that an API key's signatures are checked with: at most two at a time.",
    no_args_is_help=True,
    rich_markup_mode="rich",
)


@asks
def new_pair(
    find: Find,
    key_id: _KeyId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where the signing key goes; nothing is overwritten.")],
    *,
    curve: Annotated[str, typer.Option("--curve", help=f"One of {', '.join(CURVES)}.")] = "P-256",
    as_json: Annotated[bool, typer.Option("--json", help="The verify key as one JSON object.")] = False,
) -> None:
    """Make a signing key here, and tell EventGate its verify key.

    The signing key is written to FILE, which only you may read, and never leaves this machine.

    [bold]To change over[/bold] to another signing key without losing an event:
    make the new pair, let the sensor sign with it, then delete the old verify key.
    Both count meanwhile; a key has at most two.

    [bold]Examples[/bold]

    eventgate keys new-pair 0199c1f0-0000-7000-8000-000000000000 sensor.pem

    eventgate keys new-pair 0199c1f0-0000-7000-8000-000000000000 next.pem --curve P-384

    eventgate keys verify-keys delete 0199c1f0-0000-7000-8000-000000000000 OLD-VERIFY-KEY-ID
    """
    if curve not in CURVES:
        raise ValueError(f"--curve is one of {', '.join(CURVES)}; this is {curve}.")
    gate = find()
    made = SigningKey.generate(cast("CurveName", curve))
    _write(file, made.to_pem())
    try:
        added = gate.post(_path(key_id), {"verifyKey": made.verify_key_pem})
    except CallerError:
        file.unlink()  # it was refused: nobody will ever trust this key
        raise
    except (EventGateError, OSError):
        terminal.remark(
            f"The signing key is in {file}, but whether EventGate has its verify key is not known. "
            f"See `eventgate keys verify-keys list {key_id}`; `… add {key_id} {file}` adds it."
        )
        raise
    if as_json:
        terminal.print_json(added)
        return
    terminal.remark(f"The signing key is in {file}; keep it there. Its verify key's id:")
    print(added["id"])
    terminal.remark(
        f"Use them: eventgate send --signing-key {file} --verify-key-id {added['id']} --key egk_… events.json"
    )


@verify_keys.command("list")
@asks
def list_verify_keys(
    find: Find,
    key_id: _KeyId,
    *,
    inactive: Annotated[bool, typer.Option("--inactive", help="Those that were deleted.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the verify keys of an API key, newest first.

    [bold]Example[/bold]

    eventgate keys verify-keys list 0199c1f0-0000-7000-8000-000000000000
    """
    status = [("status", "inactive" if inactive else "active")]
    gate = find()
    found = everything(gate, _path(key_id), status)
    if as_json:
        terminal.print_json(*found)
    else:
        table(found)


@verify_keys.command()
@asks
def add(
    find: Find,
    key_id: _KeyId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A key as PEM, JWK or base64 DER.", exists=True)],
) -> None:
    """Add a verify key. Where FILE holds a signing key as PEM, its public half is sent and nothing else.

    [bold]Example[/bold]

    eventgate keys verify-keys add 0199c1f0-0000-7000-8000-000000000000 sensor.pub.pem
    """
    print(find().post(_path(key_id), {"verifyKey": _public_half(file)})["id"])


@verify_keys.command()
@asks
def delete(
    find: Find,
    key_id: _KeyId,
    verify_key_id: Annotated[str, typer.Argument(metavar="VERIFY-KEY-ID", help="Which of its verify keys.")],
) -> None:
    """Delete a verify key: what is signed with its signing key is refused within a second.

    [bold]Example[/bold]

    eventgate keys verify-keys delete 0199c1f0-0000-7000-8000-000000000000 0199c1f0-0000-7000-8000-000000000001
    """
    find().delete(f"{_path(key_id)}/{segment(verify_key_id)}")
    terminal.remark(f"{verify_key_id} counts no more.")


def table(found: list[dict[str, Any]]) -> None:
    """Show verify keys."""
    if not found:
        terminal.remark("It has no verify key: it cannot write.")
        return
    rows = [(each["id"], each["curve"], terminal.local_time(each["createdAt"]), each["fingerprint"]) for each in found]
    terminal.table(("Verify key", "Curve", "Since", "SHA-256 of the DER"), rows)


def _path(key_id: str) -> str:
    return f"/keys/{segment(key_id)}/verify-keys"


def _write(file: Path, text: str) -> None:
    """Write a new file that only its owner may read; ValueError where there is one of that name."""
    try:
        write_private(file, text.encode(), anew=True)
    except FileExistsError:
        raise ValueError(f"{file} is there already, and a key is never overwritten. Name another file.") from None


def _public_half(file: Path) -> str:
    """What may be sent of a key file: a private key stays here, whatever its form."""
    text = file.read_text(encoding="ascii", errors="replace")
    if "PRIVATE KEY" in text:
        try:
            return SigningKey.from_pem(text).verify_key_pem
        except ValueError as error:
            raise ValueError(f"{file} is {error}.") from None
    try:
        jwk = json.loads(text)
    except ValueError:
        return text
    if isinstance(jwk, dict) and "d" in jwk:
        raise ValueError(f"{file} is a private key. Take its member d away, which nobody else may have, and try again.")
    return text
