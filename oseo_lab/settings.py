"""What an operator settles, as one frozen value parsed from a mapping.

`oseo_lab.extension` makes it from traitlets, tests make it directly, `oseo_lab.wiring` builds the
services from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.notify import address_of_mail

__all__ = ["SMTP", "Settings"]

#: The settings that mail is sent by.
SMTP = ("smtp_host", "smtp_port", "smtp_user", "smtp_password_file", "smtp_from", "smtp_tls")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be configured, with its default.

    Parameters
    ----------
    data_dir : Path
        Where the order store, results, scratch and keys lie.
    database_url : str
        SQLAlchemy URL; SQLite in ``data_dir`` where empty.
    collections : Path or None
        Folder of collection files (TOML); None for no collection.
    owner : str
        Whose orders they are on a server known only by its token.
    title, provider_name, provider_site : str
        Said in the capabilities document.
    dask_scheduler : str
        Address, or ``file:`` and the path of a scheduler file; a LocalCluster where empty.
    dask_factory : mapping
        ``module``, ``class``, ``args``, ``kwargs`` of a cluster, as dask-labextension names them.
    dask_dashboard : str
        Address of the LocalCluster's dashboard, such as ``127.0.0.1:8787``; none where empty. It knows no
        users: whoever reaches the address sees what the workers do.
    workers, threads_per_worker : int
        Of the LocalCluster; 0 workers means this machine's cores.
    trust_network : bool
        Allow a scheduler outside loopback without TLS.
    executor : str
        ``dask``, or ``inline`` to work in this process.
    dispatch : bool
        Whether this server works on orders; off for one that only answers.
    max_in_flight : int
        Most items claimed at a time by one dispatcher.
    lease, renew : float
        Seconds a claim holds, and between its renewals.
    max_attempts : int
        Tries at an item whose failures are transient.
    retry_delay : float
        Seconds before the second try; doubles for each further one.
    max_body : int
        Bytes of a request body.
    insecure_passwords : bool
        Accept passwords over plain http from other machines.
    abstract, keywords, fees, access_constraints, contact_name, contact_position, contact_phone : str
        Said in the capabilities document; keywords and constraints are parted by commas.
    languages : str
        Languages of the texts, parted by commas.
    operators : tuple of str
        Owners who may do what operators do: the server's own owner, where none is named.
    sps_url : str
        Address of the linked Sensor Planning Service; tasking orders are refused where empty.
    callbacks : bool
        Whether users are called back (SubmitResponse, CancelResponse, GetQuotationResponse, Notify).
    callback_hosts : tuple of str
        Hosts (``name``, ``name:port``, address or network) that may be called back though they are private.
    callback_tries : int
        Tries at sending a notice before it is given up.
    public_url : str
        Where this service is for programs elsewhere, ending in ``/oseo/``: providers that call back, and
        consumers of notifications. Where empty, they are not given an address.
    smtp_host, smtp_port : str, int
        The mail server that notifications go by; no mail is sent where the host is empty.
    smtp_user, smtp_password_file : str
        By which name it knows this service, and a file that holds the password, read at each message.
    smtp_from : str
        Whom mail comes from.
    mail_domains : tuple of str
        Where mail may go: the part of addresses behind the ``@``; anywhere, where none is named.
    smtp_tls : str
        ``starttls``, ``tls`` (from the first byte) or ``none``.
    """

    data_dir: Path
    database_url: str = ""
    collections: Path | None = None
    owner: str = "local"
    title: str = "oseo_lab ordering service"
    provider_name: str = "oseo_lab"
    provider_site: str = ""
    dask_scheduler: str = ""
    dask_factory: Mapping[str, Any] = field(default_factory=dict)
    dask_dashboard: str = ""
    workers: int = 0
    threads_per_worker: int = 1
    trust_network: bool = False
    executor: str = "dask"
    dispatch: bool = True
    max_in_flight: int = 200
    lease: float = 60.0
    renew: float = 20.0
    max_attempts: int = 4
    retry_delay: float = 5.0
    max_body: int = 16 * 1024 * 1024
    insecure_passwords: bool = False
    abstract: str = ""
    keywords: str = ""
    fees: str = ""
    access_constraints: str = ""
    contact_name: str = ""
    contact_position: str = ""
    contact_phone: str = ""
    languages: str = "en"
    operators: tuple[str, ...] = ()
    sps_url: str = ""
    callbacks: bool = True
    callback_hosts: tuple[str, ...] = ()
    callback_tries: int = 12
    public_url: str = ""
    smtp_host: str = ""
    smtp_port: int = 587
    smtp_user: str = ""
    smtp_password_file: str = ""
    smtp_from: str = ""
    smtp_tls: str = "starttls"
    mail_domains: tuple[str, ...] = ()

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Settings:
        """Make settings from a mapping of the same names.

        Raises
        ------
        ConfigurationError
            If a name is unknown or a value out of range; all of them at once.
        """
        known = {each.name for each in fields(cls)}
        problems = [f"unknown setting {name!r}" for name in values if name not in known]
        settings = cls(**{name: value for name, value in values.items() if name in known})
        problems += settings._problems()
        if problems:
            raise ConfigurationError("; ".join(problems))
        return settings

    def _problems(self) -> list[str]:
        positive = (
            "max_in_flight",
            "lease",
            "renew",
            "max_attempts",
            "retry_delay",
            "max_body",
            "callback_tries",
        )
        problems = [f"{name} must be above 0" for name in positive if getattr(self, name) <= 0]
        if self.renew >= self.lease:
            problems.append("renew must be shorter than lease")
        if self.executor not in ("dask", "inline"):
            problems.append(f"executor {self.executor!r} is unknown; allowed: dask, inline")
        return [*problems, *self._mail_problems()]

    def _mail_problems(self) -> list[str]:
        problems = []
        if self.smtp_tls not in ("starttls", "tls", "none"):
            problems.append(f"smtp_tls {self.smtp_tls!r} is unknown; allowed: starttls, tls, none")
        if self.smtp_host and not address_of_mail(self.smtp_from):
            problems.append(f"smtp_from {self.smtp_from!r} is no address; mail comes from one, name@host")
        if not 0 < self.smtp_port < 65536:
            problems.append(f"smtp_port {self.smtp_port} is no port; allowed: 1 to 65535")
        is_near = self.smtp_host in ("localhost", "127.0.0.1", "::1")
        if self.smtp_user and self.smtp_tls == "none" and not is_near:
            problems.append("smtp_user needs smtp_tls: without it the password can be read on the way")
        path = self.smtp_password_file
        if self.smtp_user and not (path and Path(path).expanduser().is_file()):
            problems.append(f"smtp_user needs smtp_password_file: there is no file {path!r}")
        return problems

    @property
    def results_dir(self) -> Path:
        """Where deliveries lie."""
        return self.data_dir / "results"

    @property
    def scratch_dir(self) -> Path:
        """Where workers work."""
        return self.data_dir / "scratch"
