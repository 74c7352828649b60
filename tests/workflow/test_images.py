"""Images in class folders, from the command line's archive to a prediction for a file: nothing but files is handled."""

from __future__ import annotations

import base64
from pathlib import Path

import httpx
import pytest
from botocore.credentials import Credentials

from sageline.json_objects import Json
from sageline_cli.api_client import SigV4
from sageline_cli.image_folder import pack_folder
from sageline_cli.upload import UploadedDataset, upload
from sageline_local.stack import LocalStack
from tests.unit.pictures import archive, cats_and_dogs, encoded, picture
from tests.workflow.workbench import Workbench

pytestmark = pytest.mark.stack

KNN: bytes = b'{"algorithm": {"name": "knn", "hyperparameters": {"k": 3}}}'
NETWORK: bytes = b'{"algorithm": {"name": "tensorflow", "hyperparameters": {"epochs": 6, "filters": "8", "hidden_units": "16"}}}'


def uploaded(workbench: Workbench, name: str, path: Path, spec: bytes | None) -> UploadedDataset:
    return upload(workbench.connection.s3, workbench.connection.bucket, path, name, spec=spec, advance=lambda _: None)


def folder(directory: Path) -> Path:
    """A folder of cats and dogs of 20 x 24 pixels, and what a system leaves there."""
    for name, data in {**cats_and_dogs(120, height=20, width=24), ".DS_Store": b"x"}.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return directory


def ask_with_file(stack: LocalStack, endpoint: str, data: bytes, content_type: str) -> httpx.Response:
    variables = stack.environment()
    credentials = Credentials(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    url = f"{variables['SAGELINE_API_URL'].rstrip('/')}/endpoints/{endpoint}/predictions"
    with httpx.Client(auth=SigV4(credentials, variables["AWS_DEFAULT_REGION"]), timeout=60) as client:
        return client.post(url, content=data, headers={"content-type": content_type})


def a_cat(file_format: str) -> bytes:
    pixels = picture(1_000, 50, 40) // 4
    pixels[..., 0] += 150
    return encoded(pixels, file_format)


def predicts_files(workbench: Workbench, stack: LocalStack, name: str) -> None:
    instances: list[object] = [{"image": base64.b64encode(a_cat("PNG")).decode()}, base64.b64encode(a_cat("BMP")).decode()]
    answer: Json = workbench.connection.api.predict(name, instances, 1)
    assert [prediction["label"] for prediction in answer["predictions"]] == ["cat", "cat"]
    for file_format in ("PNG", "JPEG", "WEBP"):
        response = ask_with_file(stack, name, a_cat(file_format), f"image/{file_format.lower()}")
        assert response.status_code == 200, response.text
        assert [prediction["label"] for prediction in response.json()["predictions"]] == ["cat"]
    refused = ask_with_file(stack, name, a_cat("PNG")[:80], "image/png")
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "InvalidRequest")
    assert "the image is damaged" in refused.json()["error"]["message"]


def test_a_folder_of_images_becomes_an_endpoint_that_takes_files(workbench: Workbench, stack: LocalStack, tmp_path: Path) -> None:
    packed = tmp_path / "pets.zip"
    assert pack_folder(folder(tmp_path / "pets"), packed) == 120
    run = workbench.wait(uploaded(workbench, "pets", packed, KNN).run_id)
    assert run["status"] == "Succeeded", run["error"]
    assert run["details"]["schema"]["features"] == {"image": "image"}
    assert run["details"]["schema"]["notes"][0].startswith("Images are resized to 20 x 24 pixels in colours: all 120")
    predicts_files(workbench, stack, "pets")
    described = workbench.connection.api.endpoint("pets")
    example = workbench.connection.api.predict("pets", [described["example"]], 1)
    assert example["predictions"][0]["label"] in ("cat", "dog")
    workbench.delete("pets")


def test_an_archive_that_is_no_dataset_fails_with_what_to_do(workbench: Workbench, tmp_path: Path) -> None:
    packed = tmp_path / "one.zip"
    packed.write_bytes(archive({"cat/1.png": a_cat("PNG"), "cat/2.png": a_cat("PNG")}))
    run = workbench.wait(uploaded(workbench, "one-folder", packed, None).run_id)
    assert (run["status"], run["error"]["state"]) == ("Failed", "ConfigureRun")
    assert "all 2 images lie in the one folder 'cat'" in run["error"]["message"]


@pytest.mark.full
@pytest.mark.tensorflow
def test_a_convolutional_network_learns_from_files(workbench: Workbench, stack: LocalStack, tmp_path: Path) -> None:
    packed = tmp_path / "pets.zip"
    pack_folder(folder(tmp_path / "pets"), packed)
    run = workbench.wait(uploaded(workbench, "pets-network", packed, NETWORK).run_id)
    assert run["status"] == "Succeeded", run["error"]
    predicts_files(workbench, stack, "pets-network")
    workbench.delete("pets-network")
