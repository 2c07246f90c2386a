import re

import pytest

from btimd.model.heard import Told
from btimd.model.probe import ErrorClass, Health
from btimd.model.service import NodeKind
from btimd.model.sign import SignSource
from btimd.probes.syslogrules import SyslogRule, understand
from btimd.probes.syslogtable import SHIPPED
from btimd.probes.wire.syslogmessage import parse_syslog


def meaning(line: str, rules: tuple[SyslogRule, ...] = SHIPPED, sender: str = "10.0.0.1") -> Told | None:
    message = parse_syslog(line.encode())
    assert message is not None
    return understand(message, sender, 5.0, rules)


def test_a_link_that_goes_down_is_told_with_its_interface_and_its_coming_back_takes_that_back() -> None:
    down = meaning("<189>41: Mar  1 00:28:53: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down")
    up = meaning("<189>42: Mar  1 00:29:53: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to up")
    assert down == Told(
        source=SignSource.SYSLOG, sender="10.0.0.1", hosts=("10.0.0.1",), rule="interface-down",
        text="LINK-3-UPDOWN: %LINK-3-UPDOWN: Interface GigabitEthernet0/1, changed state to down", at=5.0, health=Health.BAD,
        error=ErrorClass.UNREACHABLE, kinds=(NodeKind.NETWORK, NodeKind.HOST, NodeKind.FACILITY),
        subject="interface GigabitEthernet0/1", interface="GigabitEthernet0/1",
    )  # fmt: skip
    assert up is not None
    assert (up.health, up.subject) == (Health.UNKNOWN, down.subject)


@pytest.mark.parametrize(
    ("line", "rule", "health"),
    [
        ("<189>1: Mar  1 00:00:00: %SYS-5-CONFIG_I: Configured from console by vty0", "configured", None),
        ("<188>Mar 13 2024 09:12:44 HW %%01IFNET/4/LINK_STATE(l)[4]: The line protocol IP on the interface GigabitEthernet0/0/1 has entered the DOWN state.", "interface-down", Health.BAD),
        ("<28>Mar  1 00:00:00 mx1 mib2d[1]: SNMP_TRAP_LINK_DOWN: ifIndex 530, ifAdminStatus up(1), ifOperStatus down(2), ifName ge-0/0/1", "interface-down", Health.BAD),
        ("<6>kernel: e1000e 0000:00:19.0 eth0: NIC Link is Down", "interface-down", Health.BAD),
        ("<3>kernel: Out of memory: Killed process 4242 (java) total-vm:1kB", "out-of-memory", Health.BAD),
        ("<27>Mar  1 00:00:00 db postgres[1]: PANIC:  could not write to file: No space left on device", "disk-full", Health.BAD),
        ("<27>Mar  1 00:00:00 db postgres[1]: FATAL:  sorry, too many clients already", "database-connections", Health.BAD),
        ("<27>Mar  1 00:00:00 db postgres[1]: FATAL:  remaining connection slots are reserved", "database-connections", Health.BAD),
        ("<30>Mar  1 00:00:00 web systemd[1]: nginx.service: Failed with result 'exit-code'.", "unit-failed", Health.BAD),
        ("<30>Mar  1 00:00:00 web systemd[1]: Started A high performance web server.", "unit-changed", None),
        ("<30>Mar  1 00:00:00 web systemd[1]: Failed to start The Apache HTTP Server.", "unit-failed", Health.BAD),
        ("<4>kernel: nf_conntrack: nf_conntrack: table full, dropping packet", "conntrack-full", Health.BAD),
        ("<13>Mar  1 00:00:00 app app: java.lang.OutOfMemoryError: Java heap space", "java-memory", Health.BAD),
        ("<13>Mar  1 00:00:00 ups apcupsd[1]: Power failure.", "power", Health.BAD),
        ("<129>Mar  1 00:00:00 lb haproxy[1]: Server be/web1 is DOWN, reason: Layer4 timeout", "backend-down", Health.BAD),
        ("<189>1: Mar 1 00:00:00: %BGP-5-ADJCHANGE: neighbor 10.0.0.2 Down BGP Notification sent", "neighbour-down", Health.BAD),
    ],
)  # fmt: skip
def test_what_common_systems_say_is_understood(line: str, rule: str, health: Health | None) -> None:
    found = meaning(line)
    assert found is not None
    assert (found.rule, found.health) == (rule, health)


@pytest.mark.parametrize(
    "line",
    ["<13>Mar  1 00:00:00 h sshd[1]: Accepted publickey for root", "<13>hello", "<30>cron[1]: (root) CMD (true)"],
)
def test_what_means_nothing_is_nothing(line: str) -> None:
    assert meaning(line) is None


def test_an_operators_rule_names_node_text_sender_and_severity() -> None:
    own = SyslogRule("batch", re.compile("batch (?P<subject>\\w+) late"), Health.BAD, ErrorClass.SLOW, node="batch", text="the batch is late", sender=re.compile(r"^10\.0"), severity_at_most=4)  # fmt: skip
    found = meaning("<12>batch eod late", (own, *SHIPPED))
    assert found is not None
    assert (found.node, found.text, found.subject) == ("batch", "the batch is late", "batch eod")
    assert meaning("<13>batch eod late", (own, *SHIPPED)) is None, "severity 5 is not severe enough"
    assert meaning("<12>batch eod late", (own, *SHIPPED), "192.0.2.1") is None


def test_no_shipped_pattern_takes_long_on_hostile_text() -> None:
    for text in (
        "a" * 2000,
        "interface " * 200,
        "LINK-3-UPDOWN Interface " + "x" * 1900,
        "systemd: " * 200,
        "1.1.1.1 " * 250,
    ):
        meaning("<13>" + text)
