import pytest

from btimd.model.evidence import KIND_TEXTS, Finding, Observation


def seen(kind: str, value: str, count: int, of: int) -> Observation:
    return Observation(kind, value, "10.1.2.3:80", count, of, 0)


@pytest.mark.parametrize(
    ("observation", "sentence"),
    [
        (seen("http", "503", 14, 20), "HTTP 503 in 14 of 20 answers of 10.1.2.3:80"),
        (seen("http", "503", 1, 1), "HTTP 503 in 1 of 1 answer of 10.1.2.3:80"),
        (seen("http", "503", 1, 0), "HTTP 503 in 1 answer of 10.1.2.3:80"),
        (seen("dns", "SERVFAIL", 1, 2), "DNS SERVFAIL in 1 of 2 answers of 10.1.2.3:80"),
        (
            seen("tls", "handshake_failure (40) of the server", 2, 2),
            "TLS alert handshake_failure (40) of the server in 2 of 2 handshakes with 10.1.2.3:80",
        ),
        (seen("mysql", "1040 (08004)", 3, 0), "MySQL error 1040 (08004) in 3 answers of 10.1.2.3:80"),
        (seen("postgresql", "FATAL 53300", 3, 0), "PostgreSQL FATAL 53300 in 3 answers of 10.1.2.3:80"),
        (seen("tcp-refused", "", 3, 5), "connection refused in 3 of 5 attempts to connect to 10.1.2.3:80"),
        (seen("tcp-unanswered", "", 1, 1), "no answer in 1 of 1 attempt to connect to 10.1.2.3:80"),
        (seen("tcp-reset", "by the server", 2, 0), "reset by the server of 2 connections with 10.1.2.3:80"),
        (
            seen("tcp-retransmission", "to the client", 7, 0),
            "retransmission to the client of 7 segments of connections with 10.1.2.3:80",
        ),
        (
            seen("tcp-zero-window", "by the server", 7, 0),
            "zero window by the server in 7 segments of connections with 10.1.2.3:80",
        ),
    ],
)
def test_an_observation_is_a_sentence(observation: Observation, sentence: str) -> None:
    assert observation.sentence == sentence


@pytest.mark.parametrize("kind", KIND_TEXTS)
def test_every_kind_has_one(kind: str) -> None:
    assert "{" not in seen(kind, "", 1, 0).sentence
    assert "  " not in seen(kind, "", 1, 0).sentence


def test_what_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="unknown kind of observation 'telepathy'"):
        seen("telepathy", "", 1, 1)
    for count, of in ((0, 1), (2, 1), (-1, 0)):
        with pytest.raises(ValueError, match=f"{count} of {of} cannot be"):
            seen("http", "503", count, of)


def test_a_finding_is_summed_up_in_a_sentence() -> None:
    two = (seen("http", "503", 14, 20), seen("tcp-refused", "", 1, 1))
    found = Finding("erp", "x.pcapng", 100, 1, 2, two)
    assert found.sentences == (
        "HTTP 503 in 14 of 20 answers of 10.1.2.3:80",
        "connection refused in 1 of 1 attempt to connect to 10.1.2.3:80",
    )
    assert found.summary == "HTTP 503 in 14 of 20 answers of 10.1.2.3:80, and 1 more"
    assert Finding("erp", "x.pcapng", 100, 1, 2, two[:1]).summary == "HTTP 503 in 14 of 20 answers of 10.1.2.3:80"
    assert Finding("erp", "x.pcapng", 100).summary == "nothing wrong in 100 packets"
    assert Finding("erp", "x.pcapng", problem="tshark is missing").summary == "tshark is missing"
