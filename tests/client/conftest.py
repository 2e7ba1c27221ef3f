"""A whole service in this process, and the client over a transport that calls ``perform`` directly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from oseo_lab.client import InProcessTransport, Lab
from oseo_lab.client.transport import Fetched
from oseo_lab.encoding.json_form import to_plain
from oseo_lab.operations import perform
from oseo_lab.ports import CatalogueQuery
from oseo_lab.settings import Settings
from oseo_lab.wiring import Services, build
from tests.client.scenes import make_collections

BASE = "http://in.process/"


@pytest.fixture(scope="session")
def scenes(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of collections: two good scenes of June 2024 and a damaged one."""
    return make_collections(tmp_path_factory.mktemp("collections"))


@pytest.fixture(scope="session")
def services(scenes: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    settings = Settings(data_dir=tmp_path_factory.mktemp("data"), collections=scenes, executor="inline")
    built = build(settings)
    built.start()
    yield built
    built.close()


def make_lab(services: Services, owner: str) -> Lab:
    """Return one owner's lab on services in this process."""

    def fetch(url: str, start: int, etag: str | None) -> Fetched:
        order, number, name = url.partition("?")[0].split("/oseo/files/")[1].split("/")
        found = list(services.settings.results_dir.glob(f"{order}/{number}/*/{name}"))
        if not found:
            return Fetched(404)
        body = found[0].read_bytes()
        headers = {"etag": f'"{name}"'}
        if not start:
            return Fetched(200, headers, iter([body]))
        headers["content-range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        return Fetched(206, headers, iter([body[start:]]))

    def ask(request, message_id):
        return perform(request, services.context(owner, url=f"{BASE}oseo/", message_id=message_id))

    def history(order_id):
        with services.store.read() as snapshot:
            changes, attempts = snapshot.events.of(order_id), snapshot.events.attempts(order_id)
        return {"history": to_plain(changes), "attempts": to_plain(attempts)}

    def products(collection_id, query):
        catalogue = services.catalogue(collection_id)
        if "ids" in query:
            found = catalogue.find(query["ids"].split(","))
            return list(found.values()), None
        return catalogue.search(CatalogueQuery(text=query.get("text"), limit=query["limit"]))

    return Lab(
        InProcessTransport(
            ask,
            collections=lambda: [
                {"id": each.id, "title": each.title} for each in services.collections.values()
            ],
            products=products,
            history=history,
            fetch=fetch,
            owner=owner,
            url=BASE,
        )
    )


@pytest.fixture
def lab_of(services: Services) -> Callable[[str], Lab]:
    """Return a maker of labs, one per owner."""
    return lambda owner: make_lab(services, owner)


@pytest.fixture
def lab(lab_of: Callable[[str], Lab], request: pytest.FixtureRequest) -> Lab:
    """A lab whose owner is this test: nobody else's orders are in it."""
    return lab_of(request.node.name)


@pytest.fixture
def idle(scenes: Path, tmp_path: Path) -> Iterator[Services]:
    """Services that take orders and do not work on them until they are started."""
    built = build(Settings(data_dir=tmp_path / "idle", collections=scenes, executor="inline"))
    yield built
    built.close()


@pytest.fixture
def idle_lab(idle: Services) -> Lab:
    """A lab whose orders stand still."""
    return make_lab(idle, "anna")
