"""What is opened whatever a server says of it: files without names, times without sense, hostile words."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oseo_lab.client.opening import How, open_dataset, open_item
from oseo_lab.model.errors import DeliveryError, OseoError
from tests.client.scenes import write_scene

pytest.importorskip("rioxarray", reason="the extra xarray is not installed")
TIFF = {"href": "./a.tif", "type": "image/tiff", "roles": ["data"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("opening")
    write_scene(folder / "a.tif", 1)
    write_scene(folder / "b.tif", 2)
    return folder


def item(**more):
    return {
        "id": "x",
        "properties": {"datetime": "2024-06-01T10:00:00Z"},
        "assets": {"a.tif": dict(TIFF)},
    } | more


def opened(folder, **more):
    return open_item(item(**more), f"{folder}/", How(masked=False))


@pytest.mark.parametrize(
    ("said", "seen"),
    [
        ("2024-06-01T12:00:00+02:00", "2024-06-01T10:00:00"),
        ("yesterday", "NaT"),
        ("0001-01-01T00:00:00Z", "NaT"),
        ("9999-12-31T23:59:59-12:00", "NaT"),
        (None, "NaT"),
        (7, "NaT"),
    ],
)
def test_times_that_make_no_sense_are_none(folder, said, seen):
    assert str(opened(folder, properties={"datetime": said})["time"].values).startswith(seen)


def test_two_files_of_one_item_keep_their_bands_apart(folder):
    assets = {"a.tif": dict(TIFF), "b.tif": TIFF | {"href": "./b.tif"}}
    both = opened(folder, assets=assets)
    assert list(both.data_vars) == ["a_B02", "a_B03", "b_B02", "b_B03"]
    assert not np.array_equal(both["a_B02"], both["b_B02"])


@pytest.mark.parametrize(
    "bands", [None, "B02", [{"name": "B02"}], [{"name": None}] * 2, [{"name": "x"}] * 2, [1, 2]]
)
def test_band_names_that_do_not_fit_are_not_taken(folder, bands):
    assets = {"a.tif": TIFF | {"bands": bands}}
    assert list(opened(folder, assets=assets).data_vars) == ["B02", "B03"]


@pytest.mark.parametrize("href", ["ftp://example.org/a.tif", "file:///etc/passwd", "gs://x/a.tif"])
def test_addresses_of_other_kinds_are_not_read(folder, href):
    with pytest.raises(DeliveryError, match="is no address that data are read from"):
        opened(folder, assets={"a": TIFF | {"href": href}})


def test_a_file_that_is_not_there_or_broken_is_told(folder):
    with pytest.raises(DeliveryError, match=r"missing\.tif cannot be opened"):
        opened(folder, assets={"a": TIFF | {"href": "./missing.tif"}})
    (folder / "broken.nc").write_bytes(b"CDF\1 not really")
    with pytest.raises(DeliveryError, match=r"broken\.nc cannot be opened"):
        opened(folder, assets={"a": {"href": "./broken.nc", "type": "application/x-netcdf"}})


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=True) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
_FIELDS = st.sampled_from(
    ("type", "roles", "bands", "eo:bands", "proj:code", "proj:transform", "file:size", "title")
)


@settings(deadline=None, max_examples=30)
@given(
    properties=_JSON | st.dictionaries(st.sampled_from(("datetime", "license", "oseo:options")), _JSON),
    asset=st.dictionaries(_FIELDS, _JSON),
    other=_JSON,
    name=_JSON,
)
def test_whatever_a_description_says_it_is_opened_or_refused_in_a_sentence(
    folder, properties, asset, other, name
):
    said = {"id": name, "properties": properties, "assets": {"a": TIFF | asset, "other": other}}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for act in (
            lambda: open_item(said, f"{folder}/", How()),
            lambda: open_dataset([(said, f"{folder}/")] * 2),
        ):
            try:
                assert act().sizes["x"] == 128
            except OseoError as told:
                assert "Traceback" not in str(told)
