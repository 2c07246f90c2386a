# ruff: noqa: E501  a table: a rule stands on a line
"""What messages of common devices and systems mean: the rules that come with btimd."""

import re
from typing import Final

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import NodeKind
from btimd.probes.syslogrules import SyslogRule

_BAD, _OVER, _CHANGE = Health.BAD, Health.UNKNOWN, None
_BOX: Final = (NodeKind.OS, NodeKind.HOST)
_DEVICE: Final = (NodeKind.NETWORK, NodeKind.HOST, NodeKind.FACILITY)
_DATABASE: Final = (NodeKind.DATABASE,)
_SERVICE: Final = (NodeKind.APPLICATION, NodeKind.MIDDLEWARE, NodeKind.DATABASE, NodeKind.SHARED)


def rule(
    name: str, pattern: str, health: Health | None, error: ErrorClass = ErrorClass.EXCEEDED,
    kinds: tuple[NodeKind, ...] = (), subject: str = "", **more: float,
) -> SyslogRule:  # fmt: skip
    """Return a rule of the table; `weight` and `lasts_seconds` may follow."""
    return SyslogRule(
        name, re.compile(pattern, re.IGNORECASE), health, error, kinds, subject=subject,
        weight=more.get("weight", 0.8), lasts_seconds=more.get("lasts_seconds", 600.0),
    )  # fmt: skip


