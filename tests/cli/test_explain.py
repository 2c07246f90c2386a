"""`btimd explain`: whole answers on a small configuration."""

from pathlib import Path

import pytest

from btimd.cli.btimd import main
from btimd.cli.explain import protocol_number
from tests.daemon.small import services_text, write_small

FLOW = """\
business   ERP   rule erp
client     10.1.1.7
server     10.2.0.10
place      region north, segment sales, person Li Wei
  - rule erp (services.toml:5) wins: server 10.2.0.10/32, protocol 6 (TCP), port 443; the destination 10.2.0.10 is the server
  - region north comes from 10.1.0.0/16, line 2 of the IP plan
  - segment sales comes from 10.1.1.0/24, line 3 of the IP plan
  - person Li Wei comes from 10.1.1.7/32, line 4 of the IP plan
"""
NOBODYS = """\
business   (none: unattributed)
client     10.9.9.9
server     10.2.0.10
place      region ?, segment ?, person ?
  - no rule fits; the nearest ones follow
  - rule erp (services.toml:5) covers the destination 10.2.0.10, but protocol 17 (UDP) is not 6 (TCP)
  - the IP plan does not know the client 10.9.9.9
"""
CLIENT = """\
business   (none: unattributed)
client     10.1.0.1
server     192.0.2.1
place      region north, segment ?, person ?
  - no rule covers 192.0.2.1 or 10.1.0.1 as server
  - region north comes from 10.1.0.0/16, line 2 of the IP plan
  - no prefix around 10.1.0.1 names a segment
  - no prefix around 10.1.0.1 names a person
"""
SERVER = """\
business   ERP   rule erp
client     192.0.2.1
server     10.2.0.10
place      region ?, segment ?, person ?
  - rule erp (services.toml:5) wins: server 10.2.0.10/32, protocol 6 (TCP), port 443; the destination 10.2.0.10 is the server
  - the IP plan does not know the client 192.0.2.1
"""
BUSINESS = """\
node       erp: ERP (business)
needs      db1
needed by  (nobody)
check      erp-port: tcp to 127.0.0.1:9, every 1 s; tells of the node and what it runs on; cost 1.5
"""
DATABASE = """\
node       db1: Database (database)
needs      host1
needed by  erp
check      db1-port: tcp to 127.0.0.1:9, when a diagnosis asks; tells of the node and what it runs on; cost 1.5
"""
HOST = """\
node       host1: host1 (host)
needs      (nothing)
needed by  db1
  - has no check: a diagnosis can only infer its condition from what needs it
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    services = services_text().replace('name = "Database"\n', 'name = "Database"\nneeds = ["host1"]\n')
    return write_small(tmp_path, services=services + '[node.host1]\nkind = "host"\n')


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("flow 10.1.1.7 10.2.0.10 443", FLOW),
        ("flow 10.1.1.7 10.2.0.10 443 TCP", FLOW),
        ("flow 10.1.1.7 10.2.0.10 443 6", FLOW),
        ("flow 10.9.9.9 10.2.0.10 443 udp", NOBODYS),
        ("ip 10.1.0.1", CLIENT),
        ("ip 10.2.0.10 443", SERVER),
        ("node erp", BUSINESS),
        ("node db1", DATABASE),
        ("node host1", HOST),
    ],
)
def test_a_question_is_answered_with_its_reasons(
    folder: Path, line: str, answer: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["explain", *line.split(), "-c", str(folder)])

    assert (status, capsys.readouterr()) == (0, (answer, ""))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("node db2", "explain: no node 'db2'; did you mean 'db1'?"),
        ("node zzz", "explain: no node 'zzz'; known: db1, erp, host1"),
        ("ip 10.1.1", "explain: '10.1.1' does not appear to be an IPv4 or IPv6 address"),
        ("flow 10.1.1.7 10.2.0.10 443 gre", "explain: 'gre' is no protocol; write icmp, tcp, udp, icmp6, sctp or a number up to 255"),
        ("flow 10.1.1.7 10.2.0.10 443 256", "explain: '256' is no protocol; write icmp, tcp, udp, icmp6, sctp or a number up to 255"),
        ("flow 10.1.1.7 10.2.0.10 443 ²", "explain: '²' is no protocol; write icmp, tcp, udp, icmp6, sctp or a number up to 255"),
        ("flow 10.1.1.7 10.2.0.10 70000", "explain: port 70000 or protocol 6 is out of range; write 0..65535 and 0..255"),
    ],
)  # fmt: skip
def test_a_question_that_makes_no_sense_is_answered_with_what_to_write(
    folder: Path, line: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["explain", *line.split(), "-c", str(folder)])

    assert (status, capsys.readouterr()) == (2, ("", message + "\n"))


def test_protocols_have_names_and_numbers() -> None:
    assert [protocol_number(text) for text in ("tcp", "UDP", "icmp", "0", "255")] == [6, 17, 1, 0, 255]
