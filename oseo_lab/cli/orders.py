"""``oseo-lab orders``: list, submit, wait, pause, retry, cancel, download, ... The client, at a prompt."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from oseo_lab.cli.output import (
    FAILED,
    OK,
    PARTLY,
    STILL_RUNNING,
    AsJson,
    Token,
    Url,
    connected,
    pairs,
    print_json,
    print_table,
    say,
    usage,
)
from oseo_lab.cli.search import AreaCrs, AreaOption, read_area
from oseo_lab.model.status import DELIVERED

if TYPE_CHECKING:
    from oseo_lab.client.order import Order

__all__ = ["app"]

app = typer.Typer(help="Your orders: make, follow, fetch.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(help="Name or id of the order.")]
Timeout = Annotated[float | None, typer.Option(min=0, help="Longest wait, seconds.")]
Folder = Annotated[Path, typer.Option("--to", help="Folder to download into.")]
Workers = Annotated[int, typer.Option(min=1, max=32, help="Files at a time.")]

_UNITS = {"m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}


@app.command("list")
def list_orders(
    status: Annotated[list[str] | None, typer.Option(help="Only this status; may repeat.")] = None,
    name: Annotated[str | None, typer.Option(help="Only these names; * and ? match.")] = None,
    since: Annotated[str | None, typer.Option(help="Changed since: 12h, 7d, or a date.")] = None,
    collection: Annotated[str | None, typer.Option(help="Only orders from this collection.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """List your orders, newest first."""
    with connected(url, token) as lab:
        found = lab.orders.filter(name, status or (), since=_ago(since), collection=collection)
        announcement = lab.announcement
    if announcement is not None:
        say(f"announcement: {announcement.sentence}")
    if as_json:
        print_json(list(found.summaries))
        return
    rows = [
        (
            each.name,
            each.status,
            f"{sum(each.counts.get(done, 0) for done in DELIVERED)}/{sum(each.counts.values())}",
            f"{each.created:%Y-%m-%d %H:%M}" if each.created else "",
            each.order_id,
        )
        for each in found.summaries
    ]
    print_table(("name", "status", "items", "made (UTC)", "id"), rows)


def _ago(text: str | None) -> Any:
    if text and text[:-1].isdigit() and text[-1] in _UNITS:
        return timedelta(seconds=int(text[:-1]) * _UNITS[text[-1]])
    return text


@app.command()
def show(name: Name, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Show one order and its items."""
    from oseo_lab.client.standing import named

    with connected(url, token) as lab:
        order = lab.orders[name]
    if as_json:
        print_json(order.record)
        return
    print(order)
    rows = [(named(each), each.status.status, each.status.additional or "") for each in order.record.items]
    print_table(("item", "status", ""), rows)


