import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import (
    Action,
    Close,
    Closed,
    Connect,
    Connected,
    Deadline,
    Event,
    Finish,
    Line,
    LocalFailure,
    Outcome,
    Received,
    Refused,
    Reset,
    Secure,
    Secured,
    Send,
    TlsFailed,
    Unreachable,
)
from btimd.probes.wire.dnsmessage import encode_query
from btimd.probes.wire.http import HttpDialogue, HttpRequest, status_rule
from btimd.probes.wire.httpmessage import encode_get
from tests.probes.wire.test_dnsmessage import message, record

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\nerp is well\n"


def talking(request: HttpRequest) -> HttpDialogue:
    dialogue = HttpDialogue(request, 7)
    dialogue.start(1.0)
    dialogue.handle(Connected(), 1.25)
    return dialogue


def end(error: ErrorClass, detail: str, **values: float) -> list[Action]:
    health = Health.GOOD if error is ErrorClass.NONE else Health.BAD
    return [Finish(Outcome(health, error, detail, values))]


def test_a_get_and_its_answer() -> None:
    request = HttpRequest("10.2.0.10", 8080, path="/health", expect_status="200", expect_text="is well")
    dialogue = HttpDialogue(request, 7)
    assert dialogue.start(1.0) == [Connect(Line.TCP, "10.2.0.10", 8080)]
    assert dialogue.handle(Connected(), 1.25) == [Send(encode_get(path="/health", host="10.2.0.10:8080"))]
    assert dialogue.handle(Received(OK[:20]), 1.5) == []
    assert dialogue.handle(Received(OK[20:]), 1.75) == end(
        ErrorClass.NONE,
        "10.2.0.10:8080/health answers HTTP 200 OK",
        connect_seconds=0.25,
        answer_seconds=0.25,
        status=200,
        body_octets=12,
    )


def test_the_host_header_is_what_a_browser_would_send() -> None:
    for request, host in (
        (HttpRequest("erp.example", 0), "erp.example"),
        (HttpRequest("erp.example", 443, secure=True), "erp.example"),
        (HttpRequest("erp.example", 443), "erp.example:443"),
        (HttpRequest("::1", 80), "[::1]"),
        (HttpRequest("::1", 81), "[::1]:81"),
        (HttpRequest("10.0.0.1", 81, host_header="erp"), "erp"),
    ):
        assert HttpDialogue(request, 7)._get == encode_get(path="/", host=host)


def test_tls_is_spoken_before_the_request() -> None:
    request = HttpRequest("10.2.0.10", 0, secure=True, host_header="erp.example:8443")
    dialogue = HttpDialogue(request, 7)
    assert dialogue.start(1.0) == [Connect(Line.TCP, "10.2.0.10", 443)]
    assert dialogue.handle(Connected(), 1.25) == [Secure("erp.example", verify=True)]
    assert dialogue.handle(Secured(), 1.5) == [Send(encode_get(path="/", host="erp.example:8443"))]
    assert dialogue.handle(Received(OK), 1.75) == end(
        ErrorClass.NONE,
        "10.2.0.10:443/ answers HTTP 200 OK",
        connect_seconds=0.25,
        tls_seconds=0.25,
        answer_seconds=0.25,
        status=200,
        body_octets=12,
    )


@pytest.mark.parametrize(
    ("event", "error", "detail"),
    [
        (
            TlsFailed("certificate has expired"),
            ErrorClass.PROTOCOL_ERROR,
            "10.2.0.10:443: TLS handshake failed: certificate has expired",
        ),
        (
            Deadline(),
            ErrorClass.NO_ANSWER,
            "10.2.0.10:443 accepts and does not finish the TLS handshake within 2.0 s",
        ),
    ],
)
def test_a_handshake_that_fails_is_told_from_one_that_hangs(event: Event, error: ErrorClass, detail: str) -> None:
    dialogue = talking(HttpRequest("10.2.0.10", 0, secure=True))
    assert dialogue.handle(event, 3.0) == end(error, detail, connect_seconds=0.25)


@pytest.mark.parametrize(
    ("events", "error", "detail"),
    [
        ([Deadline()], ErrorClass.NO_ANSWER, "10.2.0.10:80 accepts the connection and never answers (2.0 s waited)"),
        (
            [Closed()],
            ErrorClass.NO_ANSWER,
            "10.2.0.10:80 accepts the connection and closes it without an answer",
        ),
        ([Reset()], ErrorClass.RESET, "10.2.0.10:80 resets the connection without a full answer"),
    ],
)
def test_a_server_that_says_nothing(events: list[Event], error: ErrorClass, detail: str) -> None:
    dialogue = talking(HttpRequest("10.2.0.10", 80))
    for event in events[:-1]:
        dialogue.handle(event, 3.0)
    assert dialogue.handle(events[-1], 3.0) == end(error, detail, connect_seconds=0.25)


