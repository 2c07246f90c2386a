import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.syslogmessage import MOST_OCTETS, StreamFramer, SyslogMessage, parse_syslog

EXAMPLES = [
    (b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - 'su root' failed for lonvick on /dev/pts/8",
     SyslogMessage(4, 2, "'su root' failed for lonvick on /dev/pts/8", "2003-10-11T22:14:15.003Z", "mymachine.example.com", "su", "", "ID47")),
    (b'<165>1 2003-10-11T22:14:15.003Z host evntslog 77 ID47 [exampleSDID@32473 iut="3" eventSource="App \\"x\\" \\]"][b@1 k="v"] \xef\xbb\xbfAn event',
     SyslogMessage(20, 5, "An event", "2003-10-11T22:14:15.003Z", "host", "evntslog", "77", "ID47",
                   {"exampleSDID@32473.iut": "3", "exampleSDID@32473.eventSource": 'App "x" ]', "b@1.k": "v"})),
    (b"<34>Oct 11 22:14:15 mymachine su: 'su root' failed", SyslogMessage(4, 2, "'su root' failed", "Oct 11 22:14:15", "mymachine", "su")),
    (b"<38>Feb  5 17:32:18 10.0.0.99 sshd[123]: bye", SyslogMessage(4, 6, "bye", "Feb  5 17:32:18", "10.0.0.99", "sshd", "123")),
    (b"<189>41: *Mar  1 00:28:53.079 UTC: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down",
     SyslogMessage(23, 5, "%LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down", "Mar  1 00:28:53.079 UTC", message_id="LINK-3-UPDOWN")),
    (b"<189>12: core1: Mar  1 00:28:53: %SYS-5-CONFIG_I: Configured from console by admin",
     SyslogMessage(23, 5, "%SYS-5-CONFIG_I: Configured from console by admin", "Mar  1 00:28:53", "core1", message_id="SYS-5-CONFIG_I")),
    (b"<187>2024 Mar  3 10:00:00 x", None),
    (b"<188>Mar 13 2024 09:12:44 HW-S5700 %%01PHY/1/PHY(l)[4]:    GigabitEthernet0/0/1: change status to down",
     SyslogMessage(23, 4, "%%01PHY/1/PHY(l)[4]:    GigabitEthernet0/0/1: change status to down", "Mar 13 2024 09:12:44", "HW-S5700", message_id="PHY/1/PHY")),
    (b"<6>kernel: [12345.678] e1000e 0000:00:19.0 eth0: NIC Link is Down", SyslogMessage(0, 6, "[12345.678] e1000e 0000:00:19.0 eth0: NIC Link is Down", app="kernel")),
    (b"<30>2024-05-01T10:00:00.123456+02:00 web1 systemd[1]: nginx.service: Failed with result 'exit-code'.",
     SyslogMessage(3, 6, "nginx.service: Failed with result 'exit-code'.", "2024-05-01T10:00:00.123456+02:00", "web1", "systemd", "1")),
    (b"no priority at all\x00\n", SyslogMessage(1, 5, "no priority at all")),
    (b"<999>x", SyslogMessage(1, 5, "<999>x")),
    (b"<13>", None),
    (b"", None),
]  # fmt: skip


@pytest.mark.parametrize(("octets", "expected"), [one for one in EXAMPLES if one[1] is not None or len(one[0]) < 6])
def test_messages_are_read_in_the_dialects_that_there_are(octets: bytes, expected: SyslogMessage | None) -> None:
    assert parse_syslog(octets) == expected


@pytest.mark.parametrize("octets", [one[0] for one in EXAMPLES])
def test_a_message_cut_or_broken_anywhere_is_still_read_or_nothing(octets: bytes) -> None:
    for at in range(len(octets)):
        for broken in (
            octets[:at],
            octets[:at] + b"\xff" + octets[at + 1 :],
            octets[:at] + b'"' + octets[at:],
            octets[at:],
        ):
            found = parse_syslog(broken)
            assert found is None or (0 <= found.severity <= 7 and 0 <= found.facility <= 23)


@given(st.binary(max_size=600))
def test_any_octets_are_a_message_or_nothing(octets: bytes) -> None:
    found = parse_syslog(octets)
    assert found is None or "\n" not in found.text


def test_long_messages_are_cut_and_reading_them_takes_no_longer_for_it() -> None:
    found = parse_syslog(b"<13>1 - - - - - [" + b"a" * 100_000)
    assert found is not None
    assert len(found.text) <= MOST_OCTETS
    assert parse_syslog(b'<13>1 - h - - - [a b="' + b"\\" * 50_000) is not None
    assert parse_syslog(b"<13>" + b"Mar " * 20_000) is not None


def test_a_stream_is_cut_by_counts_or_by_line_ends() -> None:
    framer = StreamFramer()
    assert framer.feed(b"5 <13>a6 <13>bb<13>c\n<13>d\0<13>e") == [b"<13>a", b"<13>bb", b"<13>c", b"<13>d"]
    assert framer.end() == [b"<13>e"]
    assert (framer.skipped, framer.end()) == (0, [])


@given(
    st.lists(
        st.binary(min_size=1, max_size=40).filter(
            lambda one: b"\n" not in one and b"\0" not in one and one.strip() and not one[:1].isdigit()
        ),
        max_size=8,
    ),
    st.booleans(),
    st.integers(1, 9),
)
def test_a_stream_in_pieces_gives_the_same_messages(messages: list[bytes], counted: bool, piece: int) -> None:
    stream = b"".join(b"%d %b" % (len(one), one) if counted else one + b"\n" for one in messages)
    framer, found = StreamFramer(), []
    for at in range(0, len(stream), piece):
        found += framer.feed(stream[at : at + piece])
    assert found == messages


def test_too_long_messages_are_cut_and_what_is_skipped_is_counted() -> None:
    framer = StreamFramer()
    long = b"x" * (MOST_OCTETS + 10)
    assert framer.feed(b"%d %b" % (len(long), long) + b"3 abc") == [long[:MOST_OCTETS], b"abc"]
    assert framer.skipped == 10
    framer = StreamFramer()
    assert framer.feed(long) == [long[:MOST_OCTETS]]
    assert framer.feed(long + b"\nok\n") == [b"ok"]
    assert framer.skipped == 10 + len(long) + 1


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_whatever_a_stream_brings_what_is_held_is_bounded(pieces: list[bytes]) -> None:
    framer = StreamFramer()
    for piece in pieces:
        framer.feed(piece)
        assert len(framer._held) <= MOST_OCTETS + 16
    framer.end()
