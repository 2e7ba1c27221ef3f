"""One item, from job to report: stage, process, pack, deliver. Runs on the worker; never raises.

The executor calls `run_item` with two plain callables and sends on what it returns. Nothing here knows
Dask, the store or the settings.
"""

from __future__ import annotations

import errno
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from urllib.error import HTTPError

from oseo_lab.model.delivery import Packaging
from oseo_lab.model.errors import ConfigurationError
from oseo_lab.model.job import (
    CatalogueItem,
    DeliveredFile,
    Failure,
    FailureClass,
    ItemJob,
    ItemReport,
    Product,
    Progress,
)
from oseo_lab.model.reuse import Earlier
from oseo_lab.plugins import load
from oseo_lab.ports import ProcessingFailed
from oseo_lab.production.inputs import find_inputs
from oseo_lab.production.order_package import entries_of_order
from oseo_lab.production.packaging import entries_of, pack
from oseo_lab.production.records import ITEM, MANIFEST, measured, rewrite_item, write_item, write_manifest
from oseo_lab.production.reusing import Unusable, fetch, source_of
from oseo_lab.production.workspace import JobWorkspace

__all__ = ["failure_of", "run_item"]

#: Operating-system errors that another try, perhaps elsewhere, may not meet.
PASSING = frozenset(
    {
        errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE, errno.ENOMEM,
        errno.EAGAIN, errno.EBUSY, errno.ETIMEDOUT, errno.ECONNRESET, errno.ECONNREFUSED, errno.EPIPE,
        errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN,
    }
)  # fmt: skip
#: Names of exceptions, anywhere in a class's ancestry, with which libraries say that the network failed.
NETWORK = frozenset(
    {
        "ConnectionError",
        "TimeoutError",
        "Timeout",
        "TransportError",
        "URLError",
        "HTTPException",
        "gaierror",
        "EndpointConnectionError",
    }
)
#: Characters of a trace that are kept.
DETAIL = 8000


@dataclass
class _Made:
    """What a job has come to so far: ``state`` of its source, ``document`` of a result that is used again."""

    source: CatalogueItem | None = None
    state: str | None = None
    document: Mapping[str, Any] | None = None
    products: list[Product] = field(default_factory=list)
    inside: list[Product] = field(default_factory=list)


def run_item(
    job: ItemJob,
    *,
    progress: Callable[[Progress], None],
    cancelled: Callable[[], bool],
    worker: str,
) -> ItemReport:
    """Make and deliver one item.

    Parameters
    ----------
    job : ItemJob
        Everything there is to know.
    progress : callable
        Takes at most two `Progress` messages a second.
    cancelled : callable
        Says whether the item is not wanted any more; asked often, so it must be cheap.
    worker : str
        Where this runs, for the report.

    Returns
    -------
    ItemReport
        With the delivered files, or with the failure: whatever a plugin raises becomes one.
    """
    started = datetime.now(UTC)
    workspace = JobWorkspace(job.scratch, job.key, progress=progress, cancelled=cancelled)
    files: Sequence[DeliveredFile] = ()
    failure: Failure | None = None
    is_unusable = False
    try:
        with workspace:
            files = _deliver(job, _make(job, workspace), workspace)
    except Unusable as unusable:
        is_unusable, failure = True, _not_used(unusable)
    except Exception as error:  # every failure of a plugin is a report, never a crash
        failure = _with_usual(failure_of(error), job)
    return ItemReport(
        key=job.key,
        order_id=job.order_id,
        number=job.number,
        attempt=job.attempt,
        files=() if failure else tuple(files),
        failure=failure,
        worker=worker,
        started=started,
        ended=datetime.now(UTC),
        log=tuple(workspace.lines),
        recipe=job.recipe,
        earlier=job.earlier,
        is_unusable=is_unusable,
    )


def _with_usual(failure: Failure, job: ItemJob) -> Failure:
    """Say how long the archive usually takes, where only the operator knows it."""
    usually = job.catalogue_settings.get("restore")
    is_told = failure.failure_class is not FailureClass.WAITING or failure.usually is not None
    return failure if is_told or not isinstance(usually, int | float) else replace(failure, usually=usually)


