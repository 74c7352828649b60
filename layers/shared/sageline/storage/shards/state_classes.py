"""The classes whose instances a state holds, and no others: what functions that share work leave each other is read from a
bucket, and what is read makes no instance of any other class."""

from __future__ import annotations

_BY_MODULE = {
    "sageline.arrays.dates": ("DateFormat",),
    "sageline.arrays.exact_sums": (
        "ExactMoments",
        "ExactTable",
    ),
    "sageline.arrays.number_spelling": (
        "Shape",
        "Spelling",
    ),
    "sageline.batch.encode": ("EncodedParts",),
    "sageline.batch.shards.plan": ("BatchSharding",),
    "sageline.dataset.date_profile": ("DateProfile",),
    "sageline.dataset.distinct": ("DistinctValues",),
    "sageline.dataset.label_column": ("LabelColumn",),
    "sageline.dataset.number_profile": ("NumberProfile",),
    "sageline.dataset.profile": (
        "ColumnProfile",
        "DatasetProfile",
    ),
    "sageline.dataset.profiles.date_counts": (
        "DateCounts",
        "OddValues",
    ),
    "sageline.dataset.profiles.examples": ("Example",),
    "sageline.dataset.profiles.findings": (
        "ColumnFindings",
        "Findings",
    ),
    "sageline.dataset.ranges.joined_parts": ("FirstPart",),
    "sageline.dataset.ranges.plan": (
        "Begin",
        "DatasetPart",
        "Range",
        "ShardPlan",
        "Uncut",
    ),
    "sageline.dataset.ranges.read": ("Said",),
    "sageline.dataset.ranges.scan": (
        "Guess",
        "RangeScan",
        "Reading",
    ),
    "sageline.dataset.ranges.text_head": (
        "Note",
        "TextHead",
    ),
    "sageline.dataset.readers.dialect": ("Dialect",),
    "sageline.dataset.readers.jsonl_reader": ("KnownKeys",),
    "sageline.dataset.readers.source": ("ReadOptions",),
    "sageline.dataset.row_sample": ("RowSample",),
    "sageline.dataset.shared_rows": ("SharedRows",),
    "sageline.dataset.splits.class_positions": ("ClassPositions",),
    "sageline.dataset.splits.copies": (
        "BloomFilter",
        "ContentFilters",
        "ContentPositions",
        "SharedContents",
    ),
    "sageline.dataset.splits.different_rows": ("DifferentRows",),
    "sageline.dataset.splits.plan": (
        "Moves",
        "SplitPlan",
    ),
    "sageline.dataset.splits.standing": ("StandingReader",),
    "sageline.dataset.splits.survey": ("SplitSurvey",),
    "sageline.dataset.splits.time_counts": ("TimeCounts",),
    "sageline.dataset.statistics": (
        "DatasetStatistics",
        "_Label",
        "_Numbers",
        "_Texts",
    ),
    "sageline.dataset.tally": ("Tally",),
    "sageline.encoder.columns.category": ("CategoryPart",),
    "sageline.encoder.columns.columns": ("ColumnsEncoder",),
    "sageline.encoder.columns.date": ("DatePart",),
    "sageline.encoder.columns.fitting": (
        "ColumnsFit",
        "_CategoryFit",
        "_DateFit",
        "_NumberFit",
        "_TextFit",
    ),
    "sageline.encoder.columns.median": ("MedianOfNumbers",),
    "sageline.encoder.columns.number": (
        "NumberPart",
        "NumberScaling",
    ),
    "sageline.encoder.columns.target": ("TargetPart",),
    "sageline.encoder.columns.text": ("TextPart",),
    "sageline.encoder.columns.value_counts": (
        "Targets",
        "ValueCounts",
    ),
    "sageline.encoder.fitted": ("FittedEncoder",),
    "sageline.encoder.fitting": (
        "ImageFit",
        "TokensFit",
    ),
    "sageline.encoder.image": ("ImageEncoder",),
    "sageline.encoder.statistics": ("NumberStatistics",),
    "sageline.encoder.text.counts": (
        "HashedCounts",
        "WordCounts",
    ),
    "sageline.encoder.text.tokens": ("TokenLines",),
    "sageline.encoder.text.word_rule": ("WordRule",),
    "sageline.encoder.text.word_table": ("WordTable",),
    "sageline.encoder.text.words": ("TextEncoder",),
    "sageline.encoder.value_check": (
        "NotedValues",
        "_OddValues",
    ),
    "sageline.evaluation.classification": ("ClassificationSums",),
    "sageline.evaluation.decision.model_decision": ("ToldDecision",),
    "sageline.evaluation.decision.validation_sample": ("ValidationSample",),
    "sageline.evaluation.held_out_rows": (
        "ObjectRange",
        "ScoredAnswers",
    ),
    "sageline.evaluation.metrics.ranking": ("RankedRows",),
    "sageline.evaluation.metrics.row_flags": ("RowFlags",),
    "sageline.evaluation.regression": ("RegressionSums",),
    "sageline.evaluation.sample": ("Sample",),
    "sageline.evaluation.shards.work": ("ShardedWork",),
    "sageline.formats.text_encoding": ("TextPosition",),
    "sageline.preparation.first_read": (
        "Counted",
        "FirstRead",
    ),
    "sageline.preparation.shards.shard_fit": (
        "Round",
        "ShardFit",
    ),
    "sageline.preparation.shards.sharding": (
        "EncodedShard",
        "Fitted",
        "Sharding",
    ),
    "sageline.preparation.weight_column": ("WeightColumn",),
    "sageline.resolve.resolution": ("Resolution",),
    "sageline.spec.encoder": (
        "CategorySpec",
        "ColumnsSpec",
        "DateSpec",
        "ImageSpec",
        "NumberSpec",
        "TextSpec",
        "TokensSpec",
    ),
    "sageline.spec.model": (
        "Spec",
        "SplitSpec",
    ),
    "sageline.storage.shards.shard_files": ("Refused",),
}

STATE_CLASSES = frozenset(f"{module}:{name}" for module, names in _BY_MODULE.items() for name in names)
"""As ``module:name``. What a class of these keeps in an attribute is one of these too, or has a place in a state by itself."""
