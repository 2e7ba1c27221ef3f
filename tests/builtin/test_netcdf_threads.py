"""NetCDF in several threads of one process: the library below knows none, and would end the process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

MADE_AT_ONCE = """
import sys
from pathlib import Path
from oseo_lab.at_home import HomeService
from oseo_lab.client.connecting import connect

service = HomeService(Path(sys.argv[1]), settings={"threads_per_worker": 4})
service.start()
lab = connect(service.url, service.token)
scenes = [each for each in lab.search("demo-s2") if not each.identifier.endswith(("20240816", "20240622"))]
order = lab.order(scenes[:8], format="NetCDF", area=(10.6, 45.6, 10.65, 45.65)).submit()
order.wait(timeout=60)
print(order.counts)
lab.close()
service.close()
"""


def test_orders_of_netcdf_made_by_several_threads_leave_the_process_alive(demo: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MADE_AT_ONCE, str(demo)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "COMPLETED" in done.stdout and "8" in done.stdout, done.stdout
