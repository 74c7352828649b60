from __future__ import annotations

from sageline.aws.compare import differences


def test_what_was_asked_for_is_found_whatever_aws_adds() -> None:
    asked = {"Name": "a", "Config": {"Count": 1}, "Items": [{"Key": "x"}], "Tags": [{"Key": "t"}], "Spot": False}
    found = {"Name": "a", "Config": {"Count": 1, "Added": 2}, "Items": [{"Key": "x", "More": 1}], "Arn": "arn"}
    assert differences(asked, found) == []


def test_every_difference_is_named_by_its_place() -> None:
    asked = {"Config": {"Count": 1}, "Items": [{"Key": "x"}, {"Key": "y"}], "Role": "r"}
    found = {"Config": {"Count": 2}, "Items": [{"Key": "x"}, {"Key": "z"}]}
    assert differences(asked, found) == [
        "Config.Count is 2 and not 1",
        "Items[1].Key is 'z' and not 'y'",
        "Role is None and not 'r'",
    ]


def test_named_things_are_compared_by_name_whatever_aws_adds() -> None:
    asked = {"Metrics": [{"Name": "loss", "Regex": "a"}, {"Name": "error", "Regex": "b"}], "Ranges": []}
    added = [{"Name": "ObjectiveMetric", "Regex": "b"}, {"Name": "error", "Regex": "b"}, {"Name": "loss", "Regex": "a"}]
    assert differences(asked, {"Metrics": added, "Ranges": []}) == []
    assert differences(asked, {"Metrics": added[:2], "Ranges": []}) == [
        "Metrics.loss is None and not {'Name': 'loss', 'Regex': 'a'}"
    ]


def test_a_list_of_another_length_is_different() -> None:
    assert differences({"Items": [1, 2]}, {"Items": [1]}) == ["Items is [1] and not [1, 2]"]