@app.command()
def submit(
    collection: Annotated[str, typer.Argument(help="Collection id.")],
    products: Annotated[list[str], typer.Argument(help="Product identifiers; - reads them from stdin.")],
    name: Annotated[str | None, typer.Option(help="What you will find it by.")] = None,
    option: Annotated[
        list[str] | None, typer.Option("--option", "-o", help="An option, such as format=COG; may repeat.")
    ] = None,
    area: AreaOption = None,
    area_crs: AreaCrs = None,
    packaging: Annotated[str | None, typer.Option(help="zip, tar, tgz, gzip, bzip2, 7z.")] = None,
    priority: Annotated[str | None, typer.Option(help="STANDARD or FAST_TRACK.")] = None,
    group: Annotated[str | None, typer.Option(help="Option group, where there are several.")] = None,
    remark: Annotated[str | None, typer.Option(help="What the operators should know.")] = None,
    max_price: Annotated[float | None, typer.Option(min=0, help="The most it may cost.")] = None,
    max_bytes: Annotated[str | None, typer.Option(help="The most it may deliver: 500MB, 1GB.")] = None,
    reuse: Annotated[
        bool, typer.Option("--reuse", help="Deliver at no price what was delivered to you already.")
    ] = False,
    again: Annotated[bool, typer.Option(help="A new order, though the same was submitted before.")] = False,
    check: Annotated[
        bool, typer.Option(help="Ask the catalogue first, submit nothing that would fail.")
    ] = False,
    wait: Annotated[bool, typer.Option(help="Wait until it is done.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Submit an order; prints its id."""
    with connected(url, token) as lab:
        chosen = [each for word in products for each in _identifiers(word)]
        draft = lab.order(chosen, name, collection)
        with draft.together():
            draft.group = draft.group if group is None else group
            draft.packaging, draft.priority, draft.remark = packaging, priority, remark
            draft.limits = {"max_price": max_price, "max_bytes": max_bytes}
            draft.reuse = reuse
            draft.set_area(read_area(area), area_crs)
            draft.options.update(**pairs(option or (), "--option"))
        if check and (problems := draft.validate()):
            for each in problems:
                say(str(each))
            raise typer.Exit(FAILED)
        order = draft.submit(again=again)
        code = _waited(order, None) if wait else OK
    _print_order(order, as_json)
    raise typer.Exit(code)


def _identifiers(word: str) -> list[str]:
    if word != "-":
        return [word]
    return [line.strip() for line in sys.stdin if line.strip()]


def _print_order(order: Order, as_json: bool) -> None:
    if as_json:
        print_json(order.record)
    else:
        print(order.id)
        say(repr(order))


@app.command()
def wait(
    name: Name,
    timeout: Timeout = None,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Wait until an order is done: exit 0 delivered, 3 partly, 1 not at all, 4 still running."""
    with connected(url, token) as lab:
        order = lab.orders[name]
        code = _waited(order, timeout)
    _print_order(order, as_json)
    raise typer.Exit(code)


def _waited(order: Order, timeout: float | None) -> int:
    """Wait, tell what was not delivered, and return the exit code."""
    from oseo_lab.model.errors import WaitTimeout

    try:
        order.wait(timeout, progress=True)
    except WaitTimeout as late:
        say(str(late))
        return STILL_RUNNING
    for item_id, reason in order.failed.reasons.items():
        say(f"{item_id}: {reason}")
    return _code(order)


def _code(order: Order) -> int:
    """Return what an order's state means as an exit code."""
    if not order.is_done:
        return STILL_RUNNING
    if order.failed:
        return PARTLY if order.succeeded else FAILED
    return OK


@app.command()
def cancel(name: Name, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Cancel what of an order is not done yet."""
    with connected(url, token) as lab:
        order = lab.orders[name].cancel()
    _print_order(order, as_json)


@app.command()
def notices(name: Name, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Show what became of an order's callbacks: every try, and what waits."""
    with connected(url, token) as lab:
        found = lab.orders[name].notices()
    if as_json:
        print_json({"waiting": list(found.waiting), "sendings": list(found.sendings)})
    else:
        print_table(("UTC", "message", "outcome", "to"), found.rows)
        say(repr(found))


On = Annotated[
    list[str] | None,
    typer.Option(
        "--on", help="completed, failed, delivered, expiring; may repeat; the first two without it."
    ),
]


@app.command()
def notify(
    name: Name,
    email: Annotated[str | None, typer.Option(help="Who is told by mail, name@host.")] = None,
    webhook: Annotated[str | None, typer.Option(help="Where signed JSON is POSTed to.")] = None,
    on: On = None,
    digest: Annotated[str, typer.Option(help="immediate, daily or weekly.")] = "immediate",
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Tell somebody of an order from now on; prints a webhook's secret, this once."""
    with connected(url, token) as lab:
        told = lab.orders[name].notify(email, webhook, on or None, digest)
    if as_json:
        print_json(list(told))
        return
    say(repr(told))
    if told.secret is not None:
        print(told.secret)


@app.command()
def notifications(
    name: Name,
    again: Annotated[int | None, typer.Option(help="Send this row's message once more.")] = None,
    stop: Annotated[str | None, typer.Option(help="Tell this address no more.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Show who is told of an order, what was sent and what is held; send again; stop."""
    with connected(url, token) as lab:
        found = lab.orders[name].notifications
        found = found if stop is None else found.stop(stop)
        found = found if again is None else found.send_again(again)
    if as_json:
        print_json({"told": list(found.told), "rows": list(found)})
        return
    print_table(("row", "UTC", "channel", "about", "outcome"), found.cells)
    say(repr(found.told))


@app.command()
def pause(name: Name, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Let nothing more of an order begin until it is resumed; what is being made is finished."""
    with connected(url, token) as lab:
        order = lab.orders[name].pause()
    _print_order(order, as_json)


@app.command()
def resume(name: Name, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Let a paused order go on where it was; what a subscription missed comes."""
    with connected(url, token) as lab:
        order = lab.orders[name].resume()
    _print_order(order, as_json)


@app.command()
def retry(
    name: Name,
    item: Annotated[
        list[str] | None, typer.Option("--item", help="Only this item, whatever it failed of; may repeat.")
    ] = None,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Try again what of an order was not made and may be helped by it; what was delivered stays."""
    with connected(url, token) as lab:
        order = lab.orders[name].retry(item or None)
    _print_order(order, as_json)


@app.command()
def match(name: Name, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Show what a subscription would order now; nothing is ordered by asking."""
    with connected(url, token) as lab:
        found = lab.orders[name].would_match()
    if as_json:
        print_json(found)
    else:
        rows = [
            (each.identifier, f"{each.datetime:%Y-%m-%d %H:%M}" if each.datetime else "") for each in found
        ]
        print_table(("product", "acquired (UTC)"), rows)
        say(f"{len(found)} {'product' if len(found) == 1 else 'products'} now")


@app.command()
def download(
    name: Name,
    to: Folder = Path(),
    workers: Workers = 4,
    wait: Annotated[bool, typer.Option(help="Wait for the order first.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Download and verify what is there; again, it goes on. Exit 3: items missing, 4: still running."""
    with connected(url, token) as lab:
        order = lab.orders[name]
        if wait:
            _waited(order, None)
        paths = order.download(to, workers=workers, progress=True)
        code = _code(order)
    if as_json:
        print_json([str(path) for path in paths])
    else:
        for path in paths:
            print(path)
    raise typer.Exit(code)


@app.command()
def verify(
    folder: Annotated[Path, typer.Argument(help="Where files were downloaded to.")], as_json: AsJson = False
) -> None:
    """Check downloaded files against their manifests; asks no server."""
    from oseo_lab.client.results import verify as check

    if not folder.is_dir():
        raise usage(f"there is no folder {folder}")
    found = check(folder)
    if as_json:
        kinds = {"ok": found.ok, "changed": found.changed, "missing": found.missing}
        print_json({kind: [str(path) for path in paths] for kind, paths in kinds.items()})
    else:
        for kind, paths in (("changed", found.changed), ("missing", found.missing)):
            for path in paths:
                print(f"{kind}\t{path}")
        say(repr(found))
    raise typer.Exit(OK if found else FAILED)


With = Annotated[str | None, typer.Option("--with", help="A user's name; without it whoever has the link.")]


@app.command()
def share(
    name: Name,
    with_: With = None,
    until: Annotated[str, typer.Option(help="Until when: 30d, 2h, or a date.")] = "30d",
    url: Url = None,
    token: Token = None,
) -> None:
    """Let somebody read an order; prints the link, if it is one, this once."""
    with connected(url, token) as lab:
        made = lab.orders[name].share(with_, until)
    if made.link is None:
        say(repr(made))
    else:
        print(made.link)


@app.command()
def shares(name: Name, as_json: AsJson = False, url: Url = None, token: Token = None) -> None:
    """Show who an order is shared with."""
    with connected(url, token) as lab:
        found = lab.orders[name].shares()
    if as_json:
        print_json([each.share for each in found])
        return
    rows = [(each.grantee or "(link)", f"{each.until:%Y-%m-%d %H:%M}", each.share.share_id) for each in found]
    print_table(("with", "until (UTC)", "share"), rows)


@app.command()
def unshare(
    name: Name,
    which: Annotated[str | None, typer.Argument(help="A user's name or a share; without it all.")] = None,
    url: Url = None,
    token: Token = None,
) -> None:
    """Take shares of an order back."""
    with connected(url, token) as lab:
        left = lab.orders[name].unshare(which)
    say(f"taken back; {len(left)} left")
