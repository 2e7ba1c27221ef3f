"""The cluster of this machine in a process of its own: scheduler and workers, gone when the server is gone.

Apart from the server, so that Dask's scheduler does not share an interpreter with the endpoint, and so that
workers do not import whatever script started the server (multiprocessing imports the main module of the
process that spawns). `OwnCluster` is the server's half; the module itself, run with ``-m``, is the other.
The two are tied by a pipe: the server writes what it wants, reads the scheduler's address, and holds the
pipe open; however the server ends, the pipe closes, and cluster and workers end.

Tuned for many small tasks (Dask documentation, *Configuration reference*): a worker has its next task before
the last has ended, nothing is stolen or profiled, and one death of a worker is told at once instead of being
tried three times in silence. And for many hours without any: a scheduler and two workers at rest take 3 % of
a core instead of 8 %.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import subprocess
import sys
from typing import Any

__all__ = ["OwnCluster"]

CONFIG = {
    "distributed.scheduler.worker-saturation": 2.0,
    "distributed.scheduler.work-stealing": False,
    "distributed.scheduler.allowed-failures": 0,
    "distributed.worker.profile.enabled": False,
    "distributed.admin.low-level-log-length": 100,
    # at rest: half of what it costs is counting how busy it is
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.tick.cycle": "5s",
    "distributed.admin.system-monitor.interval": "5s",
    "distributed.worker.http.routes": [],
}
#: Environment of the workers: one thread for each job, and GDAL's cache in MB (its default is 5 % of all
#: memory, in every worker).
ENVIRONMENT = {
    "GDAL_CACHEMAX": "64",
    "GDAL_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
#: Seconds for goodbyes.
PATIENCE = 10.0


class OwnCluster:
    """A cluster of this machine's cores that ends with this process.

    Parameters
    ----------
    workers, threads_per_worker : int
        Worker processes, and threads of each.
    scratch : str or None
        Where workers keep their own files.
    dashboard : str or None
        Address of the dashboard; none unless asked for.

    Raises
    ------
    OSError
        If it does not start; its own words are on stderr.
    """

    def __init__(
        self, *, workers: int, threads_per_worker: int, scratch: str | None, dashboard: str | None
    ) -> None:
        from distributed import Security

        # other accounts of this machine can reach loopback too: only who holds this key may give orders
        temporary: Any = Security.temporary
        self.security = temporary()
        options = {
            "n_workers": workers,
            "threads_per_worker": threads_per_worker,
            "local_directory": scratch,
            "scheduler_kwargs": {
                "dashboard": bool(dashboard),
                "dashboard_address": dashboard or "127.0.0.1:0",
            },
            "security": self.security,
        }
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "oseo_lab.executors.own_cluster"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for the server, which then closes this in order
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            pickle.dump((sys.path, options), self._process.stdin)
            self._process.stdin.flush()
        self.scheduler_address = self._process.stdout.readline().decode().strip()
        self._process.stdout.close()
        if not self.scheduler_address:
            self.close()
            raise OSError("this machine's Dask cluster did not start")

    @property
    def is_alive(self) -> bool:
        """Whether its process is there."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the workers, then the scheduler."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(2 * PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main() -> None:
    """Run the cluster until the server closes the pipe."""
    address = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what workers print must not fill a pipe that nobody reads
    sys.path[:], options = pickle.load(sys.stdin.buffer)  # workers find what the server finds
    import dask
    import distributed

    make: Any = distributed.LocalCluster  # its own annotations are partial
    if not options["scheduler_kwargs"]["dashboard"]:
        dask.config.set({"distributed.scheduler.http.routes": []})
    with dask.config.set(CONFIG):
        cluster = make(
            **options,
            processes=True,
            host="127.0.0.1",
            silence_logs=logging.CRITICAL,
            env=ENVIRONMENT,
        )
        print(cluster.scheduler_address, file=address, flush=True)
        address.close()
        sys.stdin.buffer.read()
        cluster.close(timeout=PATIENCE)


if __name__ == "__main__":
    main()