_INTERFACE: Final = r"[Ii]nterface (?P<interface>[\w./:-]{1,64})"
SHIPPED: Final[tuple[SyslogRule, ...]] = (
    # Interfaces: Cisco, Arista, Huawei, H3C, Juniper, Linux
    rule("interface-down", rf"(?:LINK-\w+-UPDOWN|LINEPROTO-\w+-UPDOWN|LINEPROTO-\w+-DOWN|ETHPORT-\w+-IF_DOWN\w*).*{_INTERFACE}.*\bdown\b",
         _BAD, ErrorClass.UNREACHABLE, _DEVICE, "interface"),
    rule("interface-up", rf"(?:LINK-\w+-UPDOWN|LINEPROTO-\w+-UPDOWN|ETHPORT-\w+-IF_UP).*{_INTERFACE}.*\bup\b", _OVER, kinds=_DEVICE, subject="interface"),
    rule("interface-admin-down", rf"LINK-\w+-CHANGED.*{_INTERFACE}.*administratively down", _CHANGE, kinds=_DEVICE),
    rule("interface-down", r"(?:PHY_UPDOWN|IF_STATE|LINK_UPDOWN|LINK_STATE|linkDown).*?(?:interface |ifName=?|: )(?P<interface>[A-Za-z][\w./:-]{1,63}).*\b(?:down)\b", _BAD, ErrorClass.UNREACHABLE, _DEVICE, "interface"),
    rule("interface-up", r"(?:PHY_UPDOWN|IF_STATE|LINK_UPDOWN|LINK_STATE|linkUp).*?(?:interface |ifName=?|: )(?P<interface>[A-Za-z][\w./:-]{1,63}).*\b(?:up)\b", _OVER, kinds=_DEVICE, subject="interface"),
    rule("interface-down", r"SNMP_TRAP_LINK_DOWN.*ifName (?P<interface>[\w./:-]{1,64})", _BAD, ErrorClass.UNREACHABLE, _DEVICE, "interface"),
    rule("interface-up", r"SNMP_TRAP_LINK_UP.*ifName (?P<interface>[\w./:-]{1,64})", _OVER, kinds=_DEVICE, subject="interface"),
    rule("interface-down", r"\b(?P<interface>[a-z][\w.-]{1,14})(?:: NIC)?:? link is (?:not ready|down)\b", _BAD, ErrorClass.UNREACHABLE, _BOX, "interface"),
    rule("interface-up", r"\b(?P<interface>[a-z][\w.-]{1,14})(?:: NIC)?:? link is up\b", _OVER, kinds=_BOX, subject="interface"),
    rule("interface-errors-disabled", r"ERR_DISABLE.*?(?P<interface>(?:Gi|Te|Fa|Eth|Po)[\w/.-]*)", _BAD, ErrorClass.UNREACHABLE, _DEVICE, "interface"),
    # Routing and redundancy
    rule("neighbour-down", r"(?:BGP-\w+-ADJCHANGE|OSPF-\w+-ADJCHG|DUAL-\w+-NBRCHANGE|NBR_CHG|BGP.*STATE_CHG).*(?P<subject>\d+\.\d+\.\d+\.\d+).*\b(?:down|DOWN|Idle)\b", _BAD, ErrorClass.UNREACHABLE, _DEVICE, "neighbour", weight=0.5),
    rule("neighbour-up", r"(?:BGP-\w+-ADJCHANGE|OSPF-\w+-ADJCHG|DUAL-\w+-NBRCHANGE|NBR_CHG|BGP.*STATE_CHG).*(?P<subject>\d+\.\d+\.\d+\.\d+).*\b(?:up|FULL|Established)\b", _OVER, kinds=_DEVICE, subject="neighbour"),
    rule("redundancy-change", r"(?:HSRP|STANDBY|VRRP|GLBP)-\w+-(?:STATECHANGE|STATE_CHANGE)|VRRP.*(?:Master|Backup)", _CHANGE, kinds=_DEVICE),
    rule("spanning-tree-change", r"SPANTREE-\d-(?:ROOTCHANGE|TOPOTRAP)|MSTP.*TC|topology change", _CHANGE, kinds=_DEVICE),
    rule("address-conflict", r"DUPADDR|duplicate (?:IP )?address|IP address conflict", _BAD, ErrorClass.PROTOCOL_ERROR, subject="address"),
    # Configuration and restarts
    rule("configured", r"SYS-5-CONFIG|CONFIG_I\b|VSHD-5-VSHD_SYSLOG_CONFIG|UI_COMMIT(?!_PROGRESS)|CFM.*(?:SAVE|CONFIG)|SHELL/5/CMD|CFGMAN|Configured from", _CHANGE, kinds=_DEVICE),
    rule("restarted", r"SYS-5-(?:RESTART|RELOAD)|SYS-5-INIT|Linux version \d|System restarted|kernel: Booting|systemd.*Startup finished|cold ?start|warm ?start", _CHANGE),
    rule("packages-changed", r"\b(?:dpkg|yum|dnf|apt)(?:\[\d+\])?: .*(?:installed|upgrade|Updated|Installed|Removed)", _CHANGE, kinds=_BOX),
    rule("unit-changed", r"systemd.*: (?:Started|Stopped|Reloaded|Stopping) (?P<subject>[^.]{1,80})", _CHANGE, kinds=_SERVICE),
    # Operating systems
    rule("unit-failed", r"(?P<subject>[\w@.:-]{1,80}\.service)(?:: (?:Failed with result|Main process exited|Unit entered failed)|.*entered failed state)|Failed to start (?:the )?(?P<named>[^.]{1,80})", _BAD, ErrorClass.REFUSED, _SERVICE, "unit"),
    rule("out-of-memory", r"Out of memory|oom-kill|invoked oom-killer|killed process \d+ \(", _BAD, ErrorClass.EXCEEDED, _BOX, "memory"),
    rule("disk-full", r"No space left on device|file ?system (?:is )?full|disk (?:is )?full|ENOSPC|100% full", _BAD, ErrorClass.EXCEEDED, _BOX, "disk", lasts_seconds=1800.0),
    rule("disk-error", r"I/O error|Buffer I/O error|blk_update_request|medium error|SMART.*(?:FAIL|Prefailure)|EXT4-fs error|XFS.*(?:corrupt|shut ?down)|remount(?:ed|ing).*read-only", _BAD, ErrorClass.EXCEEDED, _BOX, "disk-error", lasts_seconds=1800.0),
    rule("raid-degraded", r"(?:md/raid|mdadm|RAID|megaraid).*(?:degraded|failed|Fail event)", _BAD, ErrorClass.EXCEEDED, _BOX, "raid", weight=0.4),
    rule("kernel-crash", r"kernel panic|BUG: (?:unable|soft lockup)|soft lockup|hung_task|blocked for more than \d+ seconds|Machine Check", _BAD, ErrorClass.TIMEOUT, _BOX, "kernel"),
    rule("too-many-files", r"Too many open files|file-max limit|EMFILE", _BAD, ErrorClass.EXCEEDED, _SERVICE, "files"),
    rule("conntrack-full", r"nf_conntrack: table full|ip_conntrack: table full", _BAD, ErrorClass.EXCEEDED, (*_DEVICE, NodeKind.OS), "conntrack"),
    rule("syn-flood", r"[Pp]ossible SYN flooding", _BAD, ErrorClass.EXCEEDED, _SERVICE, "syn", weight=0.4),
    rule("segfault", r"segfault at|general protection|core dumped|SIGSEGV", _BAD, ErrorClass.RESET, _SERVICE, "crash"),
    rule("time-wrong", r"(?:ntpd|chronyd).*(?:no servers? (?:reachable|suitable)|can't synchronise|System clock wrong)", _BAD, ErrorClass.EXCEEDED, _BOX, "time", weight=0.3),
    # Hardware and facilities
    rule("temperature", r"(?:ENVMON|ENV|PLATFORM|thermal|temperature).*(?:CRIT|SHUTDOWN|over ?heat|above threshold|exceed|too high|critical)|FANFAIL|FAN.*(?:FAIL|fault)", _BAD, ErrorClass.EXCEEDED, (NodeKind.FACILITY, NodeKind.HOST, NodeKind.NETWORK), "temperature"),
    rule("power", r"(?:PSU|power supply|PWR|PSECURE).*(?:FAIL|fault|lost|down|removed)|UPS.*(?:on battery|low battery|battery low)|apcupsd.*(?:Power failure|Running on)", _BAD, ErrorClass.EXCEEDED, (NodeKind.FACILITY, NodeKind.HOST, NodeKind.NETWORK), "power"),
    rule("power-back", r"UPS.*on line|apcupsd.*(?:Mains returned|Power is back)", _OVER, kinds=(NodeKind.FACILITY, NodeKind.HOST, NodeKind.NETWORK), subject="power"),
    # Databases and middleware
    rule("database-connections", r"FATAL:.*(?:too many (?:clients|connections)|remaining connection slots|connection limit)|Too many connections|ORA-00018|ORA-00020|ORA-12516|ORA-12519|ORA-12520", _BAD, ErrorClass.EXCEEDED, _DATABASE, "connections"),
    rule("database-space", r"ORA-(?:01653|01654|01652|00257|19809|19815|16038)|could not extend file|PANIC:.*could not write", _BAD, ErrorClass.EXCEEDED, _DATABASE, "space", lasts_seconds=1800.0),
    rule("database-down", r"ORA-(?:01034|27101|00600|07445|03113|01092)|database system is shut down|mysqld.*(?:Shutdown complete|got signal)|terminating connection due to administrator", _BAD, ErrorClass.REFUSED, _DATABASE, "down"),
    rule("database-starting", r"database system is ready to accept connections|mysqld.*ready for connections", _CHANGE, kinds=_DATABASE),
    rule("database-locks", r"deadlock detected|ORA-00060|lock wait timeout|canceling statement due to", _BAD, ErrorClass.SLOW, _DATABASE, "locks", weight=0.3),
    rule("queue-full", r"AMQ(?:7469|8077|9509|9526|6119)|MQRC_Q_FULL|memory resource limit alarm set|disk resource limit alarm set", _BAD, ErrorClass.EXCEEDED, (NodeKind.MIDDLEWARE,), "queue"),
    rule("java-memory", r"java\.lang\.OutOfMemoryError", _BAD, ErrorClass.EXCEEDED, (NodeKind.APPLICATION, NodeKind.MIDDLEWARE), "memory"),
    rule("backend-down", r"(?:haproxy|nginx|httpd|apache).*(?:Server \S+ is DOWN|has no server available|upstream timed out|Connection refused\) while connecting|no live upstreams)", _BAD, ErrorClass.WRONG_ANSWER, (NodeKind.APPLICATION, NodeKind.MIDDLEWARE), "backend", weight=0.5),
    rule("backend-up", r"haproxy.*Server \S+ is UP", _OVER, kinds=(NodeKind.APPLICATION, NodeKind.MIDDLEWARE), subject="backend"),
    rule("max-clients", r"server reached MaxRequestWorkers|MaxClients reached|worker_connections are not enough|maxconn.*reached", _BAD, ErrorClass.EXCEEDED, (NodeKind.APPLICATION, NodeKind.MIDDLEWARE), "clients"),
    rule("certificate", r"certificate (?:has )?expired|certificate verify failed|CERT.*EXPIRED", _BAD, ErrorClass.CERTIFICATE, _SERVICE, "certificate", weight=0.5),
    rule("zone-failed", r"named.*zone (?P<subject>\S{1,100}).*(?:not loaded|expired|failed)", _BAD, ErrorClass.NAME_ERROR, (NodeKind.SHARED,), "zone"),
    rule("no-leases", r"dhcpd.*no free leases", _BAD, ErrorClass.EXCEEDED, (NodeKind.SHARED,), "leases"),
)  # fmt: skip
"""In order: the first that matches is taken."""
