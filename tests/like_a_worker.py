"""The environment a worker of the service's own cluster has, for measuring what a worker takes."""

from __future__ import annotations

import os

import dask
import distributed  # noqa: F401 - brings its configuration

from oseo_lab.executors.own_cluster import ENVIRONMENT

__all__ = ["environment"]


def environment() -> dict[str, str]:
    """Return this process's environment with what Dask's nanny and our cluster put into a worker's."""
    nanny = dask.config.get("distributed.nanny.pre-spawn-environ")
    return {**os.environ, **{name: str(value) for name, value in nanny.items()}, **ENVIRONMENT}
