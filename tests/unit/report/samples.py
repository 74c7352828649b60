"""Runs to write reports of. Their evaluations are made by the code that evaluates, so both sides agree on the document."""

from __future__ import annotations

from typing import Any

import numpy as np

from sageline.evaluation.answer_arrays import ClassAnswers
from sageline.evaluation.classification import ClassificationSums
from sageline.evaluation.comparison import compare
from sageline.evaluation.decision.choose import ValidationRows, choose_decision
from sageline.evaluation.decision.model_decision import document_of
from sageline.evaluation.document import without_decision
from sageline.evaluation.gate import GateCheck, GateDecision, check_comparison, check_limits
from sageline.evaluation.regression import RegressionSums
from sageline.report.data import Curve, JobTime, ReportData
from sageline.runs.timings import StateTime

Document = dict[str, Any]  # Any: a JSON document

SERVICES = (
    *(
        "ec2",
        "s3",
        "lambda",
        "iam",
        "dynamodb",
        "cloudfront",
        "sqs",
        "sns",
        "rds",
        "vpc",
        "cloudwatch",
        "eks",
        "ecs",
        "api-gateway",
    ),
    *("route53", "redshift", "athena", "glue", "kinesis", "cognito", "amplify", "appsync", "elasticache", "step-functions"),
    *("secrets-manager", "codepipeline", "codebuild", "elastic-beanstalk", "emr", "sagemaker"),
)

COSTS: Document = {
    "most_usd": 2.07,
    "parts": [
        {"what": "training", "usd": 0.23, "text": "training: 1 ml.m5.xlarge x 1 h x $0.23 = $0.23"},
        {"what": "endpoint", "usd": 1.84, "text": "endpoint: 2 ml.m5.large x 8 h x $0.115 = $1.84"},
    ],
    "endpoint_usd_per_hour": 0.23,
    "prices": "2026-09-25",
    "region": "us-east-1",
    "jobs": [
        {
            "job": "aws-docs-1",
            "use": "training",
            "instance_type": "ml.m5.xlarge",
            "instances": 1,
            "seconds": 1312,
            "usd": 0.083822,
        },
        {"job": "aws-docs-2", "use": "transform", "instance_type": "ml.x9.none", "instances": 2, "seconds": 60, "usd": None},
    ],
    "actual_usd": 0.083822,
    "notes": ["Prices of us-east-1 are taken."],
}

STATES = (
    StateTime("ConfigureRun", 1.2),
    StateTime("PrepareData", 14.8),
    StateTime("StartTraining", 0.9),
    StateTime("CheckTraining", 312.4),
    StateTime("CreateModel", 0.7),
    StateTime("RunEvaluationTransform", 201.8),
    StateTime("EvaluateModel", 3.1, "running"),
)

JOBS = (
    JobTime("aws-docs-20261120100000-0a1b2c", "training", 212.0, 84.0),
    JobTime("aws-docs-20261120100000-0a1b2c-test", "answering the test rows", 61.0, 61.0),
)


def labels_of(classes: int) -> list[str]:
    return [
        SERVICES[place % len(SERVICES)] + (f"-{place // len(SERVICES)}" if place >= len(SERVICES) else "")
        for place in range(classes)
    ]


def answers(expected: np.ndarray[Any, Any], classes: int, skill: float, seed: int) -> ClassAnswers:  # Any: numpy's shape
    """Probabilities that favour the right class, and neighbours of it."""
    random = np.random.default_rng(seed)
    scores = random.gumbel(size=(len(expected), classes))
    scores[np.arange(len(expected)), expected] += skill
    scores[np.arange(len(expected)), (expected + 1) % classes] += skill / 2.5
    shares = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    return ClassAnswers(shares.argmax(axis=1).astype(np.int64), shares.astype(np.float32), are_probabilities=True)


def classification(
    classes: int, rows: int = 2000, *, skill: float = 4.0, champion: float | None = None, at_least: float | None = 0.6
) -> Document:
    """``evaluation.json`` of a classifier; ``champion``: the skill of the model in service."""
    labels = labels_of(classes)
    expected = (np.random.default_rng(1).beta(1, 1.6, size=rows) * classes).astype(np.int64)
    positive = 1 if classes == 2 else None
    sums = ClassificationSums(labels, positive)
    sums.update(expected, answers(expected, classes, skill, 2))
    checks = check_limits(sums.metrics(), {"accuracy": at_least} if at_least is not None else None, None)
    in_service: Document | None = None
    if champion is not None:
        old = ClassificationSums(labels, positive)
        old.update(expected, answers(expected, classes, champion, 3))
        comparison = compare("accuracy", old, sums)
        checks.append(check_comparison(comparison))
        variant = "aws-docs-20261119080000-9f8e7d"
        in_service = {"variant": variant, "metrics": old.metrics(), "comparison": comparison.to_json()}
    return _document("classification", "accuracy", sums, checks, in_service)


