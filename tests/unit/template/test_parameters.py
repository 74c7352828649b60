"""What can be set at deployment, what a deployment tells, and how SAM builds and deploys."""

from __future__ import annotations

import tomllib

from tests.unit.template import documents
from tests.unit.template.documents import ROOT, Document


def test_every_parameter_has_a_default_and_says_what_it_is(source: Document) -> None:
    for name, parameter in source["Parameters"].items():
        assert "Default" in parameter, name
        assert parameter["Description"], name


def test_every_parameter_is_used(source: Document) -> None:
    used = documents.text({name: section for name, section in source.items() if name != "Parameters"})
    for name in source["Parameters"]:
        assert f'{{"Ref": "{name}"}}' in used, name


def test_the_documented_defaults_are_the_templates(source: Document) -> None:
    section = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("## Parameters")[2]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    documented = {name.strip("`"): default.strip("`") for names, default, *_ in rows for name in names.split(", ")}
    assert len(documented) >= 10
    for name, default in documented.items():
        assert str(source["Parameters"][name]["Default"]) == {"none": ""}.get(default, default), name


def test_nothing_in_the_bundle_is_there_for_the_laptop() -> None:
    bundle = (ROOT / "template.yaml").read_text() + documents.definition_text()
    for page_of_console in ("http://127.0.0.1:*", "http://localhost:*"):  # on its user's machine, also when the stack is in AWS
        bundle = bundle.replace(page_of_console, "", 1)
    assert not any(word in bundle.lower() for word in ("ministack", "localhost", "127.0.0.1", "laptop"))


def test_a_deployment_tells_where_everything_is(source: Document) -> None:
    assert source["Outputs"].keys() == {
        "ApiId",
        "ApiUrl",
        "BucketName",
        "JwtApiId",
        "JwtApiUrl",
        "NotificationTopicArn",
        "RunsTableName",
        "SageMakerRoleArn",
        "StateMachineArn",
    }


def test_sam_builds_the_layer_anew_and_deploys_without_questions() -> None:
    settings = tomllib.loads((ROOT / "samconfig.toml").read_text())["default"]
    assert settings["build"]["parameters"]["cached"] is False, "SAM's cache would mix up layers for different machines"
    assert settings["deploy"]["parameters"]["resolve_s3"] is True
    assert settings["deploy"]["parameters"]["capabilities"] == "CAPABILITY_IAM"
    assert settings["deploy"]["parameters"]["confirm_changeset"] is False
    assert settings["validate"]["parameters"]["lint"] is True
