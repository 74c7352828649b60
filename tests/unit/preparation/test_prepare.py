from __future__ import annotations

import json
from functools import partial
from typing import Any

import pytest

from sageline.configuration.configure import configure
from sageline.dataset.profile import DatasetProfile
from sageline.dataset.profiles.findings import ColumnFindings, Findings
from sageline.dataset.readers.source import open_blocks
from sageline.encoder.fitted import FittedEncoder
from sageline.errors import InvalidDataset, InvalidHyperparameter, InvalidSpec
from sageline.preparation.prepare import prepare_data
from tests.unit.configuration.test_configure import FLOWERS, KEY
from tests.unit.golden import golden_event
from tests.unit.world.world import BUCKET, EXECUTION, RUN_ID, World, with_one_algorithm

DATA = f"runs/{RUN_ID}/data"
TEXTS = b"post,tag\n" + b"".join(
    b"red petals number %d,rose\nblue sword leaf %d,iris\ntall %d stem,tulip\n" % (i, i, i) for i in range(40)
)
NUMBERS = b"size,price\n" + b"".join(b"%d,%d.25\n" % (i, 3 * i) for i in range(100))


def configured(world: World, data: bytes, **spec: object) -> None:
    world.put(KEY, data)
    event = golden_event("configure_run/request")
    event["trigger"]["spec"] = with_one_algorithm({"dataset": {"uri": f"s3://{BUCKET}/{KEY}"}, **spec})
    configure(EXECUTION, event["trigger"], run=world.run)


def reasons(world: World) -> Any:
    return json.loads(world.get(f"runs/{RUN_ID}/spec.json"))["reasons"]


def hyperparameters(world: World) -> Any:
    return json.loads(world.get(f"runs/{RUN_ID}/spec.json"))["algorithm"]["hyperparameters"]


def test_a_table_becomes_channels_of_csv_with_its_encoder_and_profile(world: World) -> None:
    configured(world, FLOWERS)
    prepared = prepare_data(RUN_ID, run=world.run)
    train = prepared["channels"]["train"]
    assert (prepared["content_type"], prepared["num_class"]) == ("text/csv", 2)
    assert train["uri"] == f"s3://{BUCKET}/{DATA}/train/"
    lines = world.get(f"{DATA}/train/part-00000.csv").splitlines()
    assert len(lines) == train["rows"]
    assert train["bytes"] == len(world.get(f"{DATA}/train/part-00000.csv"))
    assert prepared["test_rows"] == len(world.get(f"{DATA}/test-raw/part-00000.jsonl").splitlines())
    assert train["rows"] + prepared["channels"]["validation"]["rows"] + prepared["test_rows"] == 80
    files = {name: world.get(f"runs/{RUN_ID}/encoder/{name}") for name in ("encoder.json", "encoder.npz")}
    assert FittedEncoder.load(files).feature_dim == prepared["feature_dim"]
    assert isinstance(json.loads(world.get(f"{DATA}/profile.json")), dict)
    assert world.keys(f"{DATA}/test/") == []  # held-out rows are encoded for the transform job that asks about them
    run = world.record()
    assert run.state == "PrepareData"
    assert run.details["rows"] == {name: channel["rows"] for name, channel in prepared["channels"].items()} | {
        "test": prepared["test_rows"]
    }


def test_text_becomes_libsvm_and_several_classes_are_counted(world: World) -> None:
    configured(world, TEXTS)
    prepared = prepare_data(RUN_ID, run=world.run)
    assert (prepared["content_type"], prepared["num_class"]) == ("text/libsvm", 3)
    assert prepared["request_content_type"] == "application/x-recordio-protobuf"
    assert world.keys(f"{DATA}/train/") == [f"{DATA}/train/part-00000.libsvm"]
    assert reasons(world)["algorithm.channels"].startswith("libsvm: XGBoost's container reads sparse rows about seven times")