def decided(classes: int = 2, rows: int = 3000) -> Document:
    """``evaluation.json`` of a classifier whose probabilities were bent, and whose threshold or offsets were chosen."""
    labels = labels_of(classes)
    chance = np.random.default_rng(6)
    expected = np.minimum((chance.beta(1, 6, size=rows) * classes * 1.3).astype(np.int64), classes - 1)
    asked = answers(expected, classes, 1.5, 7).scores
    assert asked is not None
    bent = asked**2 * np.array([4.0, *[1.0] * (classes - 1)], dtype=np.float32)
    bent /= bent.sum(axis=1, keepdims=True)
    told = ClassAnswers(bent.argmax(axis=1), bent, are_probabilities=True)
    positive = labels[1] if classes == 2 else None
    half = rows // 2
    validation = ValidationRows(expected[:half], bent[:half])
    chosen = choose_decision(validation, labels, "balanced_accuracy", positive)
    assert chosen.decision is not None
    table, numbers = chosen.decision.decide(bent[half:], None)
    sums, before = ClassificationSums(labels), ClassificationSums(labels)
    sums.update(expected[half:], ClassAnswers(numbers, table, are_probabilities=True))
    before.update(expected[half:], ClassAnswers(told.chosen[half:], bent[half:], are_probabilities=True))
    decision = document_of(chosen, positive, half) | {"before": without_decision(before)}
    return _document("classification", "balanced_accuracy", sums, [], None) | {"decision": decision}


def regression(rows: int = 3000) -> Document:
    """``evaluation.json`` of a regression, with a few answers that are far off."""
    random = np.random.default_rng(4)
    values = random.gamma(4.0, 60_000.0, size=rows)
    off = random.normal(0, 0.12, size=rows) * values + random.standard_t(2.5, size=rows) * 4_000
    sums = RegressionSums()
    sums.update(values.astype(np.float32), (values + off).astype(np.float32))
    return _document("regression", "rmse", sums, check_limits(sums.metrics(), {"r2": 0.9}, {"rmse": 60_000.0}), None)


def _document(
    task: str, metric: str, sums: ClassificationSums | RegressionSums, checks: list[GateCheck], champion: Document | None
) -> Document:
    return {
        "version": 1,
        "run_id": "aws-docs-20261120100000-0a1b2c",
        "created_at": "2026-11-20T10:10:00.000Z",
        "task": task,
        "warnings": [],
        "rows": sums.rows,
        "metric": metric,
        "metrics": sums.metrics(),
        "standard_errors": sums.standard_errors(),
        **sums.document(),
        "champion": champion,
        "gate": GateDecision(tuple(checks)).to_json(),
    }


def curves(metric: str, rounds: int = 50) -> tuple[Curve, ...]:
    at = np.arange(rounds)
    return (
        Curve(f"train:{metric}", (0.1 + 0.8 * np.exp(-at / 9)).round(5).tolist()),
        Curve(f"validation:{metric}", (0.22 + 0.7 * np.exp(-at / 8) + 0.0008 * at).round(5).tolist()),
    )


def trials(count: int) -> tuple[Document, ...]:
    random = np.random.default_rng(5)
    found: list[Document] = []
    for place in range(1, count + 1):
        eta, depth = float(random.uniform(0.05, 0.5)), int(random.integers(3, 13))
        score = 0.3 + (eta - 0.2) ** 2 + 0.004 * (depth - 7) ** 2 + float(random.normal(0, 0.01))
        tuned = {"eta": repr(eta), "max_depth": str(depth), "booster": str(random.choice(["gbtree", "dart"]))}
        name = f"aws-docs-20261120-0a1b2c-{place:03d}-{place:08x}"
        found.append({"name": name, "status": "Completed", "objective": score, "hyperparameters": tuned, "seconds": 60 + place})
    found.sort(key=lambda trial: float(trial["objective"]))
    failed: Document = {"name": "aws-docs-x", "status": "Failed", "objective": None, "hyperparameters": {}, "seconds": None}
    return (*found, failed | {"reason": "the script ended with exit code 1"})


