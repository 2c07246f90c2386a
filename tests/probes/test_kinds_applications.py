import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import Health
from btimd.model.service import Check, CheckKind
from btimd.probes.catalogue import dialogue_for, problem_of
from btimd.probes.kinds import Secrets
from btimd.probes.kinds_applications import KINDS
from btimd.probes.wire.dialogue import Connect, Line, Received, Secured
from tests.probes.samples import check
from tests.probes.wire.dialogues import AT, ends

SECRETS: Secrets = {"secret": "sh4red", "password": "hunter2"}
NEEDED = {CheckKind.RADIUS: {"secret_file": "/run/s"}}
PORTS = {
    CheckKind.TLS: 443, CheckKind.SMTP: 25, CheckKind.POP3: 110, CheckKind.IMAP: 143, CheckKind.FTP: 21,
    CheckKind.LDAP: 389, CheckKind.NTP: 123, CheckKind.SSH: 22, CheckKind.RADIUS: 1812, CheckKind.SIP: 5060,
    CheckKind.DHCP: 67,
}  # fmt: skip
OVER_UDP = {CheckKind.NTP, CheckKind.RADIUS, CheckKind.SIP, CheckKind.DHCP}


def test_every_kind_says_what_its_options_mean() -> None:
    assert {kind: spec.options for kind, spec in KINDS.items() if not all(spec.options.values())} == {}
    assert set(KINDS) == set(PORTS)


@pytest.mark.parametrize("kind", list(KINDS), ids=str)
def test_every_kind_knows_its_port(kind: CheckKind) -> None:
    of = check(kind=kind, port=0, options=NEEDED.get(kind, {}))
    assert problem_of(of) == ""
    assert KINDS[kind].default_port == PORTS[kind]
    line = Line.UDP if kind in OVER_UDP else Line.TCP
    source = ("", 67) if kind is CheckKind.DHCP else ("", 0)
    assert dialogue_for(of, 1, SECRETS).start(0.0) == [Connect(line, "127.0.0.1", PORTS[kind], *source)]


@pytest.mark.parametrize(
    ("kind", "options", "port"),
    [
        (CheckKind.SMTP, {"tls": "true"}, 465),
        (CheckKind.POP3, {"tls": "true"}, 995),
        (CheckKind.IMAP, {"tls": "true"}, 993),
        (CheckKind.FTP, {"tls": "true"}, 990),
        (CheckKind.LDAP, {"tls": "true"}, 636),
        (CheckKind.SIP, {"transport": "tls"}, 5061),
    ],
)
def test_tls_from_the_start_has_its_own_port(kind: CheckKind, options: dict[str, str], port: int) -> None:
    found = dialogue_for(check(kind=kind, port=0, options=options), 1)
    assert found.start(0.0) == [Connect(Line.TCP, "127.0.0.1", port)]


@pytest.mark.parametrize(
    ("of", "problem"),
    [
        (check(kind=CheckKind.SMTP, options={"password_file": "/p"}), "password_file needs a user"),
        (
            check(kind=CheckKind.IMAP, options={"tls": "ssl"}),
            'tls \'ssl\' is unknown; write "true", "starttls" or "false"',
        ),
        (
            check(kind=CheckKind.LDAP, options={"user": "cn=me"}),
            "a bind as a user needs his password; without one servers take it for an anonymous one",
        ),
        (
            check(kind=CheckKind.RADIUS, options={"user": "me"}),
            "a radius check needs the secret that it shares with the server: secret_file",
        ),
        (
            check(kind=CheckKind.RADIUS, options={"secret_file": "/s", "expect": "challenge"}),
            'expect \'challenge\' is unknown; write "accept", "reject" or "any"',
        ),
        (
            check(kind=CheckKind.SIP, options={"transport": "sctp"}),
            'transport \'sctp\' is unknown; write "udp", "tcp" or "tls"',
        ),
        (check(kind=CheckKind.DHCP, options={"source_port": "70000"}), "source_port 70000 is no port"),
        (check(kind=CheckKind.NTP, options={"max_stratum": "low"}), "max_stratum 'low' is no number of at least 0"),
        (
            check(kind=CheckKind.TLS, options={"min_version": "SSLv3"}),
            "min_version 'SSLv3' is none; write one of TLSv1, TLSv1.1, TLSv1.2, TLSv1.3",
        ),
    ],
)
def test_options_that_make_no_sense_are_said_in_words(of: Check, problem: str) -> None:
    assert problem_of(of) == problem


def with_everything(kind: CheckKind) -> Check:
    """Return a check that logs on in TLS wherever its kind can."""
    wanted = {"user": "cn=me", "password_file": "/p", "secret_file": "/s", "tls": "starttls", "verify": "false"}
    options = {name: text for name, text in wanted.items() if name in KINDS[kind].options}
    return check(kind=kind, port=0, options=options)


@pytest.mark.parametrize("kind", [kind for kind, spec in KINDS.items() if "password_file" in spec.options], ids=str)
def test_no_word_of_a_server_brings_a_password_to_light(kind: CheckKind) -> None:
    """Every kind of reply, from a server that repeats all it was told, in all the forms it was told."""
    echo = "hunter2 sh4red AGNuPW1lAGh1bnRlcjI= aHVudGVyMg=="
    lines = [
        f"220 {echo}\r\n", f"250-x\r\n250 AUTH PLAIN {echo}\r\n", f"535 {echo}\r\n", f"* OK {echo}\r\n", f"b1 NO {echo}\r\n",
        f"b3 NO {echo}\r\n", f"+OK {echo}\r\n", f"-ERR {echo}\r\n", f"SSH-2.0-{echo}\r\n", f"{echo}\r\n", f"331 {echo}\r\n",
    ]  # fmt: skip
    known = {word for word in dialogue_for(with_everything(kind), 1, SECRETS)._hidden if word in echo}
    assert "hunter2" in known
    for first in lines:
        for second in lines:
            outcome = ends(lambda: dialogue_for(with_everything(kind), 1, SECRETS), [first.encode(), second.encode()])
            said = outcome.detail + repr(outcome.values)
            assert not any(word in said for word in known)


@pytest.mark.parametrize("kind", list(KINDS), ids=str)
def test_garbage_ends_every_kind_with_an_outcome(kind: CheckKind) -> None:
    @given(st.lists(st.binary(min_size=1, max_size=200), max_size=5), st.booleans())
    def anything(pieces: list[bytes], is_plain: bool) -> None:
        of = check(kind=kind, port=0, options=NEEDED.get(kind, {})) if is_plain else with_everything(kind)
        outcome = ends(lambda: dialogue_for(of, 1, SECRETS), [Received(piece) for piece in pieces])
        assert outcome.health in {Health.GOOD, Health.BAD}
        assert outcome.detail.isprintable()

    anything()


@given(st.binary(max_size=300), st.lists(st.binary(max_size=100), max_size=3))
def test_garbage_for_a_certificate_ends_with_an_outcome(certificate: bytes, chain: list[bytes]) -> None:
    of = check(kind=CheckKind.TLS, port=0)
    outcome = ends(
        lambda: dialogue_for(of, 1), [Secured(at=AT, certificate=certificate, chain=tuple(chain), version="TLSv1.3")]
    )
    assert outcome.health in {Health.GOOD, Health.BAD}