@pytest.mark.parametrize("name", ["xgboost", "linear-learner", "knn"])
def test_instances_share_the_train_rows_in_about_eight_parts_each(
    world: World, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sageline.encoder.fitted._CHUNK_CELLS", 8)
    monkeypatch.setattr("sageline.training.machines._SMALLEST_PART_BYTES", 1)
    configured(world, NUMBERS, algorithm={"name": name, "instance_count": 2})
    prepare_data(RUN_ID, run=world.run)
    parts = [len(world.get(key)) for key in world.keys(f"{DATA}/train/")]
    assert len(parts) >= 8
    assert max(parts) < sum(parts) / 4
    spec = json.loads(world.get(f"runs/{RUN_ID}/spec.json"))
    assert spec["algorithm"]["instance_count"] == 2
    assert spec["reasons"]["algorithm.instance_count"] == (
        f"the train rows are in {len(parts)} parts, dealt out to 2 instances; each has all validation rows"
    )


def test_there_are_no_more_instances_than_parts_of_the_train_rows(world: World) -> None:
    configured(world, NUMBERS, algorithm={"name": "xgboost", "instance_count": 3})
    prepare_data(RUN_ID, run=world.run)
    spec = json.loads(world.get(f"runs/{RUN_ID}/spec.json"))
    assert spec["algorithm"]["instance_count"] == 1
    assert spec["reasons"]["algorithm.instance_count"].startswith(
        "1 in place of 3: the train rows are in 1 part, and an instance"
    )


@pytest.mark.parametrize(
    ("data", "objective", "num_class"),
    [(FLOWERS, "binary:logistic", None), (TEXTS, "multi:softprob", 3), (NUMBERS, "reg:squarederror", None)],
)
def test_the_spec_is_completed_with_what_only_the_data_could_tell(
    world: World, data: bytes, objective: str, num_class: int | None
) -> None:
    configured(world, data)
    assert hyperparameters(world) == {}
    prepare_data(RUN_ID, run=world.run)
    complete = hyperparameters(world)
    assert (complete["objective"], complete.get("num_class"), complete["num_round"]) == (objective, num_class, 300)


def test_what_the_model_is_judged_by_follows_from_the_train_rows(world: World) -> None:
    configured(world, FLOWERS)
    prepare_data(RUN_ID, run=world.run)
    spec, profile = (json.loads(world.get(key)) for key in (f"runs/{RUN_ID}/spec.json", f"{DATA}/profile.json"))
    train_rows = profile["label"]["classes"]["train"]
    assert spec["evaluation"]["metric"] == "accuracy"
    assert spec["evaluation"]["positive"] in train_rows
    assert train_rows[spec["evaluation"]["positive"]] == min(train_rows.values())


def test_a_positive_class_that_no_train_row_has_is_refused_before_the_training(world: World) -> None:
    configured(world, FLOWERS, evaluation={"positive": "tulip"})
    with pytest.raises(
        InvalidSpec, match=r"`evaluation\.positive` is 'tulip', and no train row has that label; take one that is "
    ):
        prepare_data(RUN_ID, run=world.run)


def test_prepared_twice_gives_the_same(world: World) -> None:
    configured(world, TEXTS)
    first = prepare_data(RUN_ID, run=world.run)
    keys, spec = world.keys(), hyperparameters(world)
    assert prepare_data(RUN_ID, run=world.run) == first
    assert (world.keys(), hyperparameters(world)) == (keys, spec)


def test_a_run_that_an_earlier_version_has_configured_gives_the_same_without_findings(world: World) -> None:
    configured(world, TEXTS)
    schema = world.record().details["schema"]
    prepared = prepare_data(RUN_ID, run=world.run)
    objects = {key: world.get(key) for key in world.keys("runs/")}
    world.run.store.note(RUN_ID, schema={key: value for key, value in schema.items() if key != "findings"})

    assert prepare_data(RUN_ID, run=world.run) == prepared
    assert {key: world.get(key) for key in world.keys("runs/")} == objects


def test_the_profile_of_all_rows_goes_by_what_the_sample_has_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    configured(world, TEXTS)
    found: list[object] = []

    def noting(*given: Any, **named: Any) -> DatasetProfile:
        found.append(named["findings"])
        return DatasetProfile(*given, **named)

    monkeypatch.setattr("sageline.preparation.fit_and_encode.DatasetProfile", noting)
    prepare_data(RUN_ID, run=world.run)

    words = ColumnFindings(of_words=True, no_dates=True, no_compact_dates=True)
    assert found == [Findings.of({"post": words, "tag": words})]


def test_a_large_dataset_that_two_processes_prepare_becomes_the_same_objects(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(world, TEXTS)
    alone = prepare_data(RUN_ID, run=world.run)
    objects = {key: world.get(key) for key in world.keys("runs/")}
    monkeypatch.setattr("sageline.preparation.means.SMALL_BYTES", 0)
    monkeypatch.setattr("sageline.preparation.means.usable_cores", lambda: 2)
    monkeypatch.setattr("sageline.storage.dataset_parts.open_blocks", partial(open_blocks, block_bytes=512))

    assert prepare_data(RUN_ID, run=world.run) == alone
    assert {key: world.get(key) for key in world.keys("runs/")} == objects


def test_a_second_upload_meanwhile_changes_nothing(world: World) -> None:
    configured(world, FLOWERS)
    world.put(KEY, b"something,else\n1,2\n")
    assert prepare_data(RUN_ID, run=world.run)["num_class"] == 2


def test_without_validation_rows_there_is_no_validation_channel(world: World) -> None:
    configured(world, FLOWERS, split={"train": 0.8, "validation": 0, "test": 0.2})
    assert list(prepare_data(RUN_ID, run=world.run)["channels"]) == ["train"]
    assert hyperparameters(world)["num_round"] == 100


def test_a_hyperparameter_that_does_not_fit_the_classes_is_refused(world: World) -> None:
    asked: Any = {"algorithm": {"hyperparameters": {"objective": "binary:logistic"}}}
    with pytest.raises(InvalidHyperparameter, match="objective binary:logistic does not fit 3 classes"):
        configured(world, TEXTS, **asked)
    # Where groups are split, the train rows may lack a class.
    first, *rest = TEXTS.splitlines()
    grouped = [b"author," + first, *(b"a%d,%b" % (number // 3, row) for number, row in enumerate(rest))]
    configured(world, b"\n".join(grouped) + b"\n", **asked, split={"by": "group", "column": "author"})
    with pytest.raises(InvalidHyperparameter, match="objective binary:logistic does not fit 3 classes"):
        prepare_data(RUN_ID, run=world.run)


def test_an_objective_that_the_labels_are_out_of_range_for_is_refused_before_the_training(world: World) -> None:
    below_zero = b"size,price\n" + b"".join(b"%d,%d.5\n" % (i, i - 3) for i in range(100))
    with pytest.raises(InvalidHyperparameter, match=r"takes labels from 0, and the smallest label is -3\.5, the largest 96\.5"):
        configured(world, below_zero, algorithm={"hyperparameters": {"objective": "count:poisson"}})


def test_a_limit_of_a_class_that_no_test_row_has_is_refused_before_the_training(world: World) -> None:
    configured(world, FLOWERS, evaluation={"at_least": {"recall:tulip": 0.5}})
    with pytest.raises(InvalidSpec, match=r"`evaluation\.at_least` names recall:tulip, and no test row has the label 'tulip'"):
        prepare_data(RUN_ID, run=world.run)


def test_a_split_by_group_is_written_into_the_spec_and_how_it_came_out_into_the_record(world: World) -> None:
    rows = [f"c{index // 3},{index % 150},{'rare' if index == 1 else 'yes' if index % 2 else 'no'}\n" for index in range(240)]
    data = ("customer,size,churn\n" + "".join(rows)).encode()
    configured(world, data, split={"by": "group", "column": "customer"})

    prepared = prepare_data(RUN_ID, run=world.run)

    spec = json.loads(world.get(f"runs/{RUN_ID}/spec.json"))
    raw = [json.loads(line) for line in world.get(f"{DATA}/test-raw/part-00000.jsonl").splitlines()]
    profile = json.loads(world.get(f"{DATA}/profile.json"))["rows"]
    assert (spec["split"]["by"], list(spec["dataset"]["features"])) == ("group", ["size"])
    assert prepared["test_rows"] == len(raw)
    assert profile["test_copies"] > 0
    warnings = world.record().details["schema"]["warnings"]
    assert any(f"{profile['test_copies']} of test) equal rows" in warning for warning in warnings)
    assert any("A class is in no train row" in warning and "'rare' (1)" in warning for warning in warnings)
    prepare_data(RUN_ID, run=world.run)
    assert world.record().details["schema"]["warnings"] == warnings


def test_a_damaged_row_beyond_the_head_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sageline.configuration.configure._SNIFFED_BLOCK_BYTES", 64)
    configured(world, FLOWERS + b"1,red\n")
    with pytest.raises(InvalidDataset, match=f"s3://{BUCKET}/{KEY}: row 81"):
        prepare_data(RUN_ID, run=world.run)


def test_a_spec_that_was_never_resolved_is_refused(world: World) -> None:
    configured(world, FLOWERS)
    spec = world.run.files.read_spec(RUN_ID)
    world.run.files.write_spec(RUN_ID, spec.model_copy(update={"task": None}))
    with pytest.raises(InvalidSpec, match="not a resolved one"):
        prepare_data(RUN_ID, run=world.run)


def test_what_an_algorithm_requires_is_written_into_the_spec(world: World) -> None:
    configured(world, NUMBERS, algorithm={"name": "knn"})
    prepared = prepare_data(RUN_ID, run=world.run)
    rows = prepared["channels"]["train"]["rows"]
    assert hyperparameters(world) == {"predictor_type": "regressor", "k": 10, "feature_dim": 1, "sample_size": rows}


def test_a_tuning_gets_the_objective_that_goes_with_the_classes(world: World) -> None:
    depth = {"type": "integer", "min": 2, "max": 6}
    configured(world, TEXTS, tuning={"ranges": {"max_depth": depth}})
    prepare_data(RUN_ID, run=world.run)
    spec = json.loads(world.get(f"runs/{RUN_ID}/spec.json"))
    assert spec["tuning"]["objective"] == {"metric": "validation:mlogloss", "type": "Minimize"}
    assert "max_depth" not in spec["algorithm"]["hyperparameters"]


def test_the_shape_of_images_is_told_to_the_network(world: World) -> None:
    names = ",".join(f"pixel{i}" for i in range(16))
    pixels = "".join(",".join(str((i * 7 + j) % 256) for j in range(16)) + f",{'ab'[i % 2]}\n" for i in range(60))
    configured(world, f"{names},label\n{pixels}".encode(), algorithm={"name": "tensorflow"})
    prepare_data(RUN_ID, run=world.run)
    assert hyperparameters(world).items() >= {"image_shape": "4,4,1", "num_class": 2, "feature_dim": 16}.items()


@pytest.mark.parametrize(
    ("data", "spec", "content_types", "files", "complete"),
    [
        (
            FLOWERS,
            {"algorithm": {"name": "linear-learner"}},
            ("application/x-recordio-protobuf", "application/x-recordio-protobuf"),
            ["part-00000.recordio"],
            {"predictor_type": "binary_classifier"},
        ),
        (
            TEXTS,
            {"algorithm": {"name": "knn"}},
            ("application/x-recordio-protobuf", "application/x-recordio-protobuf"),
            ["part-00000.recordio"],
            {"predictor_type": "classifier", "feature_dim": "width", "sample_size": "rows"},
        ),
        (
            TEXTS,
            {"algorithm": {"name": "blazingtext"}},
            ("text/plain", "application/json"),
            ["part-00000.txt"],
            {"mode": "supervised"},
        ),
        (
            NUMBERS,
            {"algorithm": {"name": "tensorflow"}},
            (None, "application/json"),
            ["part-00000-x.npy", "part-00000-y.npy"],
            {"task": "regression", "feature_dim": "width"},
        ),
    ],
)
def test_each_algorithm_gets_its_channels_and_what_the_data_says(
    world: World,
    *,
    data: bytes,
    spec: dict[str, Any],
    content_types: tuple[str | None, str],
    files: list[str],
    complete: dict[str, object],
) -> None:
    configured(world, data, **spec)

    prepared = prepare_data(RUN_ID, run=world.run)

    train = prepared["channels"]["train"]
    said = {"width": prepared["feature_dim"], "rows": train["rows"]}
    assert (prepared["content_type"], prepared["request_content_type"]) == content_types
    assert world.keys(f"{DATA}/train/") == [f"{DATA}/train/{name}" for name in files]
    assert {name: hyperparameters(world)[name] for name in complete} == {
        name: said.get(str(value), value) for name, value in complete.items()
    }
    encoder = FittedEncoder.load({name: world.get(f"runs/{RUN_ID}/encoder/{name}") for name in ("encoder.json", "encoder.npz")})
    assert encoder.answers == spec["algorithm"]["name"]


def test_nothing_of_a_single_file_is_left_when_the_data_is_bad(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sageline.configuration.configure._SNIFFED_BLOCK_BYTES", 64)
    configured(world, TEXTS + b"too,many,cells\n", algorithm={"name": "blazingtext"})
    with pytest.raises(InvalidDataset, match="row 121"):
        prepare_data(RUN_ID, run=world.run)
    assert world.keys(f"{DATA}/train/") == []


PIXELS = b"pixel0,pixel1,pixel2,pixel3,digit\n" + b"".join(
    b"%d,%d,%d,%d,%d\n" % (i, 255 - i, i * 3 % 256, 7, i % 2) for i in range(60)
)
IMAGES: dict[str, object] = {
    "dataset": {
        "uri": f"s3://{BUCKET}/{KEY}",
        "label": "digit",
        "features": {f"pixel{place}": "pixel" for place in range(4)},
    },
    "encoder": {"kind": "image"},
}


@pytest.mark.parametrize(
    ("data", "spec", "kind"),
    [
        (FLOWERS, {}, "columns"),
        (FLOWERS, {"algorithm": {"name": "linear-learner"}}, "columns"),
        (NUMBERS, {}, "columns"),
        (TEXTS, {}, "columns"),
        (TEXTS, {"algorithm": {"name": "blazingtext"}}, "tokens"),
        (PIXELS, IMAGES, "image"),
    ],
)
def test_an_example_beside_the_encoder_is_a_row_that_a_strict_request_may_have(
    world: World, data: bytes, spec: dict[str, object], kind: str
) -> None:
    configured(world, data, **spec)
    prepare_data(RUN_ID, run=world.run)
    encoder = FittedEncoder.load({name: world.get(f"runs/{RUN_ID}/encoder/{name}") for name in ("encoder.json", "encoder.npz")})

    example = json.loads(world.get(f"runs/{RUN_ID}/encoder/example.json"))

    encoder.encode_instances([example])
    first_test_row = json.loads(world.get(f"{DATA}/test-raw/part-00000.jsonl").splitlines()[0])["features"]
    pixels = list(first_test_row.values())
    assert encoder.kind == kind
    assert example == ([pixels[:2], pixels[2:]] if kind == "image" else first_test_row)


# ---- several files ----


def warnings_of(world: World) -> list[str]:
    return list(world.record().details["schema"]["warnings"])


def test_classes_of_which_no_row_is_trained_on_are_warned_of_with_their_rows(world: World) -> None:
    """Equal rows stay together, so a class of one row five times is either in train or not."""
    rare = b"".join(b"%d,red,rare%d\n" % (1000 + i, i) * 5 for i in range(16))
    configured(world, FLOWERS + rare)

    prepared = prepare_data(RUN_ID, run=world.run)

    profile = json.loads(world.get(f"{DATA}/profile.json"))
    [warning] = [told for told in warnings_of(world) if "in no train row" in told]
    unknown = 18 - (prepared["num_class"] or 0)
    assert 0 < unknown < 16
    assert f"{5 * unknown} rows are not used: 'rare" in warning
    assert profile["rows"]["left_out"] == 5 * unknown
    assert prepare_data(RUN_ID, run=world.run)
    assert len([told for told in warnings_of(world) if "in no train row" in told]) == 1


@pytest.mark.parametrize("said", [{"exclude": ["v"]}, {"kinds": {"v": "ignore"}}, {"features": {"size": "number"}}])
def test_a_column_that_the_spec_leaves_out_need_not_be_readable(world: World, said: dict[str, Any]) -> None:
    rows = b"".join(b'{"size": %d.5, "v": [%d, 2], "kind": "%s"}\n' % (i, i, [b"a", b"b"][i % 2]) for i in range(60))
    key = KEY.replace(".csv", ".jsonl")
    world.put(key, rows)
    event = golden_event("configure_run/request")
    uri = f"s3://{BUCKET}/{key}"
    event["trigger"]["spec"] = with_one_algorithm({"dataset": {"uri": uri, "label": "kind", **said}})
    configure(EXECUTION, event["trigger"], run=world.run)

    assert prepare_data(RUN_ID, run=world.run)["feature_dim"] == 1
    assert "v" in world.record().details["schema"]["left_out"]
