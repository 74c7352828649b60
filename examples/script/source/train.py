"""A forest of trees in the scikit-learn container: training when run as a script, serving through model_fn and predict_fn."""

import argparse
import os
from pathlib import Path

import joblib
import numpy as np
from sklearn.ensemble import RandomForestClassifier


def read_channel(name):
    """Features and class indexes of a channel: pairs of files, part-00000-x.npy and part-00000-y.npy."""
    folder = Path(os.environ[f"SM_CHANNEL_{name.upper()}"])
    x = np.concatenate([np.load(path) for path in sorted(folder.glob("*-x.npy"))])
    y = np.concatenate([np.load(path) for path in sorted(folder.glob("*-y.npy"))])
    return x, y


def model_fn(model_dir):
    return joblib.load(Path(model_dir) / "model.joblib")


def predict_fn(rows, model):
    """A probability per class, so that an answer says how sure it is."""
    return model.predict_proba(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--trees", type=int, default=100)
    arguments = parser.parse_args()
    model = RandomForestClassifier(arguments.trees, random_state=0).fit(*read_channel("train"))
    print(f"validation accuracy: {model.score(*read_channel('validation')):.4f}")
    joblib.dump(model, Path(os.environ["SM_MODEL_DIR"]) / "model.joblib")
