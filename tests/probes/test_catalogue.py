import pytest

from btimd.model.service import Check, CheckKind, Closure
from btimd.probes.catalogue import OPTIONS, SPECS, defaults_for, dialogue_for, hosts_asked, problem_of
from btimd.probes.wire.dialogue import Connect, Line
from btimd.probes.wire.dns import DnsDialogue
from btimd.probes.wire.http import HttpDialogue
from btimd.probes.wire.icmp import IcmpDialogue
from btimd.probes.wire.postgres import PostgresDialogue
from btimd.probes.wire.tcp import TcpDialogue
from tests.probes.samples import check


def test_every_kind_has_its_defaults_and_options() -> None:
    assert set(SPECS) == set(OPTIONS)
    basic = (CheckKind.ICMP, CheckKind.TCP, CheckKind.DNS, CheckKind.HTTP, CheckKind.POSTGRES)
    assert {kind: defaults_for(kind) for kind in basic} == {
        CheckKind.ICMP: (1.0, Closure.LOCAL, False),
        CheckKind.TCP: (1.5, Closure.LOCAL, False),
        CheckKind.DNS: (1.0, Closure.FULL, False),
        CheckKind.HTTP: (4.0, Closure.FULL, True),
        CheckKind.POSTGRES: (6.0, Closure.FULL, True),
    }


@pytest.mark.parametrize(
    ("of", "dialogue", "connect"),
    [
        (check(kind=CheckKind.ICMP, port=0), IcmpDialogue, Connect(Line.ICMP, "127.0.0.1", 0)),
        (check(kind=CheckKind.TCP, port=22), TcpDialogue, Connect(Line.TCP, "127.0.0.1", 22)),
        (
            check(kind=CheckKind.DNS, port=0, options={"name": "a.b", "record": "mx"}),
            DnsDialogue,
            Connect(Line.UDP, "127.0.0.1", 53),
        ),
        (
            check(kind=CheckKind.HTTP, port=0, options={"tls": "true"}),
            HttpDialogue,
            Connect(Line.TCP, "127.0.0.1", 443),
        ),
        (
            check(kind=CheckKind.HTTP, host="erp", port=0, options={"resolver": "[::1]:5353"}),
            HttpDialogue,
            Connect(Line.UDP, "::1", 5353),
        ),
        (
            check(kind=CheckKind.HTTP, host="erp", port=0, options={"resolver": "10.0.0.53"}),
            HttpDialogue,
            Connect(Line.UDP, "10.0.0.53", 53),
        ),
        (check(kind=CheckKind.POSTGRES, port=0), PostgresDialogue, Connect(Line.TCP, "127.0.0.1", 5432)),
    ],
)
def test_a_check_becomes_its_dialogue(of: Check, dialogue: type, connect: Connect) -> None:
    found = dialogue_for(of, 7)
    assert type(found) is dialogue
    assert found.start(0.0) == [connect]
    assert problem_of(of) == ""


@pytest.mark.parametrize(
    ("of", "problem"),
    [
        (
            check(kind=CheckKind.ICMP, options={"size": "1"}),
            "option 'size' is unknown for icmp; known: count, interval, max_loss_percent, max_rtt",
        ),
        (
            check(kind=CheckKind.POSTGRES, options={"dbname": "erp"}),
            "option 'dbname' is unknown for postgres; known: user, database, password_file, tls, query, expect, depth, max_lock_wait",
        ),
        (check(kind=CheckKind.TCP, port=0), "a tcp check needs a port"),
        (
            check(kind=CheckKind.DNS),
            'a dns check needs the name to ask for: options = { name = "erp.example" }',
        ),
        (
            check(kind=CheckKind.HTTP, options={"tls": "yes"}),
            'tls \'yes\' is unknown; write "true", "unverified" (any certificate) or "false"',
        ),
        (
            check(kind=CheckKind.HTTP, options={"expect_status": "ok"}),
            'expect_status \'ok\' is none; write "200", "2xx" or several with commas',
        ),
        (
            check(kind=CheckKind.HTTP, options={"path": "health"}),
            "path 'health' must begin with / and hold neither spaces nor control characters",
        ),
        (
            check(kind=CheckKind.HTTP, options={"resolver": "ns.example:53"}),
            'resolver \'ns.example:53\' is no address of a name server; write "10.1.0.53" or "10.1.0.53:5353"',
        ),
        (
            check(kind=CheckKind.HTTP, options={"resolver": "10.0.0.53:0"}),
            'resolver \'10.0.0.53:0\' is no address of a name server; write "10.1.0.53" or "10.1.0.53:5353"',
        ),
    ],
)
def test_options_that_make_no_sense_are_said_in_words(of: Check, problem: str) -> None:
    assert problem_of(of) == problem


def test_a_name_server_is_asked_only_for_names() -> None:
    options = {"resolver": "10.0.0.53:5353"}
    assert hosts_asked(check(kind=CheckKind.HTTP, host="erp", options=options)) == ("erp", "10.0.0.53")
    assert hosts_asked(check(kind=CheckKind.HTTP, host="10.0.0.1", options=options)) == ("10.0.0.1",)
    assert hosts_asked(check(kind=CheckKind.HTTP, host="erp", options={"resolver": "ns"})) == ("erp",)
    assert hosts_asked(check(kind=CheckKind.TCP, host="erp")) == ("erp",)
