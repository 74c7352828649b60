"""PyTorch itself: scripts that train, and what they leave, served with the container's own functions and with theirs."""

from __future__ import annotations

import io
import json
import textwrap
from pathlib import Path

import numpy as np
import pytest

from emulator_tests.scripts import PYTORCH as IMAGE
from emulator_tests.scripts import PYTORCH_SERVING, archived, model_of, packed, put_archive, put_source, ran, script_job, settled
from emulator_tests.support import BUCKET, Api, Json, Refused, wait_until
from emulator_tests.test_isolation import ABILITIES
from sagemaker_emulator.aws import Aws
from sagemaker_emulator.engines.script.defaults import ModelLoadError, defaults_of
from sagemaker_emulator.engines.script.frameworks import PYTORCH

pytestmark = [
    pytest.mark.pytorch,
    pytest.mark.skipif(not PYTORCH.is_installed, reason="PyTorch is not installed by default: make setup-pytorch"),
    # TorchScript is what the container's own model_fn loads, deprecated or not.
    pytest.mark.filterwarnings("ignore:.torch.jit:DeprecationWarning"),
]

TRAIN = """
    import argparse, os
    from pathlib import Path
    import numpy as np
    import torch

    def network():
        # Half of the features are left out at random unless the model is told that it is used.
        return torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.ReLU(), torch.nn.Dropout(0.5), torch.nn.Linear(8, 2))

    def train():
        parser = argparse.ArgumentParser()
        parser.add_argument("--epochs", type=int, default=200)
        epochs = parser.parse_args().epochs
        torch.manual_seed(0)
        table = np.loadtxt(os.path.join(os.environ["SM_CHANNEL_TRAIN"], "part-0.csv"), delimiter=",", dtype=np.float32)
        x, y = torch.from_numpy(table[:, 1:]), torch.from_numpy(table[:, 0]).long()
        model = network()
        optimizer = torch.optim.Adam(model.parameters(), lr=0.05)
        for _ in range(epochs):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
        model.eval()
        print(f"score={(model(x).argmax(1) == y).float().mean().item()}")
        return model.train()
"""
TORCHSCRIPT = f"""{TRAIN}
    if __name__ == "__main__":
        torch.jit.script(train()).save(Path(os.environ["SM_MODEL_DIR"]) / "model.pt")
"""
MODEL_FN = f"""{TRAIN}
    def model_fn(model_dir):
        model = network()
        model.load_state_dict(torch.load(Path(model_dir) / "weights.pth", weights_only=True))
        return model

    if __name__ == "__main__":
        torch.save(train().state_dict(), Path(os.environ["SM_MODEL_DIR"]) / "weights.pth")
"""
OWN_FUNCTIONS = """
    import json
    import torch

    def model_fn(model_dir, context):
        assert context.system_properties["model_dir"] == model_dir
        return torch.tensor([[1.0], [10.0]])

    def input_fn(body, content_type):
        assert content_type == "text/numbers", content_type
        return torch.tensor([[float(word) for word in line.split()] for line in body.decode().splitlines()])

    def predict_fn(data, model):
        return data @ model

    def output_fn(prediction, accept):
        return json.dumps({"sums": prediction.flatten().tolist(), "accept": accept})
"""


def npy(array: object, dtype: type[np.generic] = np.float32) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.asarray(array, dtype=dtype))
    return buffer.getvalue()


def in_service(api: Api, name: str, artifact: str, **environment: str) -> None:
    endpoint = settled(api, name, model_of(name, artifact, PYTORCH_SERVING, **environment))
    assert endpoint["EndpointStatus"] == "InService", endpoint.get("FailureReason")


@pytest.fixture(scope="module")
def torchscript(api: Api, aws: Aws) -> str:
    """The artifact of a job that has left TorchScript and no code, in service as the endpoint ``torchscript``."""
    source = put_source(aws, "torchscript", {"train.py": TORCHSCRIPT})
    job = ran(api, script_job("torchscript", source, IMAGE, HyperParameters={"epochs": 300}))
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert job["FinalMetricDataList"][0]["Value"] == 1
    artifact = str(job["ModelArtifacts"]["S3ModelArtifacts"])
    assert list(archived(aws, artifact)) == ["model.pt"]
    in_service(api, "torchscript", artifact)
    return artifact


