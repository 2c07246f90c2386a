"""Points become exactly the lines that InfluxDB documents."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.points import PointBlock
from btimd.store.lineprotocol import encode, series_key


def test_a_block_becomes_one_line_per_point_with_sorted_tags_and_typed_fields() -> None:
    block = PointBlock(
        measurement="flows",
        time_milliseconds=np.array([1_700_000_000_000, 1_700_000_010_000]),
        tags={"region": ["north", "south"], "business": ["erp", "hr"]},
        fields={
            "octets": np.array([2**62, -1]),
            "rtt_seconds": np.array([0.1, 1e21]),
            "sampled": np.array([True, False]),
        },
    )
    assert encode(block) == (
        b"flows,business=erp,region=north octets=4611686018427387904i,rtt_seconds=0.1,sampled=true 1700000000000\n"
        b"flows,business=hr,region=south octets=-1i,rtt_seconds=1e+21,sampled=false 1700000010000\n"
    )


def test_commas_spaces_and_equals_signs_are_escaped_where_the_format_wants_it() -> None:
    block = PointBlock(
        measurement="a b,c=d",
        time_milliseconds=np.array([1]),
        tags={"k e=y,": ["v a=l,\n\"'ü中"]},
        fields={"f =,": np.array([1])},
    )
    assert encode(block).decode() == "a\\ b\\,c=d,k\\ e\\=y\\,=v\\ a\\=l\\,\\ \"'ü中 f\\ \\=\\,=1i 1\n"


def test_a_backslash_stays_unless_parsers_would_disagree_on_what_it_escapes() -> None:
    values = ["CORP\\zhang", "ends\\", "a\\ b", "a\\\\b", "a\\,b"]
    block = PointBlock("m", np.arange(5), {"t": values}, {"f": np.arange(5)})
    assert encode(block).decode().splitlines() == [
        "m,t=CORP\\zhang f=0i 0",
        "m,t=ends/ f=1i 1",
        "m,t=a/\\ b f=2i 2",
        "m,t=a/\\b f=3i 3",
        "m,t=a/\\,b f=4i 4",
    ]


def test_what_the_format_cannot_say_is_left_out() -> None:
    block = PointBlock(
        measurement="m",
        time_milliseconds=np.array([1, 2, 3, 4]),
        tags={"a": ["", "x", "", ""], "b": ["", "", "y", ""]},
        fields={
            "f": np.array([np.nan, np.inf, 1.5, -np.inf]),
            "u": np.array([2**64 - 1, 2**63 - 1, 2**63, 2**63], dtype=np.uint64),
        },
    )
    assert encode(block) == b"m,a=x u=9223372036854775807i 2\nm,b=y f=1.5 3\n"


def test_a_block_without_points_is_no_line() -> None:
    assert encode(PointBlock("m", np.array([], np.int64), {"t": []}, {"f": np.array([], np.float64)})) == b""


def test_a_field_of_texts_is_refused() -> None:
    block = PointBlock("m", np.array([1]), {}, {"f": np.array(["x"])})
    with pytest.raises(ValueError, match=r"m\.f is a column of <U1; a field is integer, float or bool"):
        encode(block)


def test_a_series_has_one_key_whatever_the_order_of_its_tags() -> None:
    assert series_key("m", {"b": "2", "a": "1", "c": ""}) == series_key("m", {"a": "1", "b": "2"}) == "m,a=1,b=2"


def parse(line: str) -> tuple[str, dict[str, str], dict[str, object], int]:
    """Read one line as InfluxDB 1.x does: a backslash escapes what follows it only where that is special."""
    head, fields, time = re.split(r"(?<!\\) ", line)
    measurement, *tags = re.split(r"(?<!\\),", head)

    def plain(text: str) -> str:
        return re.sub(r"\\([,= ])", r"\1", text)

    def pairs(texts: list[str]) -> dict[str, str]:
        return {plain(key): value for key, value in (re.split(r"(?<!\\)=", text) for text in texts)}

    def number(text: str) -> object:
        if text in {"true", "false"}:
            return text == "true"
        return int(text[:-1]) if text.endswith("i") else float(text)

    return (
        plain(measurement),
        {key: plain(value) for key, value in pairs(tags).items()},
        {key: number(value) for key, value in pairs(re.split(r"(?<!\\),", fields)).items()},
        int(time),
    )


names = st.text(st.characters(codec="utf-8", exclude_characters="\\\r\n"), min_size=1, max_size=12)
numbers = st.integers(-(2**63), 2**63 - 1)


@given(
    measurement=names,
    tags=st.dictionaries(names, names, max_size=4),
    whole=numbers,
    real=st.floats(allow_nan=False, allow_infinity=False),
    truth=st.booleans(),
    time=numbers,
)
def test_what_is_written_is_read_back(
    measurement: str, tags: dict[str, str], whole: int, real: float, truth: bool, time: int
) -> None:
    block = PointBlock(
        measurement,
        np.array([time]),
        {name: [value] for name, value in tags.items()},
        {"whole =": np.array([whole]), "real,": np.array([real]), "truth": np.array([truth])},
    )
    text = encode(block).decode()
    assert text.endswith("\n")
    assert parse(text[:-1]) == (measurement, tags, {"whole =": whole, "real,": real, "truth": truth}, time)


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_breaks_out_of_its_place(measurement: str, value: str) -> None:
    block = PointBlock(measurement or "m", np.array([1]), {"t": [value]}, {"f": np.array([2])})
    text = encode(block).decode("utf-8")
    assert text.count("\n") == 1
    assert parse(text[:-1])[2:] == ({"f": 2}, 1)
