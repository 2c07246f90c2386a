import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.bson import Document, decode, encode
from btimd.probes.wire.dialogue import AnswerError


def test_the_example_of_the_specification() -> None:
    assert encode({"hello": "world"}) == b"\x16\0\0\0\x02hello\0\x06\0\0\0world\0\0"


def test_documents_come_back() -> None:
    document: Document = {"a": 1, "b": 1 << 40, "c": 1.5, "d": "x", "e": b"\1", "f": True, "g": {"h": "i"}}
    assert decode(encode(document)) == document
    with pytest.raises(TypeError, match="x: list"):
        encode({"x": []})


def test_every_other_type_is_passed_over() -> None:
    elements = (
        b"\x07id\0" + bytes(12) + b"\x09t\0" + bytes(8) + b"\x0an\0" + b"\x0br\0re\0i\0" + b"\x11s\0" + bytes(8)
        + b"\x13d\0" + bytes(16) + b"\x04l\0" + encode({"0": 1}) + b"\x10z\0\x01\0\0\0\0"
    )  # fmt: skip
    found = decode(struct.pack("<i", len(elements) + 4) + elements)
    assert found == {"id": None, "t": None, "n": None, "r": "i", "s": None, "d": None, "l": {"0": 1}, "z": 1}


@pytest.mark.parametrize("data", [b"", b"\x04\0\0\0", b"\x06\0\0\0\x42\0", b"\xff\xff\xff\xff\0"])
def test_what_is_no_document_is_refused(data: bytes) -> None:
    with pytest.raises(AnswerError):
        decode(data)
    deep: Document = {}
    for _ in range(20):
        deep = {"a": deep}
    with pytest.raises(AnswerError, match="depth"):
        decode(encode(deep))


@given(st.binary(max_size=60))
def test_garbage_is_read_or_refused(garbage: bytes) -> None:
    with contextlib.suppress(AnswerError):
        decode(struct.pack("<i", len(garbage) + 4) + garbage)
