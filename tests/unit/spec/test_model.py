from __future__ import annotations

import json
from typing import Any

import pytest

from sageline.errors import InvalidSpec
from sageline.spec.deployment import ServerlessSpec
from sageline.spec.model import Spec, parse_spec, validate_spec

SCRIPT = {"source_dir": "s3://bucket/source.tar.gz"}


def message(document: Any) -> str:
    with pytest.raises(InvalidSpec) as caught:
        parse_spec(json.dumps(document), "spec.json")
    return caught.value.message


def test_everything_may_be_left_out() -> None:
    assert parse_spec("{}", "spec.json") == Spec()


def test_a_spec_survives_its_own_json() -> None:
    spec = validate_spec({"name": "a", "encoder": {"kind": "columns"}, "deployment": {"serverless": {}}}, "test")

    assert parse_spec(spec.model_dump_json(), "spec.json") == spec


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (b"\xff", "spec.json: not UTF-8 text: byte 0xff at offset 0."),
        (b'{"name": }', "spec.json: not valid JSON: Expecting value at line 1, column 10."),
        (b"[]", "spec.json: a spec is a JSON object, this is a JSON array."),
        (b"null", "spec.json: a spec is a JSON object, this is a JSON null."),
    ],
)
def test_what_is_no_json_object_is_refused_with_its_place(document: bytes, expected: str) -> None:
    with pytest.raises(InvalidSpec) as caught:
        parse_spec(document, "spec.json")
    assert caught.value.message == expected


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"algoritm": {}}, "spec.json: unknown key `algoritm`; did you mean `algorithm`?"),
        ({"split": {"tset": 0.1}}, "spec.json: unknown key `split.tset`; did you mean `test`?"),
        (
            {"zzz": 1},
            "unknown key `zzz`; known keys: algorithm, batch, budget_minutes, budget_usd, dataset, decision, deployment, "
            "encoder, evaluation,",
        ),
        ({"encoder": {"kind": "columns", "txt": {}}}, "unknown key `encoder.txt`; did you mean `text`?"),
        (
            {"encoder": {"kind": "columns", "text": {"max_word": 5}}},
            "unknown key `encoder.text.max_word`; did you mean `max_words`?",
        ),
        (
            {"encoder": {"kind": "columns", "columns": {"a": {"kind": "txt"}}}},
            "`encoder.columns.a.kind` is \"txt\"; expected one of 'number', 'category', 'date', 'text'.",
        ),
        ({"deployment": {"serverless": {"memory": 1}}}, "unknown key `deployment.serverless.memory`; did you mean `memory_mb`?"),
        ({"encoder": {"kind": "x"}}, "`encoder.kind` is \"x\"; expected one of 'columns', 'tokens', 'image'."),
        (
            {"dataset": {"label": ["a", "b"]}},
            "`dataset.label`: names 2 columns, and a model learns one label; start a run for each of them.",
        ),
        ({"encoder": {}}, '`encoder.kind` is missing; give "columns", "tokens" or "image".'),
        ({"name": "My Posts"}, '`name` is "My Posts"; use lower-case letters, digits and single hyphens'),
        ({"name": "a" * 33}, "`name` has 33 characters; the limit is 32."),
        ({"deployment": {"endpoint": "a_b"}}, '`deployment.endpoint` is "a_b"; use letters, digits and hyphens'),
        ({"split": {"train": 0.5}}, "`split`: train, validation and test must sum to 1, they sum to 0.7."),
        ({"split": {"seed": "one"}}, '`split.seed` is "one"; expected a valid integer.'),
        ({"split": {"train": 1.5}}, "`split.train` is 1.5; expected less than 1."),
        (
            {"deployment": {"serverless": {"max_concurrency": 2, "provisioned_concurrency": 3}}},
            "provisioned_concurrency is 3 and max_concurrency 2; keep at most max_concurrency warm",
        ),
        ({"deployment": {"serverless": {}, "instances": {}}}, "`deployment`: give either serverless or instances, not both."),
        (
            {"deployment": {"instances": {"instance_type": "ml.t2.medium"}, "autoscaling": {}}},
            "`deployment`: ml.t2.medium cannot scale by itself: SageMaker does not let burstable instances; give `instances` "
            "another type (for example ml.m5.large), or leave `autoscaling` out.",
        ),
        (
            {"algorithm": {"name": "xgboost", "hyperparameters": {"eta": [1]}}},
            "`algorithm.hyperparameters.eta` is [1]; expected a string",
        ),
        ({"dataset": {"features": {"post": "words"}}}, "expected 'text', 'number', 'category', 'date', 'pixel' or 'image'."),
        (
            {"dataset": {"uri": "http://x"}},
            '`dataset.uri` is "http://x"; expected an S3 URI such as s3://bucket/folder/data.csv.',
        ),
        ({"dataset": {"features": {"image": "words"}}}, '`dataset.features.image` is "words"; expected'),
        ({"algorithm": {"name": "knnn"}}, "`algorithm.name` is \"knnn\"; expected 'auto', 'xgboost', 'linear-learner', 'knn',"),
        ({"algorithm": {"instance_type": "m5"}}, "expected a SageMaker instance type such as ml.m5.xlarge."),
        ({"algorithm": {"name": "script"}}, "the algorithm script needs `algorithm.script`, with the `source_dir`"),
        ({"algorithm": {"name": "script", "script": SCRIPT}}, "the algorithm script needs `algorithm.script.framework`"),
        ({"algorithm": {"name": "knn", "script": SCRIPT}}, "the algorithm knn takes no `script`; for a script of your own say"),
        ({"algorithm": {"name": "tensorflow", "script": {**SCRIPT, "framework": "pytorch"}}}, "runs no script for pytorch"),
        ({"algorithm": {"name": "tensorflow", "script": {}}}, "`algorithm.script.source_dir` is missing."),
        ({"algorithm": {"script": {**SCRIPT, "source_dir": "source"}}}, "expected the S3 URI of a tar.gz, such as s3://"),
        ({"algorithm": {"script": {**SCRIPT, "entry_point": "a/b.py"}}}, "expected the name of a .py or .sh file at the root"),
        (
            {"algorithm": {"script": {**SCRIPT, "entrypoint": "b.py"}}},
            "`algorithm.script.entrypoint`; did you mean `entry_point`?",
        ),
        ({"algorithm": {"script": {**SCRIPT, "metrics": {"f1": "f1=("}}}}, "metric 'f1', 'f1=(', is not a regular expression"),
        (
            {"algorithm": {"script": {**SCRIPT, "metrics": {"f1": "(.)(?=;)"}}}},
            "of the metric 'f1', '(.)(?=;)', cannot be used: it looks ahead",
        ),
        ({"algorithm": {"script": {**SCRIPT, "metrics": {"f1": "f1="}}}}, "of the metric 'f1', 'f1=', has 0 groups; give it one"),
        ({"tuning": {"rangs": {}}}, "unknown key `tuning.rangs`; did you mean `ranges`?"),
        (
            {"tuning": {"ranges": {"eta": {}}}},
            '`tuning.ranges.eta.type` is missing; give "integer", "continuous" or "categorical".',
        ),
        ({"tuning": {"ranges": {"eta": {"type": "float"}}}}, "`tuning.ranges.eta.type` is \"float\"; expected one of 'integer'"),
        ({"tuning": {"ranges": {"eta": {"type": "integer", "min": 1}}}}, "`tuning.ranges.eta.max` is missing."),
        ({"tuning": {"ranges": {"eta": {"type": "integer", "min": 1, "mx": 2}}}}, "`tuning.ranges.eta.mx`; did you mean `max`?"),
        (
            {"tuning": {"ranges": {"integer": {"type": "integer", "min": 0.5, "max": 2}}}},
            "`tuning.ranges.integer.min` is 0.5; expec",
        ),
        (
            {"tuning": {"ranges": {"a": {"type": "categorical", "values": [[1]]}}}},
            "`tuning.ranges.a.values` holds [1]; expected st",
        ),
        (
            {"tuning": {"strategy": "grid"}},
            "`tuning.strategy` is \"grid\"; expected 'Bayesian', 'Random', 'Grid' or 'Hyperband'.",
        ),
        ({"tuning": {"objective": {"name": "x"}}}, "`tuning.objective.metric` is missing."),
        ({"tuning": {"hyperband": {"min_resource": 30}}}, "min_resource (30) must be less than max_resource (27)"),
        ({"tuning": {"max_jobs": 0}}, "`tuning.max_jobs` is 0; expected greater than or equal to 1."),
        (
            {"batch": {"input": "s3://b/rows.csv"}},
            '`batch` scores rows without an endpoint, so it goes with `"deployment": null`',
        ),
        (
            {"deployment": None, "batch": {"input": "s3://b/rows.txt"}},
            "expected the S3 URI of a file that is .csv, .tsv, .jsonl, .parquet",
        ),
        ({"deployment": None, "batch": {}}, "`batch.input` is missing."),
    ],
)
def test_what_is_wrong_is_named_by_its_key(document: dict[str, Any], expected: str) -> None:
    assert expected in message(document)


