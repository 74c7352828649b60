"""MergeFit: merge what the shards have counted, and say what is to be read next. Of many shards, groups are merged first, each by
a function of its own."""

from __future__ import annotations

from sageline.dataset.profile import DatasetProfile
from sageline.dataset.ranges.joined_parts import check_rows
from sageline.dataset.ranges.read import join_notes
from sageline.errors import SagelineError
from sageline.preparation.finish import note_warnings
from sageline.preparation.run_dataset import RunDataset
from sageline.preparation.shards.merge import Merged, next_round
from sageline.preparation.shards.object_names import FITTED, fit_name, group_name, merged_name, round_name
from sageline.preparation.shards.shard_fit import Round, ShardFit
from sageline.preparation.shards.sharding import Fitted, Sharding
from sageline.resolve.resolution import Resolution
from sageline.runs.context import RunContext
from sageline.runs.documents import RunFiles
from sageline.runs.payloads import MergedFit
from sageline.spec.decision import can_decide
from sageline.storage.shards.object_names import SHARDING
from sageline.storage.shards.shard_files import Refused, ShardFiles


def merge_group(run_id: str, number: int, group: int, *, run_files: RunFiles) -> None:
    """Merge what the shards of a group have counted in a round; what kept one of them from being read is kept."""
    files = ShardFiles(run_files, run_id)
    sharding: Sharding = files.get(SHARDING)
    done: Round = files.get(round_name(number))
    merged = _nothing(done, sharding)
    try:
        merged.add(files.each(fit_name(number, shard) for shard in done.shards_of(group)))
    except SagelineError as error:
        files.put(group_name(number, group), ShardFit(refused=Refused.because(error)))
    else:
        files.put(group_name(number, group), merged.to_fit())


def merge_fit(run_id: str, number: int, *, run: RunContext) -> MergedFit:
    """Merge what the shards have counted in a round, or what the groups have that they were merged to.

    Raises:
        InvalidDataset: as :func:`sageline.preparation.prepare.prepare_data`.
        InvalidSpec: as there.
    """
    run.store.enter(run_id, "MergeFit")
    files = ShardFiles(run.files, run_id)
    sharding: Sharding = files.get(SHARDING)
    done: Round = files.get(round_name(number))
    begin, end = done.shards
    merged = _nothing(done, sharding)
    before = [merged_name(number - 1)] if begin else []
    groups = [group_name(number, group) for group in range(done.groups)]
    merged.add(files.each([*before, *(groups or [fit_name(number, shard) for shard in range(begin, end)])]))
    shards = len(sharding.plan.shards)
    if end < shards:
        files.put(merged_name(number), merged.to_fit())
        return _asked(files, merged.rest_of(done, shards), run)
    of = RunDataset.of(run_id, run)

    def resolve(profile: DatasetProfile) -> Resolution:
        profile.notes = [*sharding.notes, *join_notes(sharding.plan, merged.said)]
        if sharding.plan.is_folder:
            check_rows(sharding.plan.uri, profile.rows_of_sides, has_test=sharding.plan.has_test)
        resolution = of.resolve(profile)
        run.store.enter(run_id, "MergeFit", schema=of.schema)
        return resolution

    following = next_round(done, merged, shards, resolve)
    if isinstance(following, Round):
        return _asked(files, following, run)
    note_warnings(following, of, run)
    following.forget_survey()
    asks_validation = of.is_candidate or can_decide(
        following.resolution.spec.decision, of.spec.task or "", following.encoder.answers
    )
    files.put(FITTED, Fitted(following, asks_validation))
    run.store.enter(run_id, "EncodeShards")
    return {"again": False, "round": number, "begin": 0, "end": shards, "groups": 0}


def _nothing(done: Round, sharding: Sharding) -> Merged:
    """What no shard has counted yet."""
    return Merged.nothing(done, DatasetProfile(findings=sharding.findings) if done.reads == "profile" else None)


def _asked(files: ShardFiles, following: Round, run: RunContext) -> MergedFit:
    files.put(round_name(following.number), following)
    run.store.enter(files.layout.run_id, "FitShards")
    begin, end = following.shards
    return {"again": True, "round": following.number, "begin": begin, "end": end, "groups": following.groups}