@pytest.mark.usefixtures("torchscript")
def test_a_torchscript_model_is_served_without_any_code(api: Api) -> None:
    body, headers = api.invoke("torchscript", b"[[1, 2], [6, 5]]", content_type="application/json")

    answer = json.loads(body)
    assert headers["content-type"] == "application/json"
    assert np.argmax(answer, axis=1).tolist() == [0, 1]
    csv, _ = api.invoke("torchscript", b"1,2\n6,5\n", content_type="text/csv", accept="text/csv")
    assert np.loadtxt(io.BytesIO(csv), delimiter=",").tolist() == pytest.approx(np.array(answer))
    raw, _ = api.invoke("torchscript", npy([[1, 2], [6, 5]]), content_type="application/x-npy", accept="application/x-npy")
    assert np.load(io.BytesIO(raw)).tolist() == answer
    listed, _ = api.invoke("torchscript", b"[[1, 2]]", content_type="application/json", accept="image/png, text/csv")
    assert listed == csv.splitlines(keepends=True)[0]


@pytest.mark.parametrize(
    ("body", "content_type", "accept", "message"),
    [
        (npy([[1, 2]], np.float64), "application/x-npy", "application/json", "must have the same dtype"),
        (b"[[1, 2, 3]]", "application/json", "application/json", "shapes cannot be multiplied"),
        (b"1,2", "text/plain", "application/json", "Content type text/plain is not supported by this framework"),
        (b"[[1, 2]]", "application/json", "image/png", "Content type image/png is not supported by this framework"),
    ],
)
@pytest.mark.usefixtures("torchscript")
def test_what_the_model_or_the_container_does_not_take_is_answered_with_500_and_text(
    api: Api, *, body: bytes, content_type: str, accept: str, message: str
) -> None:
    with pytest.raises(Refused) as refused:
        api.invoke("torchscript", body, content_type=content_type, accept=accept)

    assert refused.value.body["OriginalStatusCode"] == 500
    assert message in refused.value.body["OriginalMessage"]


def test_a_script_that_has_model_fn_only_serves_from_its_code_in_the_model(api: Api, aws: Aws) -> None:
    code = textwrap.dedent(MODEL_FN).encode()
    job = ran(api, script_job("launched", put_archive(aws, "launched", packed({"train.py": code})), IMAGE))
    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    model = archived(aws, job["ModelArtifacts"]["S3ModelArtifacts"])
    artifact = put_archive(aws, "launched-model", packed({**model, "code/train.py": code}))
    assert set(archived(aws, artifact)) == {"weights.pth", "code/train.py"}
    in_service(api, "launched", artifact, SAGEMAKER_PROGRAM="train.py", SAGEMAKER_SUBMIT_DIRECTORY="/opt/ml/model/code")

    answers = [api.invoke("launched", b"1,2\n6,5\n", content_type="text/csv")[0] for _ in range(3)]

    assert np.argmax(json.loads(answers[0]), axis=1).tolist() == [0, 1]
    assert len(set(answers)) == 1, "the dropout is at work: the model is not in evaluation mode"


def test_the_scripts_own_functions_answer(api: Api, aws: Aws) -> None:
    in_service(api, "own", put_source(aws, "own", {"code/inference.py": OWN_FUNCTIONS}))

    body, _ = api.invoke("own", b"1 2\n3 4", content_type="text/numbers")

    assert json.loads(body) == {"sums": [21.0, 43.0], "accept": "application/json"}


def test_code_in_s3_is_not_fetched_as_the_container_does_not(api: Api, aws: Aws) -> None:
    source = put_source(aws, "unfetched", {"inference.py": OWN_FUNCTIONS})
    artifact = put_source(aws, "unfetched-model", {"weights.txt": "1"})
    variables = {"SAGEMAKER_PROGRAM": "inference.py", "SAGEMAKER_SUBMIT_DIRECTORY": source}

    endpoint = settled(api, "unfetched", model_of("unfetched", artifact, PYTORCH_SERVING, **variables))

    assert "Exactly one .pth or .pt file is required for PyTorch models: []" in endpoint["FailureReason"]