@pytest.mark.parametrize(
    ("answer", "last", "error", "detail"),
    [
        (
            OK[:-3],
            Deadline(),
            ErrorClass.NO_ANSWER,
            "10.2.0.10:80 begins HTTP 200 and is not done in 2.0 s (48 octets)",
        ),
        (
            OK[:5],
            Deadline(),
            ErrorClass.NO_ANSWER,
            "10.2.0.10:80 begins its answer and is not done in 2.0 s (5 octets)",
        ),
        (
            OK[:-3],
            Closed(),
            ErrorClass.PROTOCOL_ERROR,
            "10.2.0.10:80: the connection was closed in the middle of the response, after 48 octets",
        ),
    ],
)
def test_an_answer_that_stops_in_the_middle(answer: bytes, last: Event, error: ErrorClass, detail: str) -> None:
    dialogue = talking(HttpRequest("10.2.0.10", 80))
    assert dialogue.handle(Received(answer), 2.25) == []
    assert dialogue.handle(last, 3.0) == end(error, detail, connect_seconds=0.25, answer_seconds=1.0)


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (
            b"HTTP/1.1 503 Busy\x1b[2J\r\nContent-Length: 0\r\n\r\n",
            "10.2.0.10:80/ answers HTTP 503 Busy?[2J, expected 2xx,3xx",
        ),
        (
            b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\noops",
            "10.2.0.10:80/ answers HTTP 200 OK, but 'is well' is not in the body",
        ),
    ],
)
def test_another_status_or_text_is_a_wrong_answer(answer: bytes, detail: str) -> None:
    actions = talking(HttpRequest("10.2.0.10", 80, expect_text="is well")).handle(Received(answer), 1.5)
    assert isinstance(actions[0], Finish)
    assert (actions[0].outcome.error, actions[0].outcome.detail) == (ErrorClass.WRONG_ANSWER, detail)


def test_another_protocol_is_a_protocol_error() -> None:
    assert talking(HttpRequest("10.2.0.10", 80)).handle(Received(b"SSH-2.0-x\r\n"), 1.5) == end(
        ErrorClass.PROTOCOL_ERROR,
        "10.2.0.10:80 does not speak HTTP: the answer begins with b'SSH-2.0-x\\r\\n'",
        connect_seconds=0.25,
        answer_seconds=0.25,
    )


def test_a_body_that_ends_with_the_connection_is_whole() -> None:
    dialogue = talking(HttpRequest("10.2.0.10", 80, expect_text="well"))
    assert dialogue.handle(Received(b"HTTP/1.0 200 OK\r\n\r\nall is well"), 1.5) == []
    finish = dialogue.handle(Closed(), 1.75)[0]
    assert isinstance(finish, Finish)
    assert finish.outcome.health is Health.GOOD


def test_a_name_is_asked_of_the_resolver_that_was_given() -> None:
    dialogue = HttpDialogue(HttpRequest("erp.example", 80, resolver=("10.0.0.53", 5353)), 7)
    assert dialogue.start(1.0) == [Connect(Line.UDP, "10.0.0.53", 5353)]
    assert dialogue.handle(Connected(), 1.0) == [Send(encode_query(7, "erp.example", 1))]
    assert dialogue.handle(Received(message(flags=0x8180)), 1.25) == [Send(encode_query(8, "erp.example", 28))]
    assert dialogue.handle(Received(message(record(28, bytes(15) + b"\1"), kind=28, query_id=8)), 1.5) == [
        Close(),
        Connect(Line.TCP, "::1", 80),
    ]
    assert dialogue.handle(Connected(), 2.0) == [Send(encode_get(path="/", host="erp.example"))]
    assert dialogue.handle(Received(OK), 2.25) == end(
        ErrorClass.NONE,
        "erp.example:80/ answers HTTP 200 OK",
        resolve_seconds=0.5,
        connect_seconds=0.5,
        answer_seconds=0.25,
        status=200,
        body_octets=12,
    )


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (Received(message(flags=0x8183)), "it says that the name does not exist"),
        (Deadline(), "no answer within 2.0 s"),
        (Refused(), "the host answers, no name server listens there"),
        (Unreachable("no route to host"), "it cannot be reached: no route to host"),
    ],
)
def test_a_name_that_is_not_found_is_a_name_error_that_names_the_server(event: Event, why: str) -> None:
    dialogue = HttpDialogue(HttpRequest("erp.example", 80, resolver=("10.0.0.53", 53)), 7)
    dialogue.start(1.0)
    dialogue.handle(Connected(), 1.0)
    assert dialogue.handle(event, 3.0) == end(
        ErrorClass.NAME_ERROR, f"erp.example is not resolved by name server 10.0.0.53:53: {why}"
    )


def test_this_machines_own_failure_in_a_lookup_says_nothing_about_the_name() -> None:
    dialogue = HttpDialogue(HttpRequest("erp.example", 80, resolver=("10.0.0.53", 53)), 7)
    dialogue.start(1.0)
    assert dialogue.handle(LocalFailure("no files"), 1.0) == [
        Finish(Outcome(Health.UNKNOWN, ErrorClass.LOCAL_FAILURE, "no files"))
    ]


def test_status_rules() -> None:
    rule = status_rule("2xx, 404")
    assert [status for status in (199, 200, 299, 302, 404, 405) if rule(status)] == [200, 299, 404]
    for text in ("", "ok", "20", "2x0", "600"):
        with pytest.raises(ValueError, match="expect_status"):
            status_rule(text)


def test_a_resolver_must_be_an_address() -> None:
    with pytest.raises(ValueError, match="resolver 'ns' is no address"):
        HttpDialogue(HttpRequest("erp.example", 80, resolver=("ns", 53)), 7)


@given(st.lists(st.binary(max_size=100), max_size=4), st.booleans())
def test_garbage_never_breaks_the_dialogue(pieces: list[bytes], resolving: bool) -> None:
    dialogue = HttpDialogue(HttpRequest("erp.example", 80, resolver=("10.0.0.53", 53)), 7)
    if not resolving:
        dialogue = HttpDialogue(HttpRequest("10.0.0.1", 80), 7)
    dialogue.start(0.0)
    dialogue.handle(Connected(), 0.0)
    for piece in pieces:
        dialogue.handle(Received(piece), 0.5)
    dialogue.handle(Deadline(), 2.0)
    assert dialogue.handle(Deadline(), 2.0) == []
