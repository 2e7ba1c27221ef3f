"""A Dask client for the executor: of this machine's own cluster, or of one that exists already.

An operator names a scheduler or a factory; what is named is checked before a job travels there.
"""

from __future__ import annotations

import importlib
import ipaddress
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from oseo_lab.executors.own_cluster import OwnCluster
from oseo_lab.model.errors import ConfigurationError

__all__ = ["Connection", "Place"]

#: Packages that must be the same version here and on every worker.
SAME = ("python", "dask", "distributed", "msgpack", "cloudpickle", "oseo_lab")
#: Seconds to wait for a scheduler, and for goodbyes.
PATIENCE = 20.0


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where jobs run, as the operator says.

    Parameters
    ----------
    scheduler : str
        Address, or ``file:`` and the path of a scheduler file.
    factory : mapping
        ``module``, ``class``, ``args``, ``kwargs`` of a cluster.
    workers, threads_per_worker : int
        Of this machine's cluster; 0 workers means its cores.
    scratch : Path or None
        Where this machine's workers keep their own files.
    trust_network : bool
        Allow a scheduler outside loopback without TLS.
    dashboard : str or None
        Address of this machine's dashboard; none unless asked for.

    Raises
    ------
    ConfigurationError
        If two places are named, or one that is not safe to talk to.
    """

    scheduler: str = ""
    factory: Mapping[str, Any] = field(default_factory=dict)
    workers: int = 0
    threads_per_worker: int = 1
    scratch: Path | None = None
    trust_network: bool = False
    dashboard: str | None = None

    def __post_init__(self) -> None:
        if self.scheduler and self.factory:
            raise ConfigurationError("name a Dask scheduler or a cluster factory, not both")
        if self.scheduler and not self.scheduler.startswith("file:"):
            self.check(self.scheduler)
        unknown = set(self.factory) - {"module", "class", "args", "kwargs"}
        if self.factory and (unknown or not {"module", "class"} <= set(self.factory)):
            raise ConfigurationError("a cluster factory has module, class, and perhaps args and kwargs")

    def check(self, address: str) -> None:
        """Refuse an address where jobs would travel a network in the clear."""
        parts = urlsplit(address if "://" in address else f"tcp://{address}")
        if parts.scheme in ("tls", "wss", "inproc") or self.trust_network or _is_loopback(parts.hostname):
            return
        raise ConfigurationError(
            f"the Dask scheduler {address!r} is on another machine and has no TLS; "
            "use a tls:// address, or set trust_network if the network is yours alone"
        )

    def connect(self) -> Connection:
        """Start or find the cluster and connect to it.

        Raises
        ------
        ConfigurationError
            If it cannot be, or its workers have other versions than this process.
        OSError
            If it is out of reach.
        """
        if self.scheduler:
            client = _client(self._address())
            connection = Connection(client=client, cluster=None, dashboard=_dashboard(client))
        elif self.factory:
            cluster = self._made()
            client = _client(cluster)
            connection = Connection(client=client, cluster=cluster, dashboard=_dashboard(client))
        else:
            own = OwnCluster(
                workers=self.workers or os.cpu_count() or 1,
                threads_per_worker=self.threads_per_worker,
                scratch=str(self.scratch / "dask") if self.scratch else None,
                dashboard=self.dashboard,
            )
            client = _client(own.scheduler_address, security=own.security)
            return Connection(
                client=client, cluster=own, dashboard=_dashboard(client) if self.dashboard else None
            )
        try:
            check_versions(connection.client)
        except ConfigurationError:
            connection.close()
            raise
        return connection

    def _address(self) -> str:
        if not self.scheduler.startswith("file:"):
            return self.scheduler
        path = Path(self.scheduler.removeprefix("file:").removeprefix("//"))
        try:
            address = str(json.loads(path.read_text())["address"])
        except (OSError, ValueError, KeyError) as broken:
            raise ConfigurationError(f"{path} is not a Dask scheduler file: {broken!r}") from broken
        self.check(address)
        return address

    def _made(self) -> Any:
        try:
            make = getattr(importlib.import_module(self.factory["module"]), self.factory["class"])
        except (ImportError, AttributeError) as broken:
            raise ConfigurationError(f"the cluster factory cannot be loaded: {broken}") from broken
        return make(*self.factory.get("args", ()), **self.factory.get("kwargs", {}))


@dataclass(frozen=True, kw_only=True)
class Connection:
    """A client, and the cluster where it is ours to close."""

    client: Any
    cluster: Any
    dashboard: str | None = None

    @property
    def is_alive(self) -> bool:
        """Whether the client has not given up and our own cluster's process is there."""
        is_there = self.cluster.is_alive if isinstance(self.cluster, OwnCluster) else True
        return is_there and self.client.status != "closed"

    @property
    def is_own(self) -> bool:
        """Whether the cluster is this process's own, so that nobody else can have cancelled a task."""
        return isinstance(self.cluster, OwnCluster)

    def close(self) -> None:
        """Let go."""
        self.client.close(timeout=PATIENCE)
        if self.cluster is not None:
            self.cluster.close()


def _client(address: Any, **more: Any) -> Any:
    import distributed

    make: Any = distributed.Client  # its own annotations are partial
    return make(address, set_as_default=False, timeout=PATIENCE, **more)


def _dashboard(client: Any) -> str | None:
    """Return the address of a cluster's dashboard; None where it has none, or does not tell.

    Dask's setting ``distributed.dashboard.link`` says how users reach it: a path is one of this server.
    """
    try:
        link = str(client.dashboard_link or "")
    except (KeyError, ValueError, OSError, AttributeError):
        return None
    is_path = link.startswith("/") and not link.startswith("//")
    return link if is_path or urlsplit(link).scheme in ("http", "https") else None


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False


def check_versions(client: Any) -> None:
    """Compare this process with every worker there is.

    Raises
    ------
    ConfigurationError
        If a package differs; names each with its versions.
    """
    found = client.get_versions(packages=["oseo_lab"])
    here = _versions(found["client"])
    workers = {address: _versions(each) for address, each in found["workers"].items()}
    wrong = [
        f"{name} is {here[name]} here and {each[name] or 'missing'} on {address}"
        for address, each in workers.items()
        for name in SAME
        if each[name] != here[name]
    ]
    if wrong:
        raise ConfigurationError("workers need the same packages as this server: " + "; ".join(wrong[:20]))


def _versions(node: Any) -> dict[str, str | None]:
    packages = node["packages"] if node else {}
    own = {name: packages.get(name) for name in SAME}
    own["python"] = ".".join(str(own["python"]).split(".")[:2])
    return own
