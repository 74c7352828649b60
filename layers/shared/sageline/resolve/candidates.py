"""The algorithm ``auto``: which algorithms are trained side by side for a dataset, each with a spec of its own."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from sageline.algorithms.presets import settings
from sageline.dataset.profile import DatasetProfile
from sageline.errors import InvalidDataset, InvalidHyperparameter, InvalidSpec
from sageline.json_objects import Json
from sageline.resolve.resolution import Resolution
from sageline.resolve.resolve import resolve_spec
from sageline.resolve.split import says_validation
from sageline.spec.model import NO_VALIDATION, Spec, validate_spec
from sageline.spec.training import AUTO, DEFAULT_PRESET

_OF_TABLES = ("xgboost", "linear-learner")
_OF_IMAGES = ("knn", "tensorflow")
_OF_TEXTS_ONLY = ("blazingtext",)

_LONG_TEXT = 100
"""Words from which on a text is long: BlazingText, which reads nothing else, learns what words are alike."""

_Refusal: TypeAlias = InvalidDataset | InvalidSpec | InvalidHyperparameter

_OWN_REASONS = ("encoder", "target", "algorithm", "tuning")
"""Sections of the spec that every candidate has its own of."""


@dataclass(frozen=True)
class Candidate:
    """One of the algorithms that ``auto`` trains.

    Attributes:
        given: the run's spec as it would be if it named this algorithm and its settings, and ended with the model.
        resolution: of ``given``.
    """

    algorithm: str
    given: Spec
    resolution: Resolution


@dataclass(frozen=True)
class ResolvedRun:
    """A run's spec, resolved.

    Attributes:
        resolution: of the spec; for ``auto`` without what its candidates have each their own of.
        candidates: of ``auto``; empty for an algorithm that the spec names.
        refused: algorithms of ``auto`` that cannot learn from the data, and why.
    """

    resolution: Resolution
    candidates: tuple[Candidate, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)

    @property
    def trained(self) -> list[Spec]:
        """The resolved specs of all training and tuning jobs."""
        return [candidate.resolution.spec for candidate in self.candidates] or [self.resolution.spec]


def resolve_run(spec: Spec, profile: DatasetProfile, *, name: str, uri: str) -> ResolvedRun:
    """Resolve a spec as :func:`sageline.resolve.resolve.resolve_spec` does; of ``auto``, choose the algorithms too.

    Raises:
        InvalidDataset, InvalidSpec, InvalidHyperparameter: see there; for ``auto`` where every algorithm is refused.
        InvalidSpec: ``auto`` without validation rows.
    """
    if spec.algorithm.name != AUTO:
        return ResolvedRun(resolve_spec(spec, profile, name=name, uri=uri))

    def resolve(given: Spec) -> Resolution:
        return resolve_spec(given, profile, name=name, uri=uri)

    reads_tokens = spec.encoder is not None and spec.encoder.kind == "tokens"
    whole = resolve(spec)
    _check_validation(whole.spec, profile)
    kinds = frozenset((whole.spec.dataset.features or {}).values())
    names = _OF_TEXTS_ONLY if reads_tokens else _algorithms(whole.spec, kinds, profile)
    candidates: list[Candidate] = []
    problems: dict[str, _Refusal] = {}
    for algorithm in names:
        try:
            candidates.append(_candidate(spec, algorithm, names, kinds, resolve))
        except (InvalidDataset, InvalidSpec, InvalidHyperparameter) as error:
            problems[algorithm] = error
    if not candidates:
        raise next(iter(problems.values()))
    if problems:  # those that are left share the preset's trials
        left = tuple(candidate.algorithm for candidate in candidates)
        candidates = [_candidate(spec, algorithm, left, kinds, resolve) for algorithm in left]
    refused = {algorithm: problem.message for algorithm, problem in problems.items()}
    return ResolvedRun(_of_all(spec, whole, candidates, refused), tuple(candidates), refused)


def _candidate(
    spec: Spec, algorithm: str, among: tuple[str, ...], kinds: Collection[str], resolve: Callable[[Spec], Resolution]
) -> Candidate:
    chosen = settings(algorithm, among, spec.algorithm.preset or DEFAULT_PRESET, kinds)
    given = _to_the_model(_naming(spec, algorithm, chosen.hyperparameters, chosen.encoder, chosen.tuning))
    return Candidate(algorithm, given, resolve(given))


def _check_validation(resolved: Spec, profile: DatasetProfile) -> None:
    if not resolved.split.validation and not says_validation(profile, resolved.split):
        raise InvalidSpec(NO_VALIDATION)


def _algorithms(resolved: Spec, kinds: Collection[str], profile: DatasetProfile) -> tuple[str, ...]:
    if "pixel" in kinds or "image" in kinds:
        return _OF_IMAGES
    if set(kinds) == {"text"} and resolved.task == "classification" and _words(resolved, profile) >= _LONG_TEXT:
        return (*_OF_TABLES, *_OF_TEXTS_ONLY)
    return _OF_TABLES


def _words(resolved: Spec, profile: DatasetProfile) -> float:
    """Of a row's texts, on average."""
    return sum(profile.columns[name].mean_words for name in resolved.dataset.features or {})


