"""Warm pools: the instances that SageMaker keeps after a training job for KeepAlivePeriodInSeconds.

There are no instances here that could be kept; the pool is what Describe and List tell of it [source: the developer guide,
"SageMaker Managed Warm Pools"].
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from sagemaker_emulator.jobs import TERMINAL
from sagemaker_emulator.store import Document, Store, copied

# In a job's document: {"by": name of the job that took the pool over, "at": epoch seconds}.
_REUSED = "_warm_pool_reused"


def warm_pool_status(job: Document, at: float) -> Document | None:
    """WarmPoolStatus of a job at a time; None for a job that asks for no pool."""
    period = job["ResourceConfig"].get("KeepAlivePeriodInSeconds")
    if not period:
        return None
    if job["TrainingJobStatus"] not in TERMINAL:
        return {"Status": "InUse"}
    ended, reused = job["TrainingEndTime"], job.get(_REUSED)
    if job.get("FailureReason", "").startswith("InternalServerError"):  # the instances may be broken
        return {"Status": "Terminated", "ResourceRetainedBillableTimeInSeconds": 0}
    until = reused["at"] if reused else min(at, ended + period)
    retained = {"ResourceRetainedBillableTimeInSeconds": math.ceil(until - ended)}
    if reused:
        return {"Status": "Reused", **retained, "ReusedByJob": reused["by"]}
    return {"Status": "Available" if at < ended + period else "Terminated", **retained}


def reuse(store: Store, kind: str, others: Iterable[Document], job: Document) -> None:
    """Give a new job the available pool of another that it matches, if there is one."""
    at = job["CreationTime"]
    for other in others:
        pool = warm_pool_status(other, at)
        if pool and pool["Status"] == "Available" and _needs(other) == _needs(job):
            store.update(
                kind, other["TrainingJobName"], lambda found: found.update({_REUSED: {"by": job["TrainingJobName"], "at": at}})
            )
            return


def _needs(job: Document) -> Document:
    """In what two jobs must be the same for one to run on the other's instances."""
    return {
        **copied(job, "RoleArn", "VpcConfig", "EnableNetworkIsolation", "EnableInterContainerTrafficEncryption"),
        **copied(job["ResourceConfig"], "InstanceType", "InstanceCount", "VolumeSizeInGB", "VolumeKmsKeyId"),
    }
