import pytest

from btimd.model.probe import ErrorClass
from btimd.probes.wire.dialogue import Closed
from btimd.probes.wire.ssh import VERSION, SshDialogue, encode_packet
from tests.probes.wire.dialogues import Piece, ends, play, survives_changes, survives_cuts, told

HELLO = b"SSH-2.0-OpenSSH_9.2p1 Debian\r\n"


def names(text: str) -> bytes:
    return len(text).to_bytes(4) + text.encode()


OFFER = encode_packet(
    b"\x14" + bytes(16) + names("curve25519-sha256,ecdh") + names("ssh-ed25519,rsa-sha2-512") + names("") * 8 + bytes(5)
)


def dialogue(expect: str = "") -> SshDialogue:
    return SshDialogue("10.2.0.22", 0, expect=expect)


def test_version_and_offer() -> None:
    sent, end = play(dialogue("OpenSSH"), [HELLO + OFFER[:10], OFFER[10:]])
    assert sent[0] == VERSION
    assert sent[1] == encode_packet(b"\1" + (11).to_bytes(4) + names("probe") + names(""))
    assert told(end) == (
        ErrorClass.NONE,
        "10.2.0.22:22 is 'OpenSSH_9.2p1 Debian' and offers keys of ssh-ed25519, rsa-sha2-512",
    )
    assert end is not None
    assert dict(end.values) == {"connect_seconds": 0.125, "banner_seconds": 0.125, "key_offer_seconds": 0.25}


@pytest.mark.parametrize(
    ("pieces", "error", "detail"),
    [
        (
            [b"Welcome\r\n", HELLO, OFFER],
            ErrorClass.WRONG_ANSWER,
            " is 'OpenSSH_9.2p1 Debian', expected 'dropbear' in it",
        ),
        (
            [b"Exceeded MaxStartups\r\n", Closed()],
            ErrorClass.WRONG_ANSWER,
            " says 'Exceeded MaxStartups' and closes the connection",
        ),
        ([HELLO, Closed()], ErrorClass.NO_ANSWER, " closes the connection instead of offering keys"),
        ([Closed()], ErrorClass.NO_ANSWER, " accepts the connection and closes it without an answer"),
        ([HELLO], ErrorClass.NO_ANSWER, " greets and offers no keys (0.4 s waited)"),
        ([], ErrorClass.NO_ANSWER, " accepts the connection and never answers (0.2 s waited)"),
        ([b"SSH-1.5-old\r\n"], ErrorClass.PROTOCOL_ERROR, " does not speak SSH: version 'SSH-1.5-old'"),
        ([b"x\n" * 60], ErrorClass.PROTOCOL_ERROR, " does not speak SSH: over 50 lines before the version"),
        ([b"x" * 2000], ErrorClass.PROTOCOL_ERROR, " does not speak SSH: a line over 1024 octets"),
        ([HELLO, b"\xff" * 8], ErrorClass.PROTOCOL_ERROR, " does not speak SSH: a packet of 4294967295 octets"),
        (
            [HELLO, encode_packet(b"\x15" + bytes(20))],
            ErrorClass.PROTOCOL_ERROR,
            " does not speak SSH: a first packet b'\\x06\\x15\\x00\\x00\\x00\\x00\\x00\\x00', which is no offer of keys",
        ),
    ],
)
def test_every_other_end_says_where(pieces: list[Piece], error: ErrorClass, detail: str) -> None:
    assert told(ends(lambda: dialogue("dropbear"), pieces)) == (error, f"10.2.0.22:22{detail}")


def test_packets_are_whole_blocks() -> None:
    for size in range(40):
        packet = encode_packet(bytes(size))
        assert len(packet) % 8 == 0
        assert packet[4] >= 4


def test_nothing_breaks_it() -> None:
    survives_cuts(dialogue, [HELLO, OFFER])
    survives_changes(dialogue, [HELLO, OFFER])
