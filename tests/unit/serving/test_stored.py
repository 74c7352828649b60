"""What is kept in memory between predictions, and for how long."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ClientError

from sageline.encoder.decision import Decision, Temperature
from sageline.errors import EndpointNotFound, InvalidEncoder, InvalidRouting, ObjectMissing
from sageline.runs.routing_store import RoutingStore
from sageline.serving.stored import EncoderCache, RoutingCache, read_object
from tests.unit.serving.fakes import BUCKET, NEW, OLD, encoder, put_encoder, put_routing, variant

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


class Clock:
    """A clock that goes when told to."""

    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_routing_is_believed_for_some_seconds_and_then_read_again(s3: S3Client) -> None:
    clock = Clock()
    cache = RoutingCache(RoutingStore(s3, BUCKET), clock, seconds=5)
    put_routing(s3, variant(OLD, 1))
    assert cache.get("wines").variants[0].name == OLD

    put_routing(s3, variant(NEW, 1))
    clock.seconds = 4.9
    assert cache.get("wines").variants[0].name == OLD
    clock.seconds = 5.0
    assert cache.get("wines").variants[0].name == NEW


def test_routing_is_read_again_when_asked_to(s3: S3Client) -> None:
    cache = RoutingCache(RoutingStore(s3, BUCKET), Clock())
    put_routing(s3, variant(OLD, 1))
    cache.get("wines")
    put_routing(s3, variant(NEW, 1))
    assert cache.get("wines", fresh=True).variants[0].name == NEW
    assert cache.get("wines").variants[0].name == NEW


def test_routing_that_is_gone_is_not_believed_any_more(s3: S3Client) -> None:
    cache = RoutingCache(RoutingStore(s3, BUCKET), Clock())
    put_routing(s3, variant(OLD, 1))
    cache.get("wines")
    s3.delete_object(Bucket=BUCKET, Key="endpoints/wines/routing.json")
    for fresh in (True, False):
        with pytest.raises(EndpointNotFound, match="'wines'"):
            cache.get("wines", fresh=fresh)


def test_an_endpoint_that_appears_is_found_at_once(s3: S3Client) -> None:
    cache = RoutingCache(RoutingStore(s3, BUCKET), Clock())
    with pytest.raises(EndpointNotFound):
        cache.get("wines")
    put_routing(s3, variant(NEW, 1))
    assert cache.get("wines").endpoint == "wines"


@pytest.mark.parametrize("name", ["", "../wines", "wines/", "-wines", "w" * 64, "\ud800"])
def test_what_cannot_be_the_name_of_an_endpoint_is_not_found(s3: S3Client, name: str) -> None:
    with pytest.raises(EndpointNotFound):
        RoutingCache(RoutingStore(s3, BUCKET)).get(name)


def test_damaged_routing_is_named_by_its_uri(s3: S3Client) -> None:
    s3.put_object(Bucket=BUCKET, Key="endpoints/wines/routing.json", Body=b"{")
    with pytest.raises(InvalidRouting, match=f"s3://{BUCKET}/endpoints/wines/routing.json"):
        RoutingCache(RoutingStore(s3, BUCKET)).get("wines")


def test_an_encoder_is_read_once(s3: S3Client) -> None:
    cache = EncoderCache(s3)
    put_encoder(s3, NEW, encoder())
    first = cache.get(variant(NEW, 1).encoder_uri)
    s3.delete_object(Bucket=BUCKET, Key=f"runs/{NEW}/encoder/encoder.json")
    assert cache.get(variant(NEW, 1).encoder_uri) is first
    assert first.classes == encoder().classes


def test_the_encoder_that_was_not_used_for_longest_makes_room(s3: S3Client) -> None:
    cache = EncoderCache(s3, size=2)
    uris = {name: variant(name, 1).encoder_uri for name in ("a", "b", "c")}
    for name in uris:
        put_encoder(s3, name, encoder())
    a, b = cache.get(uris["a"]), cache.get(uris["b"])
    cache.get(uris["a"])
    cache.get(uris["c"])
    assert cache.get(uris["a"]) is a
    assert cache.get(uris["b"]) is not b


def test_an_encoder_that_is_not_there_is_named_by_its_uri(s3: S3Client) -> None:
    with pytest.raises(
        ObjectMissing, match=f"runs/{NEW}/encoder/: encoder.json and encoder.npz of the model's encoder, .* deleted"
    ):
        EncoderCache(s3).get(variant(NEW, 1).encoder_uri)


def test_an_encoder_comes_with_the_decision_beside_it(s3: S3Client) -> None:
    put_encoder(s3, NEW, encoder())
    assert EncoderCache(s3).get(variant(NEW, 1).encoder_uri).decision is None
    classes = encoder().classes or []
    decision = Decision(classes, calibration=Temperature(2.0), rows=70)
    s3.put_object(Bucket=BUCKET, Key=f"runs/{NEW}/encoder/decision.json", Body=decision.save())
    found = EncoderCache(s3).get(variant(NEW, 1).encoder_uri).decision
    assert found is not None
    assert (found.calibration, found.rows) == (Temperature(2.0), 70)


def test_a_damaged_decision_is_no_missing_one(s3: S3Client) -> None:
    put_encoder(s3, NEW, encoder())
    s3.put_object(Bucket=BUCKET, Key=f"runs/{NEW}/encoder/decision.json", Body=b"{}")
    with pytest.raises(InvalidEncoder, match=r"decision\.json is damaged"):
        EncoderCache(s3).get(variant(NEW, 1).encoder_uri)


def test_half_an_encoder_is_none(s3: S3Client) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"runs/{NEW}/encoder/encoder.npz", Body=encoder().save()["encoder.npz"])
    with pytest.raises(ObjectMissing, match=r": encoder\.json of the model's encoder"):
        EncoderCache(s3).get(variant(NEW, 1).encoder_uri)


def test_a_denied_object_is_no_missing_one(s3: S3Client) -> None:
    with pytest.raises(ClientError, match="NoSuchBucket"):
        read_object(s3, "another-bucket", "endpoints/wines/routing.json")
