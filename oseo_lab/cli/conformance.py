"""``oseo-lab conformance URL``: whether a server does what OGC 06-141r6 says.

Prints the table of all checks. Exit code 0: nothing failed and everything ran; 1: something failed; 3: the
rest passed, and something could not be run.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oseo_lab.cli.output import FAILED, OK, PARTLY, AsJson, print_json, print_table, say, secret_of, usage

if TYPE_CHECKING:
    from oseo_lab.conformance import Outcome, Subject
    from oseo_lab.encoding.soap_identity import Credentials

__all__ = ["conformance"]

_WAYS = ("text", "digest", "basic")


def conformance(
    url: Annotated[str, typer.Argument(help="SOAP endpoint of the server.")],
    user: Annotated[str | None, typer.Option(help="User name.")] = None,
    password_file: Annotated[Path | None, typer.Option(help="File with the password.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="File with a bearer token instead.")] = None,
    identity: Annotated[
        str, typer.Option(help="How the password is sent: UsernameToken as text or digest, or HTTP basic.")
    ] = "text",
    other_user: Annotated[str | None, typer.Option(help="Another user, who must not see the orders.")] = None,
    other_password_file: Annotated[Path | None, typer.Option(help="File with their password.")] = None,
    collection: Annotated[str | None, typer.Option(help="What to order from; found by itself.")] = None,
    product: Annotated[
        list[str] | None, typer.Option(help="A product that can be ordered and made; may be repeated.")
    ] = None,
    subscription: Annotated[str | None, typer.Option(help="What to subscribe to; found by itself.")] = None,
    tasking_id: Annotated[str | None, typer.Option(help="A tasking request that the server knows.")] = None,
    quoted: Annotated[
        list[str] | None,
        typer.Option(help="mode=collection: what is quoted synchronous, monitoring, off_line, …"),
    ] = None,
    listen: Annotated[
        str | None, typer.Option(help="HOST:PORT where the server can call back; nowhere by default.")
    ] = None,
    callback_url: Annotated[
        str | None, typer.Option(help="Where the server reaches that place, if not by that name.")
    ] = None,
    schemas: Annotated[
        Path | None,
        typer.Option(help="Folder of the official schemas as <host>/<path>; our own tables without it."),
    ] = None,
    wait: Annotated[float, typer.Option(help="Seconds to wait for an order or a callback.")] = 120.0,
    only: Annotated[list[str] | None, typer.Option(help="Id of a check to run; may be repeated.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a server against the standard, and order from it to do so; exit 1: failed, 3: not all was run."""
    from oseo_lab.cli.output import pairs
    from oseo_lab.conformance import CHECKS, Plan, run

    unknown = set(only or ()) - {each.id for each in CHECKS}
    if unknown:
        raise usage(
            f"there is no check {', '.join(sorted(unknown))}; there are {', '.join(e.id for e in CHECKS)}"
        )
    plan = Plan(
        collection=collection,
        products=tuple(product or ()),
        subscription=subscription,
        tasking_id=tasking_id,
        quoted=pairs(quoted or (), "quoted"),
        listen=_place(listen),
        callback_url=callback_url,
        wait=wait,
    )
    who = _credentials(user, password_file, token_file, identity)
    stranger = _credentials(other_user, other_password_file, None, identity)
    if not url.startswith(("http://", "https://")):
        raise usage(f"{url[:60]!r} is no address; it begins with http:// or https://")
    subject = _subject(url, plan, who, stranger, schemas)
    found = []
    try:
        subject.probe.reach()
        for outcome in run(subject, [each for each in CHECKS if not only or each.id in only]):
            found.append(outcome)
            if not as_json:
                say(f"{outcome.verdict.value:14}  {outcome.id}")
    finally:
        subject.close()
    _print(found, as_json)
    raise typer.Exit(exit_code(found))


def exit_code(found: list[Outcome]) -> int:
    """Return 1 if a check failed, 3 if one was not run, else 0."""
    verdicts = {each.verdict.value for each in found}
    return FAILED if "failed" in verdicts else PARTLY if "not run" in verdicts else OK


def _print(found: list[Outcome], as_json: bool) -> None:
    if as_json:
        print_json(found)
        return
    rows = [(each.id, each.requirement, each.asked, each.verdict.value, each.text) for each in found]
    print_table(("id", "requirement", "asked", "verdict", "what was found"), rows)
    counts = {each.verdict.value: 0 for each in found}
    for each in found:
        counts[each.verdict.value] += 1
    say(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))


def _place(listen: str | None) -> tuple[str, int] | None:
    if listen is None:
        return None
    host, _, port = listen.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65535:
        raise usage(f"--listen {listen!r} is written HOST:PORT; port 0 takes any that is free")
    return host, int(port)


def _credentials(
    user: str | None, password_file: Path | None, token_file: Path | None, identity: str
) -> Credentials | None:
    from oseo_lab.encoding.soap_identity import Credentials, Identity
    from oseo_lab.model.delivery import Secret

    if identity not in _WAYS:
        raise usage(f"--identity is one of {', '.join(_WAYS)}")
    if token_file is not None:
        return Credentials(secret=Secret(secret_of(token_file)), identity=Identity.TOKEN)
    if (user is None) != (password_file is None):
        raise usage("a user has a password, and a password a user: give both, or a token")
    if user is None or password_file is None:
        return None
    return Credentials(username=user, secret=Secret(secret_of(password_file)), identity=Identity(identity))


def _subject(
    url: str, plan: Any, who: Credentials | None, stranger: Credentials | None, schemas: Path | None
) -> Subject:
    from oseo_lab.conformance import Subject
    from oseo_lab.conformance.probe import Probe, valid_by_table

    validity: Callable[[Any], list[str]] = valid_by_table
    if schemas is not None:
        from oseo_lab.encoding.schemas import OfficialSchemas

        validity = OfficialSchemas(schemas).complaints
    probe = Probe(url, who, validity)
    return Subject(probe, plan, stranger=None if stranger is None else Probe(url, stranger, validity))
