"""What documentation derives from code is what the code says now."""

from docs.generate import DOCS, generated


def test_generated_documentation_is_up_to_date() -> None:
    stale = [path.name for path, text in generated().items() if path.read_text() != text]

    assert stale == [], "run `make docs`"


def test_every_key_of_the_spec_is_in_the_reference() -> None:
    page = (DOCS / "spec.md").read_text()

    for key in ("`dataset.label`", "`split.seed`", "`encoder.text.max_words`", "`deployment.serverless.memory_mb`"):
        assert key in page


def test_every_algorithms_hyperparameters_are_in_the_reference() -> None:
    page = (DOCS / "algorithms.md").read_text()

    for name in ("`num_round`", "`predictor_type`", "`sample_size`", "`word_ngrams`", "`hidden_units`", "`filters`"):
        assert name in page