def test_a_batch_transform_answers_line_by_line(api: Api, aws: Aws, torchscript: str) -> None:
    api.ok("CreateModel", **model_of("batch", torchscript, PYTORCH_SERVING))
    aws.s3.put_object(Bucket=BUCKET, Key="torch-batch/rows.csv", Body=b"1,2\n6,5\n")
    source = {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/torch-batch/"}}
    api.ok(
        "CreateTransformJob",
        TransformJobName="torch-batch",
        ModelName="batch",
        BatchStrategy="MultiRecord",
        TransformInput={"DataSource": source, "ContentType": "text/csv", "SplitType": "Line"},
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/torch-scores", "Accept": "text/csv", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )

    def ended() -> Json | None:
        job = api.ok("DescribeTransformJob", TransformJobName="torch-batch")
        return job if job["TransformJobStatus"] in ("Completed", "Failed", "Stopped") else None

    job = wait_until(ended, 120)

    assert job["TransformJobStatus"] == "Completed", job.get("FailureReason")
    scores = aws.s3.get_object(Bucket=BUCKET, Key="torch-scores/rows.csv.out")["Body"].read()
    assert np.argmax(np.loadtxt(io.BytesIO(scores), delimiter=","), axis=1).tolist() == [0, 1]


def test_model_pt_is_loaded_though_other_files_are_beside_it(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    torch.jit.script(torch.nn.Linear(2, 1)).save(tmp_path / "model.pt")
    torch.save({"epoch": 3}, tmp_path / "checkpoint.pth")
    load = defaults_of(PYTORCH).model_fn

    assert tuple(load(str(tmp_path))(torch.zeros(1, 2)).shape) == (1, 1)
    (tmp_path / "model.pt").unlink()
    with pytest.raises(ModelLoadError, match=r"checkpoint\.pth\. Please ensure model is saved using torchscript"):
        load(str(tmp_path))


SUM = """
    import os
    import torch
    torch.distributed.init_process_group("gloo")
    total = torch.ones(1)
    torch.distributed.all_reduce(total)
    print(f"score={total.item()}")
    torch.distributed.destroy_process_group()
"""
# As the SDK 3's own driver for torchrun does it.
LAUNCH = """
rank=$(($(python3 -c "import json; print(json.load(open('/opt/ml/input/config/resourceconfig.json'))['current_host'][-1])") - 1))
torchrun --nnodes=2 --nproc_per_node=2 --master_addr=algo-1 --master_port=7777 --node_rank=$rank /opt/ml/input/data/code/sum.py
"""


@pytest.mark.skipif(not ABILITIES.opt_ml, reason="needs mount namespaces")
def test_torchrun_on_two_hosts_as_the_command_of_a_job(api: Api, aws: Aws) -> None:
    for name, text in (("sum.py", textwrap.dedent(SUM)), ("launch.sh", LAUNCH)):
        aws.s3.put_object(Bucket=BUCKET, Key=f"launched-by-torchrun/code/{name}", Body=text.encode())
    specification = {
        "TrainingImage": IMAGE,
        "TrainingInputMode": "File",
        "ContainerEntrypoint": ["/bin/bash"],
        "ContainerArguments": ["/opt/ml/input/data/code/launch.sh"],
        "MetricDefinitions": [{"Name": "score", "Regex": r"score=(\S+)"}],
    }

    job = ran(
        api,
        Api.training_job(
            "launched-by-torchrun",
            AlgorithmSpecification=specification,
            InputDataConfig=[Api.channel("code", "launched-by-torchrun/code/", None)],
            ResourceConfig={"InstanceType": "ml.m5.xlarge", "InstanceCount": 2, "VolumeSizeInGB": 10},
            EnableNetworkIsolation=True,
        ),
    )

    assert job["TrainingJobStatus"] == "Completed", job["FailureReason"]
    assert job["FinalMetricDataList"][0]["Value"] == 4
