import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.perfdata import MAX_VALUES, decode_output, decode_perfdata


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("time=0.004s;;;0.000000 size=1234B;;;0", {"time_seconds": 0.004, "size_bytes": 1234.0}),
        ("'C:\\ Used Space'=12,5GB;20;30;0;40", {"c_used_space_bytes": 12.5 * 2**30}),
        ("/=2643MB;5948;5958;0;5968 /var/log=1KB", {"root_bytes": 2643 * 2**20, "var_log_bytes": 1024.0}),
        ("load1=2.570;5.000;10.000;0; pl=0%;80;100", {"load1": 2.57, "pl_ratio": 0.0}),
        ("rta=1.5ms x=3us y=7ns", {"rta_seconds": 0.0015, "x_seconds": 3e-6, "y_seconds": pytest.approx(7e-9)}),
        ("'it''s'=5c in_seconds=1s", {"it_s_total": 5.0, "in_seconds": 1.0}),
        ("a=U b=-1.5e3 c=+.5 d=1.", {"b": -1500.0, "c": 0.5, "d": 1.0}),
        ("garbage more x=1", {"x": 1.0}),
        ("x=1e999 y=abc =3 z==4 'open=5", {}),
        ("a=1 a=2 A=3", {"a": 1.0}),
        ("''=1 ---=2", {"value": 1.0}),
        ("temp=21C", {"temp_celsius": 21.0}),
    ],
)
def test_performance_data_becomes_values_in_base_units(text: str, values: dict[str, float]) -> None:
    assert dict(decode_perfdata(text)) == values


def test_output_of_several_lines() -> None:
    said = decode_output(b"DISK OK - free: 3 GB | a=1\n/ 15 GB\r\n/boot 68 MB | b=2\nc=3\nd=4 e=5\n")
    assert (said.text, said.more, dict(said.values)) == (
        "DISK OK - free: 3 GB",
        "/ 15 GB /boot 68 MB",
        {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0, "e": 5.0},
    )
    assert decode_output(b"").text == ""


def test_no_more_values_than_allowed_are_kept() -> None:
    assert len(decode_perfdata(" ".join(f"v{number}=1" for number in range(500)))) == MAX_VALUES


@given(st.binary(max_size=2000))
def test_any_octets_are_taken(raw: bytes) -> None:
    said = decode_output(raw)
    assert len(said.text) <= 240
    assert len(said.more) <= 240
    assert all(math.isfinite(value) for value in said.values.values())


@given(st.text(alphabet="'= ;a1.,|-\n", max_size=300))
def test_any_mixture_of_its_signs_is_taken(text: str) -> None:
    decode_output(text.encode())


def test_quotes_without_end_take_no_time() -> None:
    for text in ("'" * 8192, "'' " * 4000, "'a " * 4000, "a" * 8192, "=" * 8192):
        decode_perfdata(text)


def test_every_beginning_of_an_output_is_taken() -> None:
    raw = "OK é | 'a b'=1ms;2;3;4;5 c=2%\nmore | d=4".encode()
    for end in range(len(raw)):
        decode_output(raw[:end])
