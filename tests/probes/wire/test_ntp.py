import struct

import pytest

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import Deadline, Refused
from btimd.probes.wire.ntp import UNIX_EPOCH, NtpDialogue, NtpLimits, decode_packet, encode_request
from tests.probes.wire.dialogues import AT, Piece, ends, play, survives_changes, survives_cuts, told

TOKEN = 0x1122_3344_5566_7788


def answer(
    *,
    leap: int = 0,
    stratum: int = 2,
    offset: float = 0.0,
    dispersion: float = 0.25,
    kiss: bytes = bytes(4),
    origin: int = TOKEN,
    mode: int = 4,
) -> bytes:
    """Return an answer that came 0.125 s after the request and was made half-way."""
    at = int((AT + 0.0625 + offset + UNIX_EPOCH) * 2**32) % 2**64
    return struct.pack(
        "!BBbbII4sQQQQ",
        leap << 6 | 4 << 3 | mode,
        stratum,
        6,
        -20,
        0x8000,
        int(dispersion * 65_536),
        kiss,
        0,
        origin,
        at,
        at,
    )


def dialogue() -> NtpDialogue:
    return NtpDialogue("10.2.0.1", 0, TOKEN, NtpLimits(stratum=4))


def test_a_good_answer_is_measured() -> None:
    sent, end = play(dialogue(), [answer(offset=0.5)])
    assert sent == [encode_request(TOKEN)]
    assert sent[0] == b"\x23" + bytes(39) + TOKEN.to_bytes(8)
    assert told(end) == (ErrorClass.NONE, "10.2.0.1:123 is at stratum 2, +0.500000 s from this machine's clock")
    assert end is not None
    assert dict(end.values) == {
        "rtt_seconds": pytest.approx(0.125),
        "offset_seconds": pytest.approx(0.5),
        "stratum": 2,
        "root_delay_seconds": 0.5,
        "root_dispersion_seconds": 0.25,
    }


@pytest.mark.parametrize(
    ("said", "error", "detail"),
    [
        (answer(stratum=0, kiss=b"RATE"), ErrorClass.WRONG_ANSWER, "sends the kiss code RATE: it is asked too often"),
        (
            answer(stratum=0, kiss=b"X\xff\0\0"),
            ErrorClass.WRONG_ANSWER,
            "sends the kiss code X\ufffd: it gives no time",
        ),
        (answer(leap=3), ErrorClass.WRONG_ANSWER, "is not synchronised (leap indicator 3, stratum 2)"),
        (answer(stratum=16), ErrorClass.WRONG_ANSWER, "is not synchronised (leap indicator 0, stratum 16)"),
        (answer(stratum=5), ErrorClass.WRONG_ANSWER, "is at stratum 5, allowed are up to 4"),
        (
            answer(dispersion=1.5),
            ErrorClass.WRONG_ANSWER,
            "knows the time only to 1.500 s (root dispersion), allowed are 1 s",
        ),
        (answer(offset=-2), ErrorClass.WRONG_ANSWER, "is -2.000 s from this machine's clock, allowed are 1 s"),
        (answer(mode=3), ErrorClass.PROTOCOL_ERROR, "does not speak NTP: mode 3 of version 4 is no answer of a server"),
        (b"hello", ErrorClass.PROTOCOL_ERROR, "does not speak NTP: 5 octets"),
        (answer(origin=7), ErrorClass.TIMEOUT, "does not answer an NTP request within 0.4 s"),
        (Deadline(), ErrorClass.TIMEOUT, "does not answer an NTP request within 0.2 s"),
        (Refused(), ErrorClass.REFUSED, "refuses: the host answers, nobody listens there"),
    ],
)
def test_every_other_answer_says_why(said: Piece, error: ErrorClass, detail: str) -> None:
    assert told(ends(dialogue, [said])) == (error, f"10.2.0.1:123 {detail}")


def test_the_next_era_begins_in_2036() -> None:
    in_2040 = 2_208_988_800.0
    packet = decode_packet(answer(), AT)
    assert packet.receive == pytest.approx(AT + 0.0625)
    late = struct.pack("!BBbbII4sQQQQ", 0x24, 2, 6, -20, 0, 0, bytes(4), 0, TOKEN, 123_010_304 << 32, 0)
    assert decode_packet(late, in_2040).receive == pytest.approx(in_2040, abs=1e-3)


def test_nothing_breaks_it() -> None:
    survives_cuts(dialogue, [answer()])
    survives_changes(dialogue, [answer()])