def _make(job: ItemJob, workspace: JobWorkspace) -> _Made:
    workspace.cancelled()
    if job.is_order_package:
        workspace.stage("packing", "delivering")
        entries = entries_of_order(job)
        return _Made(products=pack(entries, job.packaging or Packaging.ZIP, "order", workspace))
    if job.earlier is not None:
        return _used_again(job, job.earlier, workspace)
    after = ("delivering",) if job.packaging is None else ("packing", "delivering")
    workspace.stage("staging", "processing", *after)
    inputs = find_inputs(job)
    state = source_of(inputs)
    workspace.cancelled()
    workspace.stage("processing", *after)
    made = _checked(_plugin("processor", job.processor)(job, inputs, workspace))
    workspace.cancelled()
    if job.packaging is None:
        return _Made(source=inputs.item, state=state, products=made, inside=made)
    workspace.stage("packing", "delivering")
    packed = pack(entries_of(made, workspace), job.packaging, f"item-{job.number}", workspace)
    return _Made(source=inputs.item, state=state, products=packed, inside=made)


def _used_again(job: ItemJob, earlier: Earlier, workspace: JobWorkspace) -> _Made:
    """Bring an earlier result here, if it is what would be made now: the catalogue is asked all the same."""
    workspace.stage("reusing", "delivering")
    inputs = find_inputs(job, restores=False)
    kept = fetch(job, earlier, inputs, workspace)
    return _Made(source=inputs.item, state=kept.source, products=kept.products, document=kept.document)


def _not_used(unusable: Unusable) -> Failure:
    reason = f"an earlier result was not used again, for {unusable}; the item is made anew"
    return Failure(failure_class=FailureClass.TRANSIENT, reason=reason, counts=False)


def _deliver(job: ItemJob, made: _Made, workspace: JobWorkspace) -> Sequence[DeliveredFile]:
    workspace.stage("delivering")
    now = datetime.now(UTC)
    if job.earlier is not None and made.document is not None:
        products = list(made.products)  # measured when they were checked
        products.append(rewrite_item(job, job.earlier, made.document, now, workspace))
    else:
        products = [measured(product, workspace) for product in made.products]
        products.append(write_item(job, made.source, products, now, workspace, made.inside))
    products.append(write_manifest(job, products, now, workspace, made.state))
    workspace.cancelled()
    delivered: Sequence[DeliveredFile] = _plugin("delivery", job.delivery)(job, products, workspace)
    return delivered


def _plugin(kind: str, name: str) -> Any:
    """Return a plugin to call; one that is a class is made without arguments."""
    found = load(kind, name)
    return found() if isinstance(found, type) else found


def _checked(products: Sequence[Product]) -> list[Product]:
    names = [product.name for product in products]
    reserved = {ITEM, MANIFEST} & set(names)
    if not names or reserved or len(set(names)) != len(names):
        raise ValueError(
            f"the processor made {names}; wanted: at least one file, each name once, not {reserved}"
        )
    return [replace(product, properties=dict(product.properties)) for product in products]


def failure_of(error: BaseException) -> Failure:
    """Turn whatever stopped an item into a failure: what may help, a sentence, and a trace for operators."""
    trace = "".join(traceback.format_exception(error))[-DETAIL:]
    if isinstance(error, ProcessingFailed):
        return Failure(
            failure_class=error.failure_class,
            reason=error.reason,
            detail=error.detail,
            usually=error.usually,
        )
    if isinstance(error, MemoryError):
        return Failure(
            failure_class=FailureClass.TRANSIENT, reason="the worker ran out of memory", detail=trace
        )
    if _is_passing(error):
        reason = "storage or network did not answer as they should; this is tried again"
        return Failure(failure_class=FailureClass.TRANSIENT, reason=reason, detail=trace)
    if isinstance(error, HTTPError):
        reason = f"the product's server answered {error.code} {error.reason}"
        return Failure(failure_class=FailureClass.PERMANENT, reason=reason, detail=trace)
    if isinstance(error, ConfigurationError):
        reason = "this service is not set up to make the item; its operator has to look"
        return Failure(failure_class=FailureClass.INTERNAL, reason=reason, detail=error.text)
    reason = "the item could not be made because of an internal error; its operator has the details"
    return Failure(failure_class=FailureClass.INTERNAL, reason=reason, detail=trace)


def _is_passing(error: BaseException) -> bool:
    if isinstance(error, HTTPError):
        return error.code >= 500 or error.code in (408, 425, 429)
    if isinstance(error, OSError) and error.errno in PASSING:
        return True
    return any(each.__name__ in NETWORK for each in type(error).__mro__)
