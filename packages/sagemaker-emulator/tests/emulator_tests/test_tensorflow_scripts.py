"""TensorFlow itself: a script that trains, on one host and on two, and the SavedModel that it leaves, served."""

from __future__ import annotations

import json

import numpy as np
import pytest

from emulator_tests.scripts import TENSORFLOW, TENSORFLOW_SERVING, archived, model_of, put_source, ran, script_job, settled
from emulator_tests.support import BUCKET, Api, Refused
from sagemaker_emulator.aws import Aws
from sagemaker_emulator.engines.script.frameworks import TENSORFLOW as FRAMEWORK

pytestmark = [
    pytest.mark.tensorflow,
    pytest.mark.skipif(not FRAMEWORK.is_installed, reason="pip install tensorflow-cpu installs TensorFlow"),
]

KERAS = """
    import argparse, os
    import numpy as np
    import tensorflow as tf

    parser = argparse.ArgumentParser()
    parser.add_argument("--model_dir")
    parser.add_argument("--epochs", type=int, default=60)
    arguments = parser.parse_args()
    tf.keras.utils.set_random_seed(0)
    table = np.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "part-0.csv"), delimiter=",", dtype=np.float32)
    model = tf.keras.Sequential([tf.keras.Input((2,)), tf.keras.layers.Dense(2, activation="softmax")])
    model.compile(tf.keras.optimizers.Adam(0.2), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(table[:, 1:], table[:, 0].astype(np.int64), epochs=arguments.epochs, verbose=0)
    print(f"score={history.history['accuracy'][-1]}")
    model.export(os.path.join(os.environ["SM_MODEL_DIR"], "1"))
"""
STRATEGY = """
    import json, os, pathlib
    import tensorflow as tf

    strategy = tf.distribute.MultiWorkerMirroredStrategy()
    replica = tf.distribute.get_replica_context
    total = strategy.run(lambda: replica().all_reduce("SUM", tf.constant(1.0)))
    host = os.environ["SM_CURRENT_HOST"]
    (pathlib.Path(os.environ["SM_MODEL_DIR"]) / host).write_text(json.dumps(float(total)))
"""
PARAMETER_SERVERS = """
    import json, os, pathlib
    import tensorflow as tf

    config = json.loads(os.environ["TF_CONFIG"])
    task, cluster = config["task"], config["cluster"]
    seen = []
    if task["type"] == "master":
        servers = tf.train.ClusterSpec({name: cluster[name] for name in ("master", "ps")})
        tf.config.experimental_connect_to_cluster(servers, job_name="master", task_index=0)
        seen = sorted("/".join(device.name.split("/")[i] for i in (0, 1, 3)) for device in tf.config.list_logical_devices("CPU"))
        with tf.device("/job:ps/task:1"):
            seen.append(float(tf.constant(1.0) + tf.constant(2.0)))
    (pathlib.Path(os.environ["SM_MODEL_DIR"]) / os.environ["SM_CURRENT_HOST"]).write_text(json.dumps([task["type"], seen]))
"""
TWO_HOSTS = {"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 1}


def test_a_keras_model_is_trained_and_served(api: Api, aws: Aws) -> None:
    source = put_source(aws, "keras", {"train.py": KERAS})
    job = ran(api, script_job("keras", source, TENSORFLOW, HyperParameters={"model_dir": f"s3://{BUCKET}/keras/model"}))
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert job["FinalMetricDataList"][0]["Value"] == 1
    artifact = job["ModelArtifacts"]["S3ModelArtifacts"]
    assert "1/saved_model.pb" in archived(aws, artifact)

    endpoint = settled(api, "keras", model_of("keras", artifact, TENSORFLOW_SERVING))

    assert endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason")
    body, headers = api.invoke("keras", b'{"instances": [[1, 2], [6, 5]]}', content_type="application/json")
    rows = json.loads(body)["predictions"]
    assert np.argmax(rows, axis=1).tolist() == [0, 1]
    assert np.sum(rows, axis=1) == pytest.approx([1, 1], abs=1e-5)
    assert headers["content-type"] == "application/json"
    csv, _ = api.invoke("keras", b"1,2\n6,5\n", content_type="text/csv")
    assert json.loads(csv) == json.loads(body)
    with pytest.raises(Refused) as refused:
        api.invoke("keras", b'{"instances": [[1, 2, 3]]}', content_type="application/json")
    assert refused.value.body["OriginalStatusCode"] == 400
    assert "error" in json.loads(refused.value.body["OriginalMessage"])


def test_two_hosts_train_one_model(api: Api, aws: Aws) -> None:
    source = put_source(aws, "mirrored", {"train.py": STRATEGY})
    mirrored = {"sagemaker_multi_worker_mirrored_strategy_enabled": True}

    job = ran(api, script_job("mirrored", source, TENSORFLOW, HyperParameters=mirrored, ResourceConfig=TWO_HOSTS))

    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert archived(aws, job["ModelArtifacts"]["S3ModelArtifacts"]) == {"algo-1": b"2.0", "algo-2": b"2.0"}


def test_every_host_has_a_parameter_server(api: Api, aws: Aws) -> None:
    source = put_source(aws, "parameters", {"train.py": PARAMETER_SERVERS})
    servers = {"sagemaker_parameter_server_enabled": True}

    job = ran(api, script_job("parameters", source, TENSORFLOW, HyperParameters=servers, ResourceConfig=TWO_HOSTS))

    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    told = {name: json.loads(text) for name, text in archived(aws, job["ModelArtifacts"]["S3ModelArtifacts"]).items()}
    assert told["algo-1"] == ["master", ["/job:master/task:0", "/job:ps/task:0", "/job:ps/task:1", 3.0]]
    assert told["algo-2"] == ["worker", []]
