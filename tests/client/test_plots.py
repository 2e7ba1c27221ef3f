"""Pictures of results: which bands, which colours, what is missing, what is said to those who cannot see."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from oseo_lab.client.opening import open_item  # noqa: F401  # gives data their .oseo, as it does for users
from oseo_lab.client.plot_styles import natural_colours, rgba, style_of
from oseo_lab.client.plots import PANELS, plot, plot_all, register
from oseo_lab.model.errors import DeliveryError, ValidationError

matplotlib = pytest.importorskip("matplotlib", reason="the extra notebook is not installed")
xarray = pytest.importorskip("xarray", reason="the extra xarray is not installed")
pytest.importorskip("rioxarray", reason="the extra xarray is not installed")


@pytest.fixture(autouse=True, scope="module")
def quiet():
    matplotlib.use("Agg")
    register()
    yield
    matplotlib.pyplot.close("all")


def cube(names=("B02", "B03", "B04", "B08"), times=1, size=40, epsg=32632, **attrs):
    rng = np.random.default_rng(1)
    days = np.datetime64("2024-06-01", "ns") + np.arange(times).astype("timedelta64[D]")
    values = {name: (("time", "y", "x"), rng.uniform(100, 3000, (times, size, size))) for name in names}
    step = 0.001 if epsg == 4326 else 10
    x, y = (10, 46) if epsg == 4326 else (600000, 5000000)
    coords = {"time": days, "y": y - step * np.arange(size), "x": x + step * np.arange(size)}
    return xarray.Dataset(values, coords, attrs).rio.write_crs(epsg)


def images(made):
    return [image for axes in made.axes for image in axes.images]


def test_red_green_and_blue_are_found_by_common_name_or_band():
    assert natural_colours(cube()) == ("B04", "B03", "B02")
    named = cube(("a", "b", "c"))
    for name, colour in zip(("a", "b", "c"), ("blue", "red", "green"), strict=True):
        named[name].attrs["common_name"] = colour
    assert natural_colours(named) == ("b", "c", "a")
    assert natural_colours(cube(("B08", "SCL"))) is None


def test_one_stretch_keeps_the_balance_of_colours_and_what_is_missing_is_transparent():
    panel = np.stack([np.linspace(0, 1000, 100).reshape(10, 10) * part for part in (1, 0.5, 0.25)])
    panel[0, 0, 0] = np.nan
    (made,) = rgba([panel], (0, 100))
    assert made.shape == (10, 10, 4) and made.min() >= 0 and made.max() <= 1
    assert made[0, 0, 3] == 0 and made[1:, :, 3].all()
    assert made[9, 9, 0] > made[9, 9, 1] > made[9, 9, 2]


def test_a_cloudy_day_does_not_darken_the_others():
    clear, cloudy = np.full((3, 20, 20), 500.0), np.full((3, 20, 20), 9000.0)
    clear[:, :10] = 100.0
    made = rgba([clear, clear, cloudy], (2, 98))
    assert made[0][19, 0, 0] > 0.9 and made[2].min() == 1.0


def test_true_colour_along_time_with_a_title_for_each_day():
    made = cube(times=3, order_name="lake <garda>").oseo.plot()
    assert [each.get_title(loc="left") for each in made.axes] == ["2024-06-01", "2024-06-02", "2024-06-03"]
    assert made.text == "lake <garda> · true colour: 2024-06-01, 2024-06-02, 2024-06-03"
    assert all(each.get_array().shape[-1] == 4 for each in images(made))
    assert not any(each.get_xticks().size for each in made.axes)


def test_a_single_map_has_its_day_in_the_title_and_kilometres_or_degrees():
    made = cube(order_name="one").isel(time=0).oseo.plot()
    assert made.text == "one · true colour · 2024-06-01"
    (axes,) = made.axes
    assert axes.get_xlabel() == "km east" and axes.images[0].get_extent()[0] == pytest.approx(599.995)
    (axes,) = cube(epsg=4326).oseo.plot().axes
    assert axes.get_xlabel() == "" and axes.xaxis.get_major_formatter()(10.5, 0) == "10.5° E"
    assert axes.get_aspect() == pytest.approx(1 / np.cos(np.radians(46)), rel=0.01)


def test_small_maps_have_coordinates_that_differ():
    made = cube(("B08",), size=12).isel(time=0).oseo.plot()
    made.figure.canvas.draw()
    for axis in (made.axes[0].xaxis, made.axes[0].yaxis):
        labels = [each.get_text() for each in axis.get_ticklabels()]
        assert len(set(labels)) == len(labels) > 2


def test_bands_of_ones_own_choice():
    made = cube().oseo.plot(["B08", "B04", "B03"])
    assert "B08, B04, B03 as red, green, blue" in made.text
    single = cube().oseo.plot("B08")
    assert images(single)[0].get_cmap().name == "gray" and "B08" in single.text
    with pytest.raises(ValidationError, match=r"B99.*one of B02, B03, B04, B08"):
        cube().oseo.plot("B99")
    with pytest.raises(ValidationError, match="three of them"):
        cube().oseo.plot(["B02", "B03"])


def test_an_index_diverges_around_nothing_and_heights_are_land():
    rng = np.random.default_rng(2)
    ndvi = style_of("NDVI", {}, [rng.uniform(-0.2, 0.8, (20, 20))], (2, 98))
    assert ndvi.low == -ndvi.high and len(ndvi.colours) == 7
    unnamed = style_of("change", {}, [rng.uniform(-0.3, 0.4, (20, 20))], (2, 98))
    assert unnamed.low == -unnamed.high
    land = style_of("elevation", {}, [rng.uniform(60, 2100, (20, 20))], (2, 98))
    assert land.shaded and 60 <= land.low < 70 and 2090 < land.high <= 2100
    assert style_of("anything", {}, [rng.uniform(0, 9, (20, 20))], (2, 98)).colours == ("viridis",)


def test_classes_have_their_names_in_a_legend():
    scene = cube(("SCL",))
    scene["SCL"].values[:] = np.random.default_rng(3).choice([4.0, 6.0, 9.0], scene["SCL"].shape)
    made = scene.oseo.plot("SCL")
    (legend,) = made.figure.legends
    assert [each.get_text() for each in legend.get_texts()] == [
        "vegetation",
        "water",
        "cloud, high probability",
    ]
    flags = {"flag_values": [1, 2], "flag_meanings": "dry_land open_water"}
    style = style_of("cover", flags, [np.array([[1.0, 2.0]])], (2, 98))
    assert [name for name, _ in style.classes.values()] == ["dry land", "open water"]


def test_north_is_up_however_the_rows_run():
    flipped = cube(size=20).isel(y=slice(None, None, -1))
    north = images(cube(size=20).oseo.plot("B08"))[0].get_array()
    np.testing.assert_array_equal(images(flipped.oseo.plot("B08"))[0].get_array(), north)


def test_long_series_and_large_maps_are_bounded():
    made = cube(("B08",), times=PANELS + 3, size=10).oseo.plot()
    assert len(images(made)) == PANELS and f"first {PANELS} of {PANELS + 3}" in made.text
    assert max(images(cube(("B08",), size=2000).oseo.plot())[0].get_array().shape) <= 1000


def test_of_many_results_no_more_are_opened_than_drawn():
    asked = []

    def opener(number):
        return lambda: asked.append(number) or cube(("B08",), size=10).assign_attrs(item=f"i{number}")

    made = plot_all([opener(number) for number in range(40)])
    assert len(asked) == PANELS and f"first {PANELS} of 40" in made.text


def test_arrays_with_bands_and_other_names_of_axes_are_drawn_too():
    array = cube().to_dataarray(dim="band").isel(time=0)
    assert "true colour" in array.oseo.plot().text
    plain = cube(("B08",), epsg=4326).rename(x="lon", y="lat")["B08"]
    assert images(plain.oseo.plot())
    with pytest.raises(DeliveryError, match="nothing to draw"):
        plot(xarray.Dataset({"a": ("t", [1, 2])}))


def test_all_missing_is_a_map_without_pixels():
    empty = cube()
    made = (empty * np.nan).assign_attrs(empty.attrs).oseo.plot()
    assert not images(made)[0].get_array()[..., 3].any()
    assert images((empty * np.nan).oseo.plot("B08"))


def test_a_notebook_gets_a_sharp_picture_once_with_words_beside_it(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **how: shown.append((data, how)))
    made = cube(order_name="shown").oseo.plot()
    made._ipython_display_()
    ((data, how),) = shown
    assert data["image/jpeg"].startswith(b"\xff\xd8") and data["text/plain"] == made.text
    assert how["metadata"]["image/jpeg"]["width"] == int(made.figure.get_size_inches()[0] * made.figure.dpi)
    assert made.figure.number not in matplotlib.pyplot.get_fignums()


def test_maps_of_values_have_clean_edges_and_pictures_take_little_room(monkeypatch):
    shown = []
    monkeypatch.setattr("IPython.display.display", lambda data, **how: shown.append(data))
    cube().oseo.plot("B08")._ipython_display_()
    assert shown[0]["image/png"].startswith(b"\x89PNG") and "image/jpeg" not in shown[0]


def test_another_thread_draws_without_the_notebooks_figures(tmp_path):
    before = matplotlib.pyplot.get_fignums()
    made = []
    thread = threading.Thread(target=lambda: made.append(cube().oseo.plot().save(tmp_path / "a.png")))
    thread.start()
    thread.join()
    assert made == [tmp_path / "a.png"] and matplotlib.pyplot.get_fignums() == before


def test_items_and_orders_draw_what_they_delivered(lab, tmp_path):
    order = lab.order(["SCENE_A", "SCENE_B"], "drawn", "scenes").submit().wait(60, check=True)
    order.download(tmp_path)
    made = order.plot()
    assert made.text == "drawn · B02: 2024-06-01, 2024-06-11"
    assert order.items[0].plot("B03").text == "drawn · B03 · 2024-06-01"
    with pytest.raises(DeliveryError, match="nothing to draw"):
        order.items.failed.plot()
