import pytest
from typing_extensions import override

from btimd.model.probe import ErrorClass, Health, ProbeResult, ProbeSpec
from btimd.probes.wire.dialogue import (
    Action,
    Connect,
    Connected,
    DatagramDialogue,
    Deadline,
    Event,
    Finish,
    Line,
    LocalFailure,
    NotPermitted,
    Outcome,
    Received,
    Refused,
    Reset,
    Resolve,
    Resolved,
    Send,
    TlsFailed,
    Unreachable,
    Unresolved,
    is_address,
    join_host_port,
    printable,
    result_of,
    without_secret,
)
from btimd.probes.wire.tcp import TcpDialogue
from tests.probes.samples import check


@pytest.mark.parametrize(
    ("event", "health", "error", "detail"),
    [
        (Refused(), Health.BAD, ErrorClass.REFUSED, "10.2.0.20:5432 refuses: the host answers, nobody listens there"),
        (Reset(), Health.BAD, ErrorClass.RESET, "10.2.0.20:5432 resets the connection while connecting"),
        (
            Unreachable("no route to host"),
            Health.BAD,
            ErrorClass.UNREACHABLE,
            "10.2.0.20:5432 cannot be reached: no route to host",
        ),
        (
            Deadline(),
            Health.BAD,
            ErrorClass.TIMEOUT,
            "10.2.0.20:5432 does not answer a tcp connect within 2.0 s: dropped without a word",
        ),
        (TlsFailed("bad"), Health.BAD, ErrorClass.PROTOCOL_ERROR, "10.2.0.20:5432: TLS handshake failed: bad"),
        (NotPermitted("ask root"), Health.UNKNOWN, ErrorClass.NOT_PERMITTED, "ask root"),
        (LocalFailure("no files"), Health.UNKNOWN, ErrorClass.LOCAL_FAILURE, "no files"),
    ],
)
def test_every_way_of_not_connecting_has_its_own_class(
    event: Event, health: Health, error: ErrorClass, detail: str
) -> None:
    dialogue = TcpDialogue("10.2.0.20", 5432)
    assert dialogue.start(5.0) == [Connect(Line.TCP, "10.2.0.20", 5432)]
    assert dialogue.handle(event, 7.0) == [Finish(Outcome(health, error, detail))]


def test_a_name_is_resolved_first_and_its_first_address_is_taken() -> None:
    dialogue = TcpDialogue("db.example", 5432)
    assert dialogue.start(1.0) == [Resolve("db.example")]
    assert dialogue.handle(Resolved(("::1", "127.0.0.1")), 1.25) == [Connect(Line.TCP, "::1", 5432)]
    assert dialogue.handle(Connected(), 1.5) == [
        Finish(
            Outcome(
                Health.GOOD,
                ErrorClass.NONE,
                "db.example:5432 accepts connections",
                {"resolve_seconds": 0.25, "connect_seconds": 0.25},
            )
        )
    ]


@pytest.mark.parametrize(
    ("event", "detail"),
    [
        (Resolved(()), "the system's resolver knows no address of db.example"),
        (Unresolved("no such name"), "the system's resolver does not know db.example: no such name"),
        (Deadline(), "the system's resolver gave no answer for db.example within 2.0 s"),
    ],
)
def test_a_name_that_is_not_resolved_is_a_name_error(event: Event, detail: str) -> None:
    dialogue = TcpDialogue("db.example", 5432)
    dialogue.start(0.0)
    assert dialogue.handle(event, 2.0) == [Finish(Outcome(Health.BAD, ErrorClass.NAME_ERROR, detail))]


def test_nothing_follows_the_end() -> None:
    dialogue = TcpDialogue("10.0.0.1", 1)
    dialogue.start(0.0)
    dialogue.handle(Refused(), 0.1)
    assert dialogue.handle(Connected(), 0.2) == []
    assert dialogue.handle(Deadline(), 2.0) == []


def test_a_good_answer_that_took_too_long_is_bad_and_slow() -> None:
    spec = ProbeSpec(1, check(slow_over=0.5))
    good = Outcome(Health.GOOD, ErrorClass.NONE, "it works", {"connect_seconds": 0.7})
    assert result_of(spec, good, started_at=10.0, elapsed_seconds=0.75) == ProbeResult(
        spec=spec,
        health=Health.BAD,
        error=ErrorClass.SLOW,
        detail="took 0.750 s, more than 0.5 s: it works",
        started_at=10.0,
        elapsed_seconds=0.75,
        values={"connect_seconds": 0.7},
    )
    assert result_of(spec, good, started_at=10.0, elapsed_seconds=0.5).health is Health.GOOD


def test_a_slow_refusal_stays_a_refusal() -> None:
    spec = ProbeSpec(1, check(slow_over=0.5))
    refused = Outcome(Health.BAD, ErrorClass.REFUSED, "no")
    assert result_of(spec, refused, started_at=10.0, elapsed_seconds=1.0).error is ErrorClass.REFUSED


def test_text_of_strangers_is_made_printable_and_short() -> None:
    assert printable("a\nb\x1b[31m\u202e") == "a?b?[31m?"
    assert printable("x" * 300) == "x" * 237 + "..."


def test_a_secret_is_taken_out_of_a_text_also_where_it_was_cut() -> None:
    assert without_secret("no hunter2 here: 'hunt' hun...", "hunter2") == "no *** here: '***' ***..."
    assert without_secret("hu... well", "hunter2") == "hu... well"
    assert without_secret("well", "") == "well"


def test_hosts_are_written_as_people_write_them() -> None:
    assert join_host_port("::1", 53) == "[::1]:53"
    assert join_host_port("erp.example", 80) == "erp.example:80"
    assert join_host_port("10.0.0.1", 0) == "10.0.0.1"
    assert is_address("fe80::1")
    assert not is_address("erp.example")


def test_a_datagram_that_nobody_answers_is_a_timeout_and_nothing_else() -> None:
    class Asking(DatagramDialogue):
        question = "a knock"

        @override
        def _ready(self, now: float) -> list[Action]:
            return [Send(b"knock")]

        @override
        def _received(self, data: bytes, now: float) -> list[Action]:
            return self._good("it is open")

    ends: list[tuple[list[Event], ErrorClass, str]] = [
        ([Connected(), Deadline()], ErrorClass.TIMEOUT, "10.0.0.1:7 does not answer a knock within 2.0 s"),
        ([Connected(), Refused()], ErrorClass.REFUSED, "10.0.0.1:7 refuses: the host answers, nobody listens there"),
        ([Connected(), Received(b"")], ErrorClass.NONE, "it is open"),
        ([Deadline()], ErrorClass.TIMEOUT, "10.0.0.1:7 does not answer a udp connect within 2.0 s"),
    ]
    for events, error, detail in ends:
        dialogue = Asking("10.0.0.1", 7)
        assert dialogue.start(0.0) == [Connect(Line.UDP, "10.0.0.1", 7)]
        *_, last = [dialogue.handle(event, 2.0) for event in events]
        assert isinstance(last[0], Finish)
        assert (last[0].outcome.error, last[0].outcome.detail) == (error, detail)
