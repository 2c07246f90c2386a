import pytest

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.h2frames import DATA, HEADERS, Frame, FrameReader, encode_settings, error_name


def test_frames_are_cut_out_of_the_octets() -> None:
    frames = [Frame(DATA, 1, 1, b"abc"), Frame(250, 0, 0, b""), Frame(HEADERS, 4, 3, b"x")]
    assert frames[0].wire == bytes.fromhex("000003000100000001") + b"abc"
    reader = FrameReader()
    octets = b"".join(frame.wire for frame in frames)
    assert [frame for octet in octets for frame in reader.feed(bytes((octet,)))] == frames


def test_padding_and_priority_are_taken_off() -> None:
    assert Frame(DATA, 0x08, 1, b"\2abc\0\0").content == b"abc"
    assert Frame(HEADERS, 0x28, 1, b"\1" + bytes(5) + b"abc\0").content == b"abc"
    for frame in (Frame(DATA, 0x08, 1, b""), Frame(DATA, 0x08, 1, b"\2a"), Frame(HEADERS, 0x20, 1, b"abc")):
        with pytest.raises(AnswerError):
            _ = frame.content


def test_a_frame_that_is_too_long_is_told() -> None:
    with pytest.raises(AnswerError, match="a frame of 5456712 octets"):
        list(FrameReader().feed(b"SCH-2.0-x"))


def test_settings_and_errors() -> None:
    assert encode_settings({2: 0}) == bytes.fromhex("000006040000000000000200000000")
    assert (error_name(7), error_name(99)) == ("REFUSED_STREAM", "error 99")
