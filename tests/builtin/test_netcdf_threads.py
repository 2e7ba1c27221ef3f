"""NetCDF in several threads of one process: the library below knows none, and would end the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import netCDF4
import pytest

from oseo_lab.builtin import raster_netcdf_apart
from tests.client import scenes

MADE_AT_ONCE = """
import sys
import threading
from pathlib import Path
import xarray
from oseo_lab.at_home import HomeService
from oseo_lab.client.connecting import connect

service = HomeService(Path(sys.argv[1]), settings={"threads_per_worker": 4})
service.start()
lab = connect(service.url, service.token)
scenes = [each for each in lab.search("demo-s2") if not each.identifier.endswith(("20240816", "20240622"))]
chip = (10.6, 45.6, 10.65, 45.65)
first = lab.order(scenes[:1], format="NetCDF", area=chip).submit()
first.wait(timeout=60)
first.download(sys.argv[2])
(path,) = Path(sys.argv[2]).rglob("*.nc")
over = threading.Event()
reads = [0]

def read():  # as a notebook does meanwhile
    while not over.is_set():
        with xarray.open_dataset(path, engine="netcdf4") as dataset:
            float(dataset["B04"].mean())
        reads[0] += 1

reader = threading.Thread(target=read)
reader.start()
for number in range(3):
    order = lab.order(scenes[:8], name=f"n{number}", format="NetCDF", area=chip).submit()
    order.wait(timeout=60)
over.set()
reader.join()
assert reads[0]
print(order.counts)
lab.close()
service.close()
"""


def write_scene(path: Path) -> Path:
    scenes.write_scene(path, 1)
    return path


def test_orders_of_netcdf_made_by_several_threads_leave_the_process_alive(demo: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MADE_AT_ONCE, str(demo), str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "COMPLETED" in done.stdout and "8" in done.stdout, done.stdout


def test_the_process_that_writes_is_begun_anew_when_it_was_ended(make_raster, tmp_path: Path) -> None:
    scene = write_scene(tmp_path / "scene.tif")
    options = {"format": "NetCDF"}
    assert make_raster({"scene": scene}, options).is_file()
    child = raster_netcdf_apart._child()
    child._process.kill()
    child._process.wait()
    assert make_raster({"scene": scene}, options).is_file()
    assert raster_netcdf_apart._child() is not child
    child.end()


def test_what_cannot_be_written_fails_for_now_and_hurts_no_other_file(make_raster, tmp_path: Path) -> None:
    scene = write_scene(tmp_path / "scene.tif")
    made = make_raster({"scene": scene}, {"format": "NetCDF"})
    result = SimpleNamespace()  # nothing that a file could be made of
    with pytest.raises(OSError, match="AttributeError"):
        raster_netcdf_apart.NetCdfApart(tmp_path / "none.nc", result)
    with netCDF4.Dataset(made) as file:
        assert file["B02"].shape[-2:] == (128, 128)


def test_what_a_notebook_has_beside_it_is_not_taken_for_a_module(
    make_raster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = write_scene(tmp_path / "scene.tif")
    for name in ("netCDF4", "numpy", "oseo_lab"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('not meant')")
    monkeypatch.chdir(tmp_path)
    raster_netcdf_apart._child().end()  # the next one begins here
    assert make_raster({"scene": scene}, {"format": "NetCDF"}).is_file()
    raster_netcdf_apart._child().end()
