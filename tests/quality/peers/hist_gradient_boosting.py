"""scikit-learn's HistGradientBoosting behind a ColumnTransformer over all columns, as it comes."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import TruncatedSVD
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OrdinalEncoder, TargetEncoder

from tests.quality.answers import Answers, Judged
from tests.quality.peers.table import Table

MOST_CATEGORIES = 254
"""That HistGradientBoosting takes of a column; of more their mean label is taken, by scikit-learn's TargetEncoder."""

COMPONENTS = 100
"""Of a text, after TF-IDF of its words, by TruncatedSVD: HistGradientBoosting takes no sparse rows."""


def text_steps() -> Pipeline:
    """From a column of text to numbers."""
    return make_pipeline(TfidfVectorizer(min_df=2, sublinear_tf=True), TruncatedSVD(COMPONENTS, random_state=0))


def columns(table: Table, judged: Judged) -> tuple[ColumnTransformer, list[bool]]:
    """The transformer, and of each column that it makes before those of texts and means whether it holds categories."""
    train = table.features[~table.is_test]
    few = [name for name in table.categories if train[name].nunique() <= MOST_CATEGORIES]
    many = [name for name in table.categories if name not in few]
    ordinal = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    target = TargetEncoder(target_type="continuous" if judged.classes is None else "auto", random_state=0)
    steps: list[Any] = [("categories", ordinal, few), ("numbers", "passthrough", table.numbers)]
    steps += [("means", target, many)] if many else []
    for name in table.texts:
        steps.append((f"text {name}", text_steps(), name))
    return ColumnTransformer(steps, sparse_threshold=0), [True] * len(few) + [False] * len(table.numbers)


def answers(table: Table, judged: Judged) -> Answers:
    """Fitted to the train rows, Sageline's validation rows among them; answers for the test rows."""
    transformer, is_category = columns(table, judged)
    train, test = table.features[~table.is_test], table.features[table.is_test]
    labels = table.labels[~table.is_test]
    encoded = np.asarray(transformer.fit_transform(train, labels), dtype=np.float64)
    mask = np.array([*is_category, *[False] * (encoded.shape[1] - len(is_category))])
    kind = HistGradientBoostingRegressor if judged.classes is None else HistGradientBoostingClassifier
    model = Pipeline([("model", kind(categorical_features=mask, random_state=0))])
    model.fit(encoded, labels)
    rows = np.asarray(transformer.transform(test), dtype=np.float64)
    if judged.classes is None:
        return Answers(model.predict(rows))
    return among(judged.classes, list(model.classes_), model.predict_proba(rows))


def among(classes: list[str], own: list[str], probabilities: Any) -> Answers:  # Any: scikit-learn's array
    """Probabilities of a model's own classes as those of all of Sageline's."""
    scores = np.zeros((len(probabilities), len(classes)), dtype=np.float32)
    for number, name in enumerate(own):
        if name in classes:
            scores[:, classes.index(name)] = probabilities[:, number]
    return Answers(scores.argmax(axis=1), scores)
