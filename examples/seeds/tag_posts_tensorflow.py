"""Tags of posts from a bag of 500 words: a network trained here and deployed, then one that SageMaker trains."""

import os
import tarfile
import tempfile
from operator import itemgetter
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import sagemaker
import tensorflow as tf
from role import get_execution_role
from sagemaker.tensorflow import TensorFlow
from sagemaker.tensorflow.model import TensorFlowModel
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import LabelEncoder

from sageline_local.samples import write_sample

scripts = os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts")
os.chdir(tempfile.mkdtemp())
os.mkdir("data")
os.mkdir("encoders")
# The data: the documentation of AWS's operations, with the service as its tag; 20 of them.
write_sample("aws-docs", Path("data/stack-overflow-data.csv"))


# Processing.
def tokenizeText(data, num_words):
    """Bag of words; returns its matrix. Keras has no Tokenizer any more, this layer does what it did."""
    tokenize = tf.keras.layers.TextVectorization(max_tokens=num_words, output_mode="multi_hot")
    tokenize.adapt(data)
    joblib.dump(tokenize.get_vocabulary(), "encoders/tokenize.pkl")
    return tokenize(data).numpy().astype(int)


def encodeLabels(labels):
    encoder = LabelEncoder()
    encoder.fit(labels)
    y = encoder.transform(labels)
    num_classes = np.max(y) + 1
    print(f"num classes: {num_classes}")
    joblib.dump(encoder, "encoders/encoder.pkl")
    return y


data = pd.read_csv("data/stack-overflow-data.csv")
data.columns = ["post", "tags"]
X = pd.DataFrame(tokenizeText(data["post"], 500))
sample = pd.concat([X, pd.DataFrame(encodeLabels(data["tags"]))], axis=1)
train, test = train_test_split(sample, test_size=0.15, random_state=0)
test, holdout = train_test_split(test, test_size=0.1, random_state=0)
train.to_csv("data/post_train.csv", header=None, index=False)
test.to_csv("data/post_test.csv", header=None, index=False)
holdout.to_csv("data/post_holdout.csv", header=None, index=False)

sagemaker_session = sagemaker.Session()
role = get_execution_role()
INPUT_TENSOR_NAME = "inputs"


# The ready-made classifier.
def estimator_fn():
    """The network of tf.estimator.DNNClassifier(hidden_units=[128, 256, 20], n_classes=20)."""
    layers = [tf.keras.layers.Dense(units, activation="relu") for units in (128, 256, 20)]
    inputs = tf.keras.Input([500], name=INPUT_TENSOR_NAME)
    model = tf.keras.Sequential([inputs, *layers, tf.keras.layers.Dense(20, activation="softmax")])
    model.compile("adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def input_fn(training_dir, training_filename):
    table = np.loadtxt(os.path.join(training_dir, training_filename), delimiter=",", dtype=np.float32)
    return tf.data.Dataset.from_tensor_slices((table[:, :-1], table[:, -1].astype(np.int64))).repeat(100).batch(128)


def train_classifier(data_directory, num_steps=1000):
    """Trains the classifier for so many steps."""
    classifier = estimator_fn()
    classifier.fit(input_fn(data_directory, "post_train.csv"), steps_per_epoch=num_steps, verbose=2)
    score = classifier.evaluate(input_fn(data_directory, "post_train.csv"), steps=100, verbose=2)
    print(f"model evaluation: {score}")
    return classifier


def saveAndDeploy(model):
    """Exports the model, uploads it as tar.gz, deploys it; returns the predictor."""
    model.export("export/Servo/1")
    with tarfile.open("model.tar.gz", mode="w:gz") as archive:
        archive.add("export", recursive=True)
    print("model exported")
    sagemaker_session.upload_data(path="model.tar.gz", key_prefix="model")
    sagemaker_model = TensorFlowModel(
        model_data="s3://" + sagemaker_session.default_bucket() + "/model/model.tar.gz", role=role, framework_version="2.1.0"
    )
    print("model saved")
    return sagemaker_model.deploy(initial_instance_count=1, instance_type="ml.m4.xlarge")


class serve:
    """Answers of the endpoint as tags: the three likeliest."""

    def __init__(self, model, encoder):
        self.model = model
        self.text_labels = encoder.classes_

    def predict(self, features):
        return self.classPredictions(self.model.predict(features))

    def delete(self):
        sagemaker.Session().delete_endpoint(self.model.endpoint_name)

    def classPredictions(self, predictions):
        predictions = [{"label": label, "score": score} for label, score in enumerate(predictions["predictions"][0])]
        predictions = sorted(predictions, key=itemgetter("score"), reverse=True)[:3]
        top3 = {}
        for b in predictions:
            top3[self.text_labels[int(b["label"])]] = "{:.2%}".format(b["score"])
        return top3


classifier = train_classifier("data")
predictor = saveAndDeploy(classifier)
encoder = joblib.load("encoders/encoder.pkl")
hosted = serve(predictor, encoder)
df = pd.read_csv("data/post_holdout.csv", header=None)
right = 0
for row in range(30):
    top3 = hosted.predict(df.iloc[row][:500].values.reshape(1, -1))
    right += next(iter(top3)) == encoder.classes_[int(df.iloc[row][500])]
print(top3, "is", encoder.classes_[int(df.iloc[row][500])])
print(f"{right} of 30 held-out posts have the right tag")
assert right > 18
hosted.delete()

# The one of one's own.
inputs = sagemaker_session.upload_data(path="data", key_prefix="data")
custom_estimator = TensorFlow(
    entry_point=os.path.join(scripts, "custom_estimator.py"),
    role=role,
    hyperparameters={"learning_rate": 0.001, "training_steps": 1000, "evaluation_steps": 4},
    framework_version="2.1.0",
    py_version="py3",
    train_instance_count=1,
    train_instance_type="ml.c4.xlarge",
)
custom_estimator.fit(inputs)
custom_predictor = custom_estimator.deploy(initial_instance_count=1, instance_type="ml.m4.xlarge")
prediction_set = np.loadtxt("data/post_holdout.csv", delimiter=",", dtype=np.float32)
jobs = custom_predictor.predict(prediction_set[:, :-1])["predictions"]
accuracy = np.mean(np.array(jobs) == prediction_set[:, -1])
print(f"accuracy of the own network on {len(jobs)} held-out posts: {accuracy:.2f}")
assert accuracy > 0.6
sagemaker.Session().delete_endpoint(custom_predictor.endpoint_name)
