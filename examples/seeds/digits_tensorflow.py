"""A TensorFlow 2.1 script for digits, with parameter servers switched on, trained and served."""

import os
import tempfile

import numpy as np
import sagemaker
from role import get_execution_role
from sagemaker.tensorflow import TensorFlow
from sklearn.datasets import load_digits

sagemaker_session = sagemaker.Session()
role = get_execution_role()
region = sagemaker_session.boto_region_name

tf_version = "2.1.0"  # whichever is named, the TensorFlow of this machine runs


def use_tf2():
    return tf_version.startswith("2")


# The data: scikit-learn's digits as MNIST has them, in four npy files under one prefix.
digits = load_digits()
images = np.pad(np.kron(digits.images / 16, np.ones((3, 3))), ((0, 0), (2, 2), (2, 2))).reshape(-1, 784).astype("float32")
data_dir = tempfile.mkdtemp()
for name, rows in (("train", slice(0, 1500)), ("eval", slice(1500, None))):
    np.save(os.path.join(data_dir, f"{name}_data.npy"), images[rows])
    np.save(os.path.join(data_dir, f"{name}_labels.npy"), digits.target[rows].astype("int32"))
training_data_uri = sagemaker_session.upload_data(data_dir, key_prefix="tensorflow/mnist")

training_script = "mnist-2.py" if use_tf2() else "mnist.py"
estimator = TensorFlow(
    entry_point=os.path.join(os.path.dirname(os.path.abspath(__file__)), "scripts", training_script),
    role=role,
    train_instance_count=1,
    train_instance_type="ml.p2.xlarge",
    framework_version=tf_version,
    py_version="py3",
    distributions={"parameter_server": {"enabled": True}},
)
estimator.fit(training_data_uri)

predictor = estimator.deploy(initial_instance_count=1, instance_type="ml.c5.xlarge")

train_data = np.load(os.path.join(data_dir, "train_data.npy"))
train_labels = np.load(os.path.join(data_dir, "train_labels.npy"))
predictions = predictor.predict(train_data[:50])
matched = []
for i in range(50):
    if use_tf2():
        prediction = np.argmax(predictions["predictions"][i])
    else:
        prediction = predictions["predictions"][i]["classes"]
    label = train_labels[i]
    print(f"prediction: {prediction}, label: {label}, matched: {prediction == label}")
    matched.append(prediction == label)
assert np.mean(matched) > 0.9

predictor.delete_endpoint()
