"""Messages as The Open Group's DDM shows them; no DB2 was had."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.drda import (
    ACCSEC,
    ACCSECRD,
    EXCSAT,
    EXCSATRD,
    RDBNAM,
    SECCHKCD,
    SECMEC,
    SRVCLSNM,
    SRVNAM,
    SRVRLSLV,
    DrdaDialogue,
    ddm,
    dss,
    encode_requests,
    read_objects,
)
from tests.probes.wire.scripts import babble, begin, converse, cut_everywhere, sent

SERVER = dss(
    1,
    ddm(
        EXCSATRD,
        ddm(SRVCLSNM, "QDB2/LINUXX8664".encode("cp500"))
        + ddm(SRVRLSLV, "SQL11055".encode("cp500"))
        + ddm(SRVNAM, "db2inst1".encode("cp500")),
    ),
    kind=2,
)
WAYS = dss(2, ddm(ACCSECRD, ddm(SECMEC, struct.pack("!HH", 3, 9))), kind=2)


def dialogue(database: str = "ERP") -> DrdaDialogue:
    return DrdaDialogue("10.2.0.92", 0, database=database)


def test_two_requests_go_at_once() -> None:
    assert sent(begin(dialogue())) == encode_requests("ERP")
    requests = encode_requests("ERP")
    first = int.from_bytes(requests[:2])
    assert (requests[2:6], requests[8:10]) == (b"\xd0\x41\0\1", struct.pack("!H", EXCSAT))
    assert (requests[first + 2 : first + 6], requests[first + 8 : first + 10]) == (
        b"\xd0\1\0\2",
        struct.pack("!H", ACCSEC),
    )
    assert requests.endswith(ddm(RDBNAM, "ERP               ".encode("cp500")))
    assert b"\x21\x10" not in encode_requests("")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (
            [SERVER, WAYS],
            (
                Health.GOOD,
                ErrorClass.NONE,
                "is QDB2/LINUXX8664 SQL11055 (db2inst1), knows 'ERP' and lets accounts in by user and password, encrypted user and password",
            ),
        ),
        (
            [SERVER, dss(2, ddm(0x2211, ddm(0x1149, b"\0\x08")), kind=2)],
            (
                Health.BAD,
                ErrorClass.WRONG_ANSWER,
                "is QDB2/LINUXX8664 SQL11055 (db2inst1) and says RDBNFNRM: the database is not known (severity 8)",
            ),
        ),
        (
            [SERVER, dss(2, ddm(ACCSECRD, ddm(SECCHKCD, b"\x0a")), kind=2)],
            (
                Health.BAD,
                ErrorClass.WRONG_ANSWER,
                "is QDB2/LINUXX8664 SQL11055 (db2inst1) and says that its security fails (SECCHKCD 10)",
            ),
        ),
        (
            [SERVER] * 6,
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak DRDA (DB2): 6 messages without the answer to ACCSEC",
            ),
        ),
        (
            [b"HTTP/1.0 400 Bad"],
            (
                Health.BAD,
                ErrorClass.PROTOCOL_ERROR,
                "does not speak DRDA (DB2): a message that begins with b'HTTP/1'",
            ),
        ),
    ],
)
def test_what_may_come(answers: list[bytes], expected: tuple[Health, ErrorClass, str]) -> None:
    found = converse(dialogue(), *answers)
    assert (found.health, found.error, found.detail) == (*expected[:2], f"10.2.0.92:50000 {expected[2]}")


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(AnswerError, match="an object of 3 octets"):
        list(read_objects(b"\0\3\0\0"))
    with pytest.raises(ValueError, match="is no name of a database"):
        dialogue("\u00fc")


def test_the_conversation_may_be_cut_and_changed_anywhere() -> None:
    cut_everywhere(dialogue, SERVER, WAYS)


@given(st.lists(st.binary(max_size=60), max_size=4), st.sampled_from([b"", SERVER, SERVER[:20]]))
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], start: bytes) -> None:
    babble(dialogue(), start, *pieces)
