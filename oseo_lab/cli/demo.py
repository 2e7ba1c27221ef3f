"""``oseo-lab demo``: one real order from SOAP bytes to verified files, told step by step.

The order is sent as any foreign program would send it: bytes over HTTP. What comes back is followed,
fetched and checked with the Python client, which sees the same order.
"""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path
from xml.dom import minidom

from rich.console import Console
from rich.panel import Panel
from rich.syntax import Syntax
from rich.table import Table

from oseo_lab.cli.serving import Served, served
from oseo_lab.client import Lab, connect
from oseo_lab.client.order import Order
from oseo_lab.client.quote import Quotation
from oseo_lab.encoding import oseo, soap, xmltree
from oseo_lab.model.errors import OseoError, error_of
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.messages import Submit, SubmitAck
from oseo_lab.model.options import ParameterData
from oseo_lab.model.order import ItemSpecification, OrderSpecification

__all__ = ["run"]

COLLECTION = "demo-s2"
VERSION = soap.SoapVersion.V12


def run(data_dir: Path, console: Console) -> int:
    """Send a real order to a service of its own, follow it, fetch it, check it.

    Parameters
    ----------
    data_dir : Path
        Where the service keeps what it makes; kept for a second look.
    console : Console
        Where the story is told.

    Returns
    -------
    int
        0 if everything that could be delivered was, and is what its manifest promises.
    """
    data_dir = data_dir.resolve()
    data_dir.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    console.rule("[bold]oseo_lab[/]: one order, end to end")
    console.print(f"[dim]everything lies in {data_dir}[/]")
    with (
        console.status("starting the service (the first time it draws the demo scenes) …"),
        served(data_dir, log=data_dir / "service.log") as service,
    ):
        pass_on = _story(service, data_dir, console)
    console.print(f"[dim]done in {time.monotonic() - began:.1f} s[/]")
    return pass_on


def _story(service: Served, data_dir: Path, console: Console) -> int:
    console.print(f"[green]1[/] a service answers at {service.soap}")
    lab = connect(service.url, service.token)
    request = _request(lab)
    _quote(request, lab, console)
    acknowledged = _send(request, service, console)
    order = Order.of_id(lab, acknowledged.order_id)
    console.print(f"[green]3[/] acknowledged, durable: [bold]{acknowledged.order_id}[/]")
    console.print("[green]4[/] Dask workers make the items:")
    order.wait(progress=True)
    _show_items(order, console)
    paths = order.download(data_dir / "delivered")
    console.print(f"[green]5[/] {len(paths)} files fetched and hashed against their manifests")
    _open(order, console)
    _farewell(data_dir, console)
    good = order.succeeded
    return 0 if good and len(good) >= len(order.items) - 1 else 1


def _request(lab: Lab) -> Submit:
    """Order four scenes, the damaged one among them, clipped and reprojected."""
    products = list(lab.search(COLLECTION, limit=100))
    damaged = [each for each in products if "damaged" in str(each.properties.get("title"))]
    clear = sorted(
        (each for each in products if each not in damaged),
        key=lambda each: each.properties.get("eo:cloud_cover", 100),
    )
    chosen = sorted((*clear[:4], *damaged[:1]), key=lambda each: each.identifier)
    west, south, east, north = chosen[0].bbox or (0.0, 0.0, 0.0, 0.0)
    corners = tuple((south + (north - south) * part, west + (east - west) * part) for part in (0.25, 0.75))
    rectangle = tuple(
        ("point", (("latitude", f"{latitude:.5f}"), ("longitude", f"{longitude:.5f}")))
        for latitude, longitude in corners
    )
    scene = (ParameterData(values=(("sceneBoundingRectangle", rectangle),)),)
    items = tuple(
        ItemSpecification(
            item_id=each.identifier,
            identifier=ProductId(identifier=each.identifier, collection_id=COLLECTION),
            scene_selections=scene,
        )
        for each in chosen
    )
    options = (ParameterData(values=(("format", "COG"), ("crs", "EPSG:4326"))),)
    stamp = datetime.now().strftime("%H%M%S")
    return Submit(
        specification=OrderSpecification(order_reference=f"demo-{stamp}", options=options, items=items)
    )


def _quote(request: Submit, lab: Lab, console: Console) -> None:
    """Say what the order would cost, before it is sent."""
    assert request.specification is not None  # `_request` has filled it
    quotation = Quotation.asked(lab, request.specification)
    price, until = quotation.price, quotation.valid_until
    assert price is not None and until is not None  # the demo's tariff has one currency and a validity
    cost = f"[bold]{price.value:g} {price.currency}[/] for {len(quotation.items)} items"
    console.print(f"[green]2[/] quoted first: {cost}, valid until {until:%Y-%m-%d}")


def _send(request: Submit, service: Served, console: Console) -> SubmitAck:
    envelope = soap.request_envelope(oseo.encode_request(request), VERSION)
    lines = minidom.parseString(envelope).toprettyxml(indent="  ").splitlines()[1:]
    short = "\n".join((*lines[:34], f"… {len(lines) - 34} more lines"))
    console.print(Panel(Syntax(short, "xml", word_wrap=True), title="POST, SOAP 1.2", border_style="dim"))
    answer = urllib.request.Request(
        service.soap,
        data=envelope,
        headers={"Content-Type": soap.content_type(VERSION), "Authorization": f"token {service.token}"},
    )
    try:
        with urllib.request.urlopen(answer, timeout=60) as response:
            body = response.read()
    except urllib.error.HTTPError as refused:
        body = refused.read()
    payload = xmltree.parse(body)[-1][0]
    problems = soap.read_fault(payload)
    if problems:
        raise error_of(problems)
    acknowledged = oseo.decode_response(payload)
    assert isinstance(acknowledged, SubmitAck)  # the table says what answers a Submit
    return acknowledged


def _show_items(order: Order, console: Console) -> None:
    table = Table("item", "status", "what there is to say", box=None, padding=(0, 2))
    for item in order.items:
        colour = "green" if item.is_delivered else "red"
        table.add_row(item.id, f"[{colour}]{item.status}[/]", item.info or "")
    console.print(table)
    if order.failed:
        console.print("[dim]one scene of the demo is damaged on purpose: an order may succeed in part[/]")


def _open(order: Order, console: Console) -> None:
    try:
        dataset = order.to_xarray()
    except OseoError as missing:
        console.print(f"[yellow]6[/] not opened: {missing}")
        return
    sizes = ", ".join(f"{name}: {size}" for name, size in dataset.sizes.items())
    console.print(f"[green]6[/] opened as xarray: {sizes}; variables {', '.join(dataset.data_vars)}")


def _farewell(data_dir: Path, console: Console) -> None:
    console.print(
        Panel(
            f"files      {data_dir / 'delivered'}\n"
            "notebook   make lab\n"
            f"service    oseo-lab serve --demo --data-dir {data_dir}\n"
            "python     import oseo_lab as oseo; oseo.connect().orders",
            title="go on",
            border_style="green",
        )
    )
