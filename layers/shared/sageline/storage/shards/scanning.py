"""Where the records of ranges of text begin: each shard is scanned by itself, and the scans are put together."""

from __future__ import annotations

from typing import Protocol

from sageline.dataset.ranges.plan import ShardPlan
from sageline.dataset.ranges.scan import scan_shard as scan
from sageline.dataset.ranges.settle import settle
from sageline.errors import SagelineError
from sageline.storage.shards.object_names import CUT, scan_name
from sageline.storage.shards.reading import opener
from sageline.storage.shards.shard_files import Refused, ShardFiles


class Cut(Protocol):
    """What is stored under :data:`CUT`."""

    @property
    def plan(self) -> ShardPlan: ...


def scan_shard(files: ShardFiles, shard: int) -> None:
    """Scan a shard's ranges of text for the beginnings of records; what keeps them from being read is stored, so that it is said
    once, for the first shard of which it is so."""
    cut: Cut = files.get(CUT)
    try:
        files.put(scan_name(shard), scan(cut.plan, shard, opener(files.s3)))
    except SagelineError as error:
        files.put(scan_name(shard), Refused.because(error))


def settled(plan: ShardPlan, files: ShardFiles) -> ShardPlan:
    """The plan with the exact beginning of each range, as the scans have found.

    Raises:
        InvalidDataset, DatasetNotFound, DatasetAccessDenied: a part could not be read.
    """
    scans = {}
    for shard, found in zip(plan.to_scan, files.each(map(scan_name, plan.to_scan)), strict=True):
        if isinstance(found, Refused):
            raise found.to_error()
        scans[shard] = found
    return settle(plan, scans)
