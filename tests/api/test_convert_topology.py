from typing import Any

import pytest
from hypothesis import given, settings

from btimd.api import convert_topology
from btimd.api.codec import Codec
from tests.api.test_convert import objects

CODECS = {name: codec for name, codec in vars(convert_topology).items() if isinstance(codec, Codec)}


@pytest.mark.parametrize("name", CODECS)
def test_every_object_of_the_topology_comes_back_as_it_was(name: str) -> None:
    codec = CODECS[name]

    @settings(max_examples=20)
    @given(objects(codec._model))
    def round_trip(value: Any) -> None:
        message = codec.to_pb(value)
        assert codec.from_pb(type(message).FromString(message.SerializeToString())) == value

    round_trip()