def _naming(
    spec: Spec,
    algorithm: str,
    hyperparameters: Mapping[str, object],
    encoder: Mapping[str, Mapping[str, object]],
    tuning: Json | None,
) -> Spec:
    """The spec as if it named an algorithm with its settings; what the spec says itself stays."""
    document = spec.model_dump(mode="json", exclude_unset=True)
    named = document.get("algorithm", {})
    named.pop("preset", None)
    document["algorithm"] = {**named, "name": algorithm, "hyperparameters": dict(hyperparameters)}
    document.pop("budget_minutes", None)
    if tuning is not None:
        document["tuning"] = tuning
    given = document.get("encoder") or {"kind": "columns"}
    if encoder and given.get("kind", "columns") == "columns":
        merged = {kind: {**options, **given.get(kind, {})} for kind, options in encoder.items()}
        document["encoder"] = {**given, **merged}
    return validate_spec(document, "spec")


def _to_the_model(spec: Spec) -> Spec:
    """A run that ends with its model: the run of which it is a candidate judges it, deploys it, and has the budget."""
    document = spec.model_dump(mode="json", exclude_unset=True)
    for key in ("batch", "budget_usd", "reasons"):
        document.pop(key, None)
    if "evaluation" in document:
        document["evaluation"].pop("beat_champion", None)
    return validate_spec({**document, "deployment": None}, "spec")


def which_are_trained(candidates: Sequence[Candidate], why_one: str) -> str:
    """The reason of ``algorithm.name``; ``why_one`` follows where there is no choice."""
    *others, last = [candidate.algorithm for candidate in candidates]
    names = f"{', '.join(others)} and {last}" if others else last
    return f"auto trains {names} {'side by side, and validation rows choose' if len(candidates) > 1 else why_one}"


def _of_all(
    spec: Spec,
    whole: Resolution,
    candidates: list[Candidate],
    refused: Mapping[str, str],
) -> Resolution:
    """The resolution of the run itself."""
    reasons = {key: reason for key, reason in whole.spec.reasons.items() if key.partition(".")[0] not in _OWN_REASONS}
    reasons["algorithm.name"] = which_are_trained(candidates, "alone, as no other goes with the data and the spec")
    for algorithm, why in refused.items():
        reasons[f"algorithm.{algorithm}"] = f"left out: {why}"
    algorithm_spec = spec.algorithm.model_copy(update={"preset": spec.algorithm.preset or DEFAULT_PRESET})
    update = {"algorithm": algorithm_spec, "encoder": spec.encoder, "target": spec.target, "reasons": reasons}
    return replace(whole, spec=whole.spec.model_copy(update={**update, "budget_minutes": spec.budget_minutes}))
