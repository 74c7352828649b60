"""The benchmark runs, with those peers that are installed, and writes what it measured."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.benchmarks import __main__ as benchmark
from tests.benchmarks.inputs import corpus
from tests.benchmarks.sizes import QUICK

JOBS = {
    "fit_vocabulary",
    "encode_documents",
    "one_prediction",
    "one_prediction_p95",
    "encode_mixed_table",
    "one_mixed_row",
    "one_mixed_row_p95",
    "dense_recordio",
    "dense_recordio_parts",
    "sparse_recordio",
    "dense_csv_counts",
    "dense_csv_floats",
    "cold_start",
    "control_plane_create",
    "control_plane_describe",
    "control_plane_list",
    "prepare_data_1_mb",
    "prepare_data_1_mb_memory",
    "prepare_data_mixed_1_mb",
    "prepare_data_mixed_1_mb_memory",
    "guard",
    "guard_upload",
    "http_predictions_2",
    "http_predictions_2_p50",
    "http_predictions_2_p95",
    "http_predictions_2_p99",
    "invocation_linear_learner",
    "invocations_linear_learner",
    "judge_model",
    "judge_model_answers",
    "judge_model_memory",
}


@pytest.mark.full
def test_every_job_is_measured_and_written(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "benchmarks.md"
    monkeypatch.setattr(benchmark, "FULL", QUICK)
    monkeypatch.setattr(benchmark, "PAGE", page)
    monkeypatch.setenv("SAGELINE_HOME", str(tmp_path / "home"))

    assert benchmark.main([]) == 0

    numbers = json.loads((tmp_path / "home" / "bench.json").read_text())
    assert set(numbers) == JOBS
    assert [name for name, job in numbers.items() if not job["sageline"] > 0] == []
    assert [job for job in sorted(JOBS) if f"`{job}`" not in page.read_text()] == []
    assert "prepare_data, 1 MB" in capsys.readouterr().out


def test_a_quick_run_writes_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(benchmark, "GROUPS", ())
    monkeypatch.setattr(benchmark, "PAGE", tmp_path / "benchmarks.md")
    monkeypatch.setenv("SAGELINE_HOME", str(tmp_path))

    assert benchmark.main(["--quick"]) == 0

    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_the_corpus_is_the_same_every_time_and_hardly_a_document_repeats() -> None:
    documents = corpus(3).documents

    assert documents == corpus(3).documents
    assert sum(len(document.encode()) for document in documents) == pytest.approx(3e6, rel=0.01)
    assert len(set(documents)) > 0.99 * len(documents)