def test_all_problems_are_said_at_once() -> None:
    text = message({"name": "A", "split": {"seed": -1}})

    assert "`name`" in text
    assert "`split.seed`" in text


def test_a_spec_without_an_endpoint_keeps_saying_so_in_its_json() -> None:
    spec = validate_spec({"deployment": None, "batch": {"input": "s3://bucket/rows.jsonl"}}, "test")

    assert spec.deployment is None
    assert parse_spec(spec.model_dump_json(), "spec.json") == spec


def test_ranges_are_told_apart_by_their_type() -> None:
    ranges = {
        "max_depth": {"type": "integer", "min": 3, "max": 12},
        "gamma": {"type": "continuous", "min": 0, "max": 10, "scaling": "Linear"},
        "booster": {"type": "categorical", "values": ["gbtree", 1, 0.5, True]},
    }
    tuning = validate_spec({"algorithm": {"name": "xgboost"}, "tuning": {"ranges": ranges}}, "test").tuning

    assert tuning is not None
    assert {name: values.model_dump() for name, values in tuning.ranges.items()} == {
        "max_depth": {"type": "integer", "min": 3, "max": 12, "scaling": "Auto"},
        "gamma": {"type": "continuous", "min": 0.0, "max": 10.0, "scaling": "Linear"},
        "booster": {"type": "categorical", "values": ["gbtree", 1, 0.5, True]},
    }
    assert (tuning.strategy, tuning.max_jobs, tuning.max_parallel_jobs, tuning.early_stopping) == ("Bayesian", 20, 3, False)


def test_all_copies_may_be_kept_warm() -> None:
    assert ServerlessSpec(max_concurrency=3, provisioned_concurrency=3).provisioned_concurrency == 3


def test_a_section_that_is_no_object_is_told_by_its_keys() -> None:
    with pytest.raises(InvalidSpec) as refused:
        validate_spec({"algorithm": {"name": "script", "script": "x.py"}}, "spec")

    said = str(refused.value)
    assert '`algorithm.script` is "x.py"; expected an object with keys such as ' in said
    assert "source_dir" in said
    assert "ScriptSpec" not in said
