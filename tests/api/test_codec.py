from dataclasses import dataclass
from enum import StrEnum

import pytest

from btimd.api.codec import (
    Codec,
    EnumCodec,
    NotConvertibleError,
    millis_of_timestamp,
    seconds_of_timestamp,
    timestamp_of_millis,
    timestamp_of_seconds,
)
from btimd.api.pb import incidents_pb2, sla_pb2

STATUS = sla_pb2.DESCRIPTOR.enum_types_by_name["SlaStatus"]


@dataclass(frozen=True)
class Half:
    business: str


class Answer(StrEnum):
    YES = "yes"


def test_a_field_that_one_side_lacks_is_an_error_when_the_codec_is_built() -> None:
    with pytest.raises(TypeError, match=r"Half and btimd.v1.SlaTarget differ in \['availability_percent'\]"):
        Codec(Half, sla_pb2.SlaTarget)


def test_a_member_that_one_side_lacks_is_an_error_when_the_codec_is_built() -> None:
    with pytest.raises(
        TypeError, match=r"SlaStatus .* differ in \['AT_RISK', 'BREACHED', 'MET', 'UNMEASURED', 'YES'\]"
    ):
        EnumCodec(Answer, STATUS)


def test_words_become_members_and_back() -> None:
    codec = EnumCodec(None, STATUS)

    assert (codec.to_pb("at-risk"), codec.from_pb(2), codec.to_pb(None)) == (2, "at-risk", 0)


@pytest.mark.parametrize("number", [0, 99])
def test_a_value_that_is_unset_or_unknown_is_refused(number: int) -> None:
    with pytest.raises(NotConvertibleError, match=f"btimd.v1.SlaStatus has no value {number} here"):
        EnumCodec(None, STATUS).from_pb(number)


def test_an_optional_member_that_is_unset_is_none() -> None:
    assert EnumCodec(None, incidents_pb2.DESCRIPTOR.enum_types_by_name["IncidentState"]).to_pb(None) == 0


@pytest.mark.parametrize("seconds", [0.0, 0.25, 1_790_000_000.123456, 1_790_000_000.9999999, 4e9, -1.5])
def test_seconds_survive_a_timestamp(seconds: float) -> None:
    stamp = timestamp_of_seconds(seconds)

    assert 0 <= stamp.nanos < 1_000_000_000
    assert seconds_of_timestamp(stamp) == seconds


@pytest.mark.parametrize("millis", [0, 999, 1_790_000_000_001, -1])
def test_milliseconds_survive_a_timestamp(millis: int) -> None:
    assert millis_of_timestamp(timestamp_of_millis(millis)) == millis
