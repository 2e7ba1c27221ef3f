"""``oseo-lab desk``: what waits for operators, what they decide, what they tell users."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

import typer

from oseo_lab.cli.output import AsJson, Token, Url, connected, print_json, say, usage

__all__ = ["app"]

app = typer.Typer(help="For operators: approve, reject, look after what is stuck, tell users something.")

Orders = Annotated[list[str], typer.Argument(help="Ids of orders, or the first digits `desk show` gives.")]
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@app.callback(invoke_without_command=True)
def board(context: typer.Context) -> None:
    """For operators: approve, reject, look after what is stuck, tell users something."""
    if context.invoked_subcommand is None:
        show()


@app.command()
def show(as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Show the board: what waits, what is stuck, how the service is."""
    with connected(url, token) as lab:
        found = lab.operator.board()
    if as_json:
        print_json(found.board)
        return
    print(found)


@app.command()
def look(
    order: Annotated[str, typer.Argument(help="Id of an order, or its first digits or name on the board.")],
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Show anybody's order: what was asked, where it stands."""
    with connected(url, token) as lab:
        found = lab.operator.look(_ids(lab, [order])[0])
    if as_json:
        print_json({"view": found.view, "asked": found.asked, "approval": found.approval})
        return
    print(found)


@app.command()
def approve(orders: Orders, url: Url = None, token: Token = None) -> None:
    """Let orders be made that wait for approval."""
    with connected(url, token) as lab:
        for each in _ids(lab, orders):
            lab.operator.approve(each)
            say(f"{each} is approved")


@app.command()
def reject(
    orders: Orders,
    reason: Annotated[str, typer.Option(help="What their users read: why, and what to do instead.")],
    url: Url = None,
    token: Token = None,
) -> None:
    """Refuse orders that wait for approval: they are cancelled, and what they drew is given back."""
    with connected(url, token) as lab:
        for each in _ids(lab, orders):
            lab.operator.reject(each, reason=reason)
            say(f"{each} is rejected")


@app.command("run-again")
def run_again(orders: Orders, url: Url = None, token: Token = None) -> None:
    """Let what is stuck of orders begin anew."""
    with connected(url, token) as lab:
        for each in _ids(lab, orders):
            lab.operator.run_again(each)
            say(f"what was stuck of {each} begins anew")


@app.command()
def announce(
    text: Annotated[str, typer.Argument(help="One or two sentences.")],
    until: Annotated[
        str | None, typer.Option(help="When it is over: 12h, 7d, a date, or 2026-07-01T18:00Z.")
    ] = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Tell all users something, in place of what they were told before."""
    with connected(url, token) as lab:
        made = lab.operator.announce(text, until=_moment(until))
    say(f"users read: {made.sentence}")


@app.command()
def withdraw(url: Url = None, token: Token = None) -> None:
    """Tell users nothing any more."""
    with connected(url, token) as lab:
        lab.operator.withdraw()
    say("users read no announcement")


def _ids(lab: Any, given: list[str]) -> list[str]:
    """Return the ids that are meant; eight digits or more are looked up among what the board lists."""
    if all(len(each.removeprefix("urn:uuid:")) == 36 for each in given):
        return given
    listed = lab.operator.board()
    known = {each.order_id: each.name for each in (*listed.waiting, *listed.stuck)}
    return [_one(each, known) for each in given]


def _one(given: str, known: dict[str, str]) -> str:
    short = given.removeprefix("urn:uuid:")
    if len(short) == 36:
        return given
    found = [
        order_id
        for order_id, name in known.items()
        if name == given or (len(short) >= 4 and order_id.removeprefix("urn:uuid:").startswith(short))
    ]
    if len(found) == 1:
        return found[0]
    names = ", ".join(
        f"{name} ({order_id.removeprefix('urn:uuid:')[:8]})" for order_id, name in known.items()
    )
    what = "several orders" if found else "no order"
    raise usage(f"{given[:60]!r} is {what} of those on the board: {names[:500] or 'there is none'}")


def _moment(text: str | None) -> Any:
    match = re.fullmatch(r"(\d{1,4})([mhdw])", text or "")
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else text
