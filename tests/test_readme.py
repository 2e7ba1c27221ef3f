"""What README shows works as it stands there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from oseo_lab.encoding.json_form import complete, read_collection
from oseo_lab.model.identifiers import ProductId
from oseo_lab.model.job import CatalogueItem, ItemJob
from oseo_lab.plugins import load
from oseo_lab.ports import Inputs
from oseo_lab.production.workspace import JobWorkspace

README = (Path(__file__).resolve().parents[1] / "README.md").read_text(encoding="utf-8")


def block(language: str, holding: str) -> str:
    """Return README's one code block of a language that holds a text."""
    (found,) = [each for each in re.findall(rf"```{language}\n(.*?)```", README, re.S) if holding in each]
    return found


def test_the_processor_of_readme_makes_its_product(tmp_path):
    names: dict[str, object] = {}
    exec(block("python", "class Shout"), names)
    job = ItemJob(
        key="k",
        order_id="urn:uuid:00000000-0000-4000-8000-000000000000",
        number=1,
        attempt=1,
        item_id="a",
        product=ProductId(identifier="P1"),
        collection_id="c",
        options={"tone": "LOUD"},
    )
    inputs = Inputs(item=CatalogueItem(identifier="P1", collection_id="c"), paths={})
    with JobWorkspace(str(tmp_path), "k", progress=lambda _: None, cancelled=lambda: False) as workspace:
        (product,) = names["SHOUT"](job, inputs, workspace)
        assert Path(product.path).read_text() == "P1, LOUD\n"


def test_the_collection_of_readme_is_one(tmp_path):
    text = block("toml", "Landsat")
    (tmp_path / "landsat").mkdir()
    (tmp_path / "landsat" / "catalog.json").write_text("{}")
    assert tomllib.loads(text)["id"] == "landsat"
    processor = load("processor", "raster")
    collection = complete(read_collection(text, folder=tmp_path), processor.options, processor.scene_options)
    (chosen,) = [each for each in collection.options if each.name == "format"]
    assert (chosen.component.allowed, chosen.default) == (("COG", "NetCDF"), "COG")
