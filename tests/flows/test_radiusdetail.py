"""FreeRADIUS detail files, written as its documentation says."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.flows.radius import Accounting, AccountingStatus
from btimd.flows.radiusdetail import DetailRecords
from btimd.model.address import Prefix
from tests.fuzz.mutate import mutated

RECORD = b"""Sun Nov 22 05:00:00 2026
\tAcct-Status-Type = Start
\tUser-Name = "anna\\"a"
\tNAS-IP-Address = 198.51.100.1
\tFramed-IP-Address = 10.77.0.5
\tFramed-IPv6-Prefix = 2001:db8:2:3::/64
\tAcct-Session-Id = "s1"
\tAcct-Delay-Time = 10
\tEvent-Timestamp = "Nov 22 2026 05:00:00 CET"
\tTmp-String-9 = "ai:"
\tAcct-Unique-Session-Id = "c96d1ae1"
\tTimestamp = 1795323600

"""
NEWS = Accounting(
    AccountingStatus.START,
    "4:c6336401",
    "s1",
    'anna"a',
    (Prefix.parse("10.77.0.5"), Prefix.parse("2001:db8:2:3::/64")),
    1795323590.0,
)


def read(octets: bytes) -> tuple[list[Accounting], int, str]:
    records = DetailRecords()
    found = [news for line in octets.split(b"\n") for news in records.feed(line)]
    return found, records.refused, records.last_error


def test_a_record_tells_what_the_packet_told() -> None:
    assert read(RECORD) == ([NEWS], 0, "")


def test_one_record_comes_after_the_other() -> None:
    found, refused, _ = read(RECORD + RECORD.replace(b"= Start", b"= Stop") + RECORD.replace(b"Start", b"Alive"))
    assert [news.status.name for news in found] == ["START", "STOP", "INTERIM"]
    assert refused == 0


def test_records_of_log_ons_are_none_of_sessions() -> None:
    assert read(RECORD.replace(b"\tAcct-Status-Type = Start\n", b"")) == ([], 0, "")


@pytest.mark.parametrize(
    ("octets", "error"),
    [
        (RECORD.replace(b"\tTimestamp = 1795323600\n", b""), "line 12: a record without Timestamp"),
        (RECORD.replace(b"1795323600", b"soon"), "line 13: Timestamp is no number of seconds"),
        (RECORD.replace(b"10.77.0.5", b"10.77.0"), "line 13: an address that is none"),
        (RECORD.replace(b"::/64", b"::/640"), "line 13: an address that is none"),
        (RECORD.replace(b"198.51.100.1", b"nas.example"), "line 13: the address of a NAS that is none"),
        (RECORD.replace(b'\tAcct-Session-Id = "s1"\n', b""), "line 12: a record without Acct-Session-Id"),
        (RECORD.replace(b"User-Name =", b"User-Name"), "line 13: a line that is no 'Attribute = value'"),
        (
            RECORD.replace(b"\tUser", b"\tX = 1\n" * 1100 + b"\tUser"),
            "line 1113: a record of more than 1024 attributes",
        ),
        (RECORD[:-1], "line 13: a record that breaks off"),
    ],
)
def test_what_cannot_be_understood_costs_its_record_only(octets: bytes, error: str) -> None:
    assert read(octets + RECORD) == ([NEWS], 1, error)


def test_a_file_cut_off_anywhere_gives_whole_records_only() -> None:
    for end in range(len(RECORD)):
        assert read(RECORD[:end])[0] == ([] if end < len(RECORD) - 1 else [NEWS])


@pytest.mark.parametrize("seed", range(3))
def test_mutated_files_break_nothing(seed: int) -> None:
    random = Random(seed)
    for _ in range(500):
        for news in read(mutated(random, [RECORD, RECORD.replace(b"Start", b"Accounting-On")]))[0]:
            assert len(news.person) <= 128
            assert len(news.prefixes) <= 8


@given(st.lists(st.binary(max_size=60) | st.sampled_from(RECORD.split(b"\n"))))
def test_no_line_raises(lines: list[bytes]) -> None:
    records = DetailRecords()
    for line in lines:
        records.feed(line)