def profile(classes: int) -> Document:
    labels = labels_of(classes)
    counts = {label: 1200 // (place + 1) + 3 for place, label in enumerate(labels)}
    total = sum(counts.values())
    smaller = {label: count // 8 + 1 for label, count in counts.items()}
    test = sum(smaller.values())
    lengths = {"minimum": 12.0, "maximum": 8120.0, "mean": 611.3, "std": 402.9}
    words = {"the": 91234, "a": 50111, "lambda": 4021, "bucket": 3999, "how": 3500}
    return {
        "rows": {"train": total, "validation": test, "test": test, "left_out": 3, "total": total + 2 * test + 3},
        "label": {
            "column": "service",
            "classes": {"train": counts, "validation": smaller, "test": smaller},
            "left_out": {"test": {"gamelift": 3}},
        },
        "columns": {
            "post": {"kind": "text", "missing": 0, "distinct_estimate": 18234, "characters": lengths},
            "score": {"kind": "left out", "missing": 12, "minimum": -9.0, "maximum": 812.0, "mean": 3.125, "std": 11.9},
            "service": {"kind": "label", "missing": 0, "distinct": classes, "characters": lengths | {"maximum": 19.0}},
        },
        "features": {"columns": ["post"], "words": 1234567, "different_words": 48210, "most_frequent": words},
        "feature_dim": 2000,
    }


def number_profile() -> Document:
    numbers = {"minimum": 11_000.0, "maximum": 1_400_000.0, "mean": 239_900.5, "std": 118_000.0}
    columns = {f"feature {place}": {"kind": "number", "missing": place, **numbers} for place in range(30)}
    return {
        "rows": {"train": 24000, "validation": 3000, "test": 3000, "left_out": 0, "total": 30000},
        "label": {"column": "price", **numbers},
        "columns": {**columns, "price": {"kind": "label", "missing": 0, **numbers}},
        "features": {},
        "feature_dim": 30,
    }


def spec(task: str = "classification") -> Document:
    return {
        "name": "aws-docs",
        "task": task,
        "dataset": {"uri": "s3://bucket/datasets/aws-docs/data.csv", "label": "service", "features": {"post": "text"}},
        "split": {"train": 0.8, "validation": 0.1, "test": 0.1, "seed": 0},
        "encoder": {"kind": "columns", "text": {"max_words": 2000, "mode": "count"}},
        "algorithm": {"name": "xgboost", "hyperparameters": {"num_round": 50}, "instance_type": "ml.m5.xlarge"},
        "reasons": {
            "name": "the name of the dataset",
            "task": "classification: 10 different labels that are no numbers",
            "dataset.label": "the last column, and the one with the fewest different values",
            "dataset.features.post": "text: 41 words on average",
            "dataset.features.score": "left out: it follows the label",
            "encoder": "columns: each column as its kind is",
            "deployment.serverless": "the default: it costs nothing while nobody asks",
        },
    }


def report(evaluation: Document | None, **changes: Any) -> ReportData:  # Any: whatever fields a test is about
    """A run with all there is, deployed unless the changes say otherwise."""
    classes = len(evaluation["classes"]) if evaluation and "classes" in evaluation else 0
    rejected = evaluation is not None and evaluation["gate"]["decision"] == "rejected"
    values: dict[str, Any] = {  # Any: as above
        "run_id": "aws-docs-20261120100000-0a1b2c",
        "name": "aws-docs",
        "outcome": "Rejected" if rejected else "Deployed",
        "reason": evaluation["gate"]["reason"] if evaluation else "Training job aws-docs-… failed: out of memory.",
        "started_at": "2026-11-20T10:00:00.123Z",
        "dataset_uri": "s3://bucket/datasets/aws-docs/data.csv",
        "endpoint_name": "aws-docs",
        "evaluation": evaluation,
        "spec": spec("classification" if classes else "regression"),
        "profile": profile(classes) if classes else number_profile(),
        "training_job": "aws-docs-20261120100000-0a1b2c",
        "metrics": {"train:merror": 0.1, "validation:merror": 0.22},
        "curves": curves("merror" if classes else "rmse"),
        "states": STATES,
        "jobs": JOBS,
        "costs": COSTS,
    }
    return ReportData(**(values | changes))
