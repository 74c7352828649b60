"""ConfigureRun: claim the run, read its spec, fill in the defaults from the data, refuse what cannot work.

For a run that scores a batch: find the model and the rows. For one that changes what an endpoint serves: note what is to serve.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

from sageline.arrays.blocks import Coverage
from sageline.batch.batch import Batch, check_columns, read_rows
from sageline.batch.locations import check_input, predictions_uri
from sageline.configuration.batch_plan import batch_cost_parts, is_sharded, plan_batch, scoring_usd, with_batch_plan
from sageline.configuration.candidates import alone_usd, asked_of_auto, configure_candidate, write_candidates
from sageline.configuration.dataset_size import check_size, text_size
from sageline.configuration.given import find_given
from sageline.configuration.preparation_plan import plan_preparation, preparation_usd, why_alone, with_plans
from sageline.configuration.quotas import check_quotas, demands_of_run, demands_of_transform
from sageline.configuration.shared_work import Concurrency, account_concurrency, cost_parts
from sageline.configuration.waiting_limits import CHECK_INTERVAL_SECONDS, check_longest_batch, check_longest_wait
from sageline.costs.budget import check_budget
from sageline.costs.estimate import BillableWork, cost_bound
from sageline.costs.fit_budget import within_budget
from sageline.costs.run_cost import evaluation_work, facts_of
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.profiles.findings import Findings
from sageline.deployment.endpoints import capacity, check_beside, check_capacity_change, find_endpoint
from sageline.errors import EndpointNotFound, InvalidSpec
from sageline.json_objects import Json
from sageline.resolve.candidates import ResolvedRun, resolve_run
from sageline.resolve.inspected.mistakes import check_classes
from sageline.runs.context import RunContext
from sageline.runs.payloads import Configured, PlannedPreparation
from sageline.runs.store import RunRecord, RunStore
from sageline.runs.trigger import (
    BatchRequest,
    CandidateRequest,
    ChangeRequest,
    CompletedDataset,
    RunRequest,
    Upload,
    dataset_uri,
    identify,
    parse_trigger,
)
from sageline.spec.deployment import BESIDE, DeploymentSpec
from sageline.spec.model import BatchSpec, Spec
from sageline.storage.dataset_object import find_object, open_object, read_options
from sageline.storage.dataset_parts import Dataset, sample_dataset
from sageline.training.plan import check_images, check_spot
from sageline.training.source import check_script

_SNIFFED_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class StackOptions:
    """What a stack's parameters say.

    Attributes:
        check_interval_seconds: after how many seconds a waiting run looks by itself; how long it can wait follows from it.
        network_allowed: whether the stack lets scripts use the network.
        max_workers: how many functions may prepare one dataset at once.
    """

    check_interval_seconds: int = CHECK_INTERVAL_SECONDS
    network_allowed: bool = False
    max_workers: int = 200


_DEFAULTS = StackOptions()


def configure(
    execution_arn: str, trigger_document: Mapping[str, object], *, run: RunContext, stack: StackOptions = _DEFAULTS
) -> Configured:
    """Claim the run that the trigger is for and write its resolved spec.

    Raises:
        AlreadyStarted: another execution has claimed it: the trigger was delivered twice.
        InvalidRequest, InvalidSpec, InvalidHyperparameter, InvalidDataset, DatasetNotFound, DatasetAccessDenied: see there.
        ResourceConflict: the endpoint belongs to somebody else, or cannot become what the spec asks for.
        EndpointNotFound: a batch's endpoint or its variant is gone.
        BudgetExceeded: the run could cost more than the spec's budget.
        QuotaExceeded: the run needs more than the account's quotas allow.
        InvalidPrices: the stack's own prices are not what they must be.
        SettingsError: SageMaker has no image for the algorithm in the stack's region.
    """
    trigger = parse_trigger(trigger_document)
    if isinstance(trigger, BatchRequest):
        return configure_batch(execution_arn, trigger, run, stack)
    if isinstance(trigger, ChangeRequest):
        return configure_change(execution_arn, trigger, run)
    if isinstance(trigger, CandidateRequest):
        return configure_candidate(execution_arn, trigger, run)
    return _configure_training(execution_arn, trigger, run, stack)


def _configure_training(
    execution_arn: str,
    trigger: Upload | RunRequest | CompletedDataset,
    run: RunContext,
    stack: StackOptions,
) -> Configured:
    identity = identify(trigger, run.files.s3)
    uri = dataset_uri(trigger)
    run.store.claim(
        RunRecord(run_id=identity.run_id, name=identity.name, execution_arn=execution_arn, dataset_uri=uri, state="ConfigureRun")
    )
    with _noted(identity.run_id, run.store) as found:
        given = find_given(trigger, identity, run.files)
        dataset = given.dataset
        layout = run.files.layout(identity.run_id)
        if dataset.is_folder:
            run.files.put(layout.parts_key, dataset.manifest(), "application/json")
        found |= {"dataset_uri": dataset.uri, "dataset": dataset.to_json(layout)}
        resolved, findings = _resolve(given.spec, dataset, identity.name, run)
        found["schema"] = {**resolved.resolution.schema(), "findings": findings.to_json()}
        resolved = within_budget(resolved, facts_of(run, deployment=resolved.resolution.spec.deployment))
        spec = resolved.resolution.spec
        batch = None if spec.batch is None else _batch_of_spec(spec, spec.batch, identity.run_id, stack, run)
        if batch is not None:
            found["batch"], spec = batch.to_json(), with_batch_plan(spec, batch)
        size = text_size(partial(open_object, run.files.s3), dataset)
        for trained in resolved.trained:
            _check_training(trained, run, stack)
        concurrency = Concurrency(
            account=account_concurrency(run.clients.lambda_), stack=stack.max_workers, runs=len(resolved.trained)
        )
        plans = [_plan(trained, dataset, size, concurrency, run) for trained in resolved.trained]
        found["preparation"] = plans[0]
        spec = with_plans(spec, {trained.algorithm.name: plan for trained, plan in zip(resolved.trained, plans, strict=True)})
        facts = facts_of(run, evaluation_work(spec, jobs=len(resolved.trained)), deployment=spec.deployment)
        facts = replace(facts, parts=(*cost_parts(plans), *batch_cost_parts(batch)))
        estimate = cost_bound(spec, facts, resolved.trained)
        found["cost"] = (
            estimate.to_json() | alone_usd(spec, resolved.candidates, facts) | preparation_usd(plans) | scoring_usd(batch)
        )
        if spec.budget_usd is not None:
            tries_all = spec.tuning is not None and spec.tuning.strategy == "Grid"
            check_budget(spec.budget_usd, estimate, run.files.prices_uri, tries_all=tries_all)
        endpoint_name = None if spec.deployment is None else spec.deployment.endpoint or identity.name
        if spec.deployment is not None and endpoint_name is not None:
            _check_endpoint(spec, spec.deployment, endpoint_name, run)
        check_quotas(demands_of_run(spec, resolved.trained), run.clients.service_quotas, run.region)
        candidates = write_candidates(identity.run_id, resolved.candidates, plans, dataset, run=run)
        if candidates:
            found |= {"candidates": candidates, "auto": asked_of_auto(spec)}
        run.files.write_given_spec(identity.run_id, given.spec)
        run.files.write_spec(identity.run_id, spec)
        found["endpoint_name"] = endpoint_name
    then: Literal["deploy", "batch", "nothing"] = "deploy" if spec.deployment else "batch" if spec.batch else "nothing"
    configured: Configured = {"run_id": identity.run_id, "endpoint_name": endpoint_name, "kind": "training", "then": then}
    if plans[0]["shards"] is not None:
        configured["sharded"] = True
    if is_sharded(batch):
        configured["batch_sharded"] = True
    if candidates:
        run.store.enter(identity.run_id, "TrainCandidates")  # which has no function of its own to note it
        configured |= {"kind": "auto", "candidates": [candidate["run_id"] for candidate in candidates]}
    return configured


def _plan(spec: Spec, dataset: Dataset, size: int, concurrency: Concurrency, run: RunContext) -> PlannedPreparation:
    """How the dataset is prepared; refuse what could not be."""
    plan = plan_preparation(dataset, spec, size, concurrency)
    if plan["shards"] is None:
        check_size(partial(open_object, run.files.s3), dataset, spec, size, alone=why_alone(dataset, spec) or "")
    return plan


def _check_training(spec: Spec, run: RunContext, stack: StackOptions) -> None:
    """Refuse what could not be trained."""
    check_script(spec, run.files, network_allowed=stack.network_allowed)
    check_images(spec.algorithm, run.region)
    check_spot(spec.algorithm)
    check_longest_wait(spec, stack.check_interval_seconds)


def configure_batch(execution_arn: str, trigger: BatchRequest, run: RunContext, stack: StackOptions) -> Configured:
    """Claim a batch, and note which model scores which version of the rows.

    Raises:
        AlreadyStarted: another execution has claimed it.
        EndpointNotFound: the endpoint was deleted, or no longer has the variant.
        InvalidRequest: the batch may take longer than the run can wait, or its rows are not where they may be read.
        InvalidDataset, DatasetNotFound, DatasetAccessDenied: the rows cannot be read.
        QuotaExceeded: the batch needs more than the account's quotas allow.
    """
    identity = identify(trigger, run.files.s3)
    endpoint = trigger.endpoint
    run.store.claim(
        RunRecord(
            run_id=identity.run_id,
            name=identity.name,
            execution_arn=execution_arn,
            endpoint_name=endpoint,
            dataset_uri=trigger.input,
            state="ConfigureRun",
        )
    )
    check_longest_batch(trigger.max_runtime_seconds, stack.check_interval_seconds)
    stored = run.routings.find(endpoint)
    if stored is None or stored.routing is None:
        raise EndpointNotFound(f"Endpoint {endpoint} was deleted; `sageline endpoints` lists those that are there.")
    variant = stored.routing.variant(trigger.variant)
    if variant is None:
        raise EndpointNotFound(
            f"Endpoint {endpoint} does not serve {trigger.variant} any more; start the batch again for the model that it serves."
        )
    check_input(trigger.input, run.files.bucket)
    batch = Batch(
        rows=find_object(run.files.s3, trigger.input),
        model=variant.model_version,  # the isolated one, whichever it serves with
        encoder_uri=variant.encoder_uri,
        output=predictions_uri(run.files.layout(identity.run_id), trigger.input),
        instance_type=trigger.instance_type,
        instance_count=trigger.instance_count,
        endpoint=endpoint,
        variant=variant.name,
        escape_formulas=trigger.escape_formulas,
    )
    with _noted(identity.run_id, run.store) as found:
        found["batch"] = batch.to_json()
        model_spec = run.files.read_spec(batch.trained_by)
        batch = plan_batch(batch, model_spec, trigger.workers, stack.max_workers, run)
        found["batch"] = batch.to_json()
        facts = replace(facts_of(run, _work(trigger)), parts=batch_cost_parts(batch))
        found["cost"] = cost_bound(None, facts).to_json() | scoring_usd(batch)
        demands = demands_of_transform(trigger.instance_type, trigger.instance_count, "instance_type")
        check_quotas(demands, run.clients.service_quotas, run.region)
    configured: Configured = {"run_id": identity.run_id, "endpoint_name": endpoint, "kind": "batch", "then": "nothing"}
    if is_sharded(batch):
        configured["batch_sharded"] = True
    return configured


def configure_change(execution_arn: str, trigger: ChangeRequest, run: RunContext) -> Configured:
    """Claim a change of what an endpoint serves.

    Raises:
        AlreadyStarted: another execution has claimed it.
    """
    identity = identify(trigger, run.files.s3)
    endpoint = trigger.change.goal.endpoint
    run.store.claim(
        RunRecord(
            run_id=identity.run_id,
            name=identity.name,
            execution_arn=execution_arn,
            endpoint_name=endpoint,
            state="ConfigureRun",
            details={"change": trigger.change.to_json()},
        )
    )
    return {"run_id": identity.run_id, "endpoint_name": endpoint, "kind": "change", "then": "deploy"}


@contextmanager
def _noted(run_id: str, store: RunStore) -> Iterator[Json]:
    """What is found out of a run, written into its record at once; also of one that is then refused."""
    found: Json = {}
    try:
        yield found
    finally:
        if found:
            store.note(run_id, **found)


def _work(trigger: BatchRequest) -> BillableWork:
    return BillableWork(
        what="batch",
        use="transform",
        instance_type=trigger.instance_type,
        instances=trigger.instance_count,
        seconds=trigger.max_runtime_seconds,
    )


def _batch_of_spec(spec: Spec, wanted: BatchSpec, run_id: str, stack: StackOptions, run: RunContext) -> Batch:
    """The batch that a spec asks for, of the model that the run will train. What can be refused now is not refused after hours of
    training."""
    check_input(wanted.input, run.files.bucket)
    layout = run.files.layout(run_id)
    batch = Batch(
        rows=find_object(run.files.s3, wanted.input),
        model=run_id,
        encoder_uri=layout.uri(layout.encoder_prefix),
        output=predictions_uri(layout, wanted.input),
        instance_type=wanted.instance_type,
        instance_count=wanted.instance_count,
        escape_formulas=wanted.escape_formulas,
    )
    features = spec.dataset.features or {}
    first = next(read_rows(run.files, batch, features, _SNIFFED_BLOCK_BYTES))
    pixels = [name for name, kind in features.items() if kind == "pixel"]
    check_columns(first, features, pixels, {str(spec.dataset.label), *spec.left_out})
    return plan_batch(batch, spec, wanted.workers, stack.max_workers, run)


def _resolve(given: Spec, dataset: Dataset, name: str, run: RunContext) -> tuple[ResolvedRun, Findings]:
    """The spec as a sample of the rows has it, and what that has found of the columns; PrepareData, which sees all rows, resolves
    the spec for good."""
    notes, coverage = list[str](), Coverage()
    options = read_options(given.dataset, given.encoder)
    blocks = sample_dataset(run.files.s3, dataset, options, notes, _SNIFFED_BLOCK_BYTES, coverage=coverage)
    profile = DatasetProfile.of(blocks, notes, coverage)
    resolved = resolve_run(given, profile, name=name, uri=dataset.uri)
    check_classes(profile, resolved.resolution, dataset.uri)
    return resolved, resolved.resolution.findings(profile.findings())


def _check_endpoint(spec: Spec, deployment: DeploymentSpec, endpoint_name: str, run: RunContext) -> None:
    endpoint, sagemaker = find_endpoint(endpoint_name, run), run.clients.sagemaker
    if endpoint is not None:
        check_capacity_change(sagemaker, endpoint, capacity(deployment))
        if deployment.strategy in BESIDE:
            check_beside(sagemaker, endpoint)
    if spec.evaluation.beat_champion:
        _check_champion(spec, endpoint_name, run)


def _check_champion(spec: Spec, endpoint_name: str, run: RunContext) -> None:
    """Models of two tasks have no metric in common. What else keeps two from being compared is known after the training."""
    stored = run.routings.find(endpoint_name)
    if stored is None or stored.routing is None:
        return
    champion = stored.routing.champion
    served = run.files.find_spec(champion.model_version)
    if served is not None and served.task != spec.task:
        raise InvalidSpec(
            f"spec: `evaluation.beat_champion` compares with {champion.name}, which endpoint {endpoint_name} serves: that does a "
            f"{served.task}, and this run a {spec.task}. Leave `beat_champion` out, or give `deployment.endpoint` another name."
        )
