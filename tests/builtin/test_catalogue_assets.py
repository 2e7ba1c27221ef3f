"""Foreign hrefs: what a catalogue may point to, and what it may not, however it is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from oseo_lab.builtin.catalogue_assets import AssetRules, Refused, is_data, read_bands


@pytest.fixture
def rules(tmp_path: Path) -> AssetRules:
    root = tmp_path / "root"
    (root / "items").mkdir(parents=True)
    (root / "data").mkdir()
    (root / "data" / "a.tif").write_bytes(b"II*\0")
    (root / "items" / "b c.tif").write_bytes(b"II*\0")
    (root / "items" / "v.vrt").write_bytes(b"<VRTDataset/>")
    (tmp_path / "secret.tif").write_bytes(b"secret")
    (root / "items" / "link.tif").symlink_to(tmp_path / "secret.tif")
    (root / "items" / "inner.tif").symlink_to(root / "data" / "a.tif")
    return AssetRules(root=root.resolve(), hosts=("data.example.org", "*.blob.example.net"))


@pytest.mark.parametrize(
    ("href", "found"),
    [
        ("./b c.tif", "items/b c.tif"),
        ("b%20c.tif", "items/b c.tif"),
        ("../data/a.tif", "data/a.tif"),
        ("inner.tif", "data/a.tif"),
    ],
)
def test_files_below_the_root_are_found(rules: AssetRules, href: str, found: str) -> None:
    assert rules.root is not None
    assert rules.resolve(href, rules.root / "items") == str(rules.root / found)


def test_absolute_paths_and_file_urls_below_the_root_are_found(rules: AssetRules) -> None:
    path = f"{rules.root}/data/a.tif"

    assert rules.resolve(path, rules.root) == path
    assert rules.resolve(f"file://{path}", rules.root) == path


@pytest.mark.parametrize(
    "href",
    [
        "../../secret.tif",
        "link.tif",
        "/etc/passwd",
        "file:///etc/passwd",
        "file://other.example.org/etc/passwd",
        "/vsicurl/http://data.example.org/a.tif",
        "/vsizip//etc/x.zip",
        "vsimem/x",
        "NETCDF:a.nc:x",
        'HDF5:"a.h5"://x',
        "GTIFF_DIR:1:data/a.tif",
        "MEM:::DATAPOINTER=1",
        "v.vrt",
        "<VRTDataset></VRTDataset>",
        "missing.tif",
        "",
        " a.tif",
        "a.tif\n",
        "a\0.tif",
        "..\\..\\secret.tif",
        "s3://bucket/a.tif",
        "ftp://data.example.org/a.tif",
        "http://evil.example.org/a.tif",
        "http://data.example.org.evil.org/a.tif",
        "http://user@data.example.org/a.tif",
        "http://data.example.org@evil.org/a.tif",
        "http://[::1/a.tif",
        "https://data.example.org/a.vrt",
        "https://data.example.org/a.vrt?x=.tif",
        "//data.example.org/a.tif",
        "a" * 5000,
    ],
)
def test_everything_else_is_refused(rules: AssetRules, href: str) -> None:
    assert rules.root is not None
    with pytest.raises(Refused):
        rules.resolve(href, rules.root / "items")


@pytest.mark.parametrize(
    "href",
    ["https://data.example.org/a.tif?sig=1", "http://x.blob.example.net/a.tif", "HTTPS://DATA.example.org/a"],
)
def test_urls_of_named_hosts_pass(rules: AssetRules, href: str) -> None:
    assert rules.resolve(href, None) == href


def test_without_a_root_no_file_of_this_machine_is_read() -> None:
    with pytest.raises(Refused, match="this machine"):
        AssetRules(hosts=("x.org",)).resolve("/etc/passwd", None)


def test_an_item_at_a_url_cannot_name_a_file(rules: AssetRules) -> None:
    assert (
        rules.resolve("b/a.tif", "https://data.example.org/item.json") == "https://data.example.org/b/a.tif"
    )
    assert rules.resolve("/etc/passwd", "https://data.example.org/i") == "https://data.example.org/etc/passwd"


def test_refused_data_make_a_product_not_orderable_and_previews_are_left_out(rules: AssetRules) -> None:
    data = {"href": "a.tif", "roles": ["data"]}
    preview = {"href": "http://evil.example.org/p.png", "roles": ["thumbnail"]}
    assert rules.root is not None

    found, thumbnail, reason = rules.read({"d": data, "p": preview}, rules.root / "data")
    assert [asset.name for asset in found] == ["d"]
    assert (thumbnail, reason) == (None, None)

    found, _, reason = rules.read({"d": data, "e": {**data, "href": "/vsicurl/x"}}, rules.root / "data")
    assert reason is not None and "'e'" in reason


def test_an_operator_may_take_some_assets_only(rules: AssetRules) -> None:
    chosen = AssetRules.of({"assets": ["d*"]}, root=rules.root)
    assets = {"d1": {"href": "a.tif"}, "e": {"href": "s3://bucket/e.tif"}}
    assert rules.root is not None

    found, _, reason = chosen.read(assets, rules.root / "data")
    assert ([asset.name for asset in found], reason) == (["d1"], None)


@pytest.mark.parametrize(
    ("asset", "bands"),
    [
        ({"bands": [{"name": "B1"}, {"name": "B2"}]}, ("B1", "B2")),
        ({"eo:bands": [{"name": "red"}]}, ("red",)),
        ({"eo:bands": [0, 1]}, ()),
        ({"raster:bands": [{"scale": 1}], "eo:bands": [{"name": "x"}]}, ("x",)),
        ({"bands": [{"name": "B1"}, {}]}, ()),
        ({}, ()),
    ],
)
def test_band_names_are_read_where_every_band_has_one(
    asset: dict[str, object], bands: tuple[str, ...]
) -> None:
    assert read_bands(asset) == bands


def test_what_counts_as_data() -> None:
    assert is_data({"href": "x", "roles": ["data", "metadata"]})
    assert is_data({"href": "x", "type": "image/tiff; application=geotiff"})
    assert is_data({"href": "http://x.org/a.TIF?sig=1"})
    assert not is_data({"href": "a.tif", "roles": ["overview"]})
    assert not is_data({"href": "index.html", "type": "text/html"})
