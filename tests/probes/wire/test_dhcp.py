import struct
from ipaddress import IPv4Address

import pytest

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dhcp import DhcpDialogue, encode_discover, own_mac
from btimd.probes.wire.dialogue import Connect, Line
from tests.probes.wire.dialogues import Piece, ends, play, survives_changes, survives_cuts, told

TOKEN = 0x1122_3344_5566_7788
MAC = bytes.fromhex("020000000001")


def answer(
    kind: int = 2, address: str = "10.3.0.7", *, xid: int = 0x5566_7788, options: bytes = b"", op: int = 2
) -> bytes:
    head = struct.pack(
        "!BBBBIHH4s4s4s4s16s64s128s4s", op, 1, 6, 0, xid, 0, 0, bytes(4), IPv4Address(address).packed, bytes(4),
        bytes((10, 0, 0, 9)), MAC, b"", b"", bytes((99, 130, 83, 99)),
    )  # fmt: skip
    server = b"\x36\4\x0a\2\0\1"
    return head + bytes((53, 1, kind)) + server + b"\x33\4\0\0\x0e\x10" + b"\0" + options + b"\xff"


def dialogue(**options: str) -> DhcpDialogue:
    return DhcpDialogue("10.2.0.1", 0, TOKEN, mac="02:00:00:00:00:01", **options)  # type: ignore[arg-type]


def test_a_discover_and_its_offer() -> None:
    asking = dialogue(relay="10.0.0.9")
    assert asking.start(1.0) == [Connect(Line.UDP, "10.2.0.1", 67, "10.0.0.9", 67)]
    sent, end = play(dialogue(expect_network="10.3.0.0/16"), [answer()])
    assert sent == [encode_discover(0x5566_7788, MAC, "10.0.0.9")]
    assert told(end) == (ErrorClass.NONE, "10.2.0.1:67 offers 10.3.0.7 (server 10.2.0.1)")
    assert end is not None
    assert dict(end.values) == {"answer_seconds": 0.125, "lease_seconds": 3600.0}


def test_a_discover_is_laid_out_as_the_standard_says() -> None:
    packet = encode_discover(7, MAC, "10.0.0.9", "10.3.0.1")
    assert packet[:12] == bytes.fromhex("010106010000000700000000")
    assert (packet[24:28], packet[28:34]) == (bytes((10, 0, 0, 9)), MAC)
    assert packet[236:] == bytes.fromhex("638253633501013703010306520605040a030001ff")
    assert own_mac("a") == own_mac("a") != own_mac("b")
    assert own_mac("a")[0] == 2


@pytest.mark.parametrize(
    ("said", "error", "detail"),
    [
        (
            answer(address="10.9.0.7"),
            ErrorClass.WRONG_ANSWER,
            "offers 10.9.0.7 (server 10.2.0.1), expected one of 10.3.0.0/16",
        ),
        (answer(6, options=b"\x38\2no"), ErrorClass.WRONG_ANSWER, "answers a DISCOVER with NAK no"),
        (
            answer(xid=9),
            ErrorClass.TIMEOUT,
            "does not answer a DISCOVER with an OFFER (down, or without a free address for that subnet) within 0.4 s",
        ),
        (answer(op=1), ErrorClass.PROTOCOL_ERROR, "does not speak DHCP: operation 1 with cookie 63825363"),
        (b"hello", ErrorClass.PROTOCOL_ERROR, "does not speak DHCP: 5 octets"),
        (answer(options=b"\x38\x99no"), ErrorClass.PROTOCOL_ERROR, "does not speak DHCP: option 56, which is cut"),
    ],
)
def test_every_other_answer_says_why(said: Piece, error: ErrorClass, detail: str) -> None:
    assert told(ends(lambda: dialogue(expect_network="10.3.0.0/16"), [said])) == (error, f"10.2.0.1:67 {detail}")


def test_what_makes_no_sense_is_refused() -> None:
    for name in ("relay", "subnet"):
        with pytest.raises(ValueError, match=f"{name} '::1' is no IPv4 address"):
            dialogue(**{name: "::1"})
    with pytest.raises(ValueError, match="mac 'x' is none"):
        DhcpDialogue("h", 0, 1, mac="x")
    with pytest.raises(ValueError, match="has host bits set"):
        dialogue(expect_network="10.3.0.1/16")


def test_nothing_breaks_it() -> None:
    survives_cuts(dialogue, [answer()[:-15]])
    survives_changes(dialogue, [answer()])
