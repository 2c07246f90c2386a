"""Which checks a node of a product should have: a beginning for services.toml, not a law.

Each product names the checks that tell its usual faults apart: does the host answer, does the process take connections,
does it do its work, and how is it by its own words. What a check costs and what must work for it stands in the
catalogue of kinds (btimd.probes.catalogue).
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from btimd.model.service import CheckKind, NodeKind

COMMUNITY_FILE: Final = "secrets/snmp-community"
"""Where ready tables look for the community; relative to the folder of services.toml."""
_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True)
class Suggested:
    """A check of a product. name: stands behind the node's; tells: what its failure says; every: as key indicator."""

    name: str
    kind: CheckKind
    tells: str
    port: int = 0
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    timeout: str = "2s"
    every: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """A product. also: other names of it; needs_more: what the operator must add by hand."""

    name: str
    title: str
    kind: NodeKind
    checks: tuple[Suggested, ...]
    also: tuple[str, ...] = ()
    needs_more: str = ""
    names: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        """Put its names together."""
        object.__setattr__(self, "names", (self.name, *self.also))


def _snmp(name: str, kind: CheckKind, tells: str, /, *, timeout: str = "5s", **options: str) -> Suggested:
    access = {"community_file": COMMUNITY_FILE}
    return Suggested(name, kind, tells, options=MappingProxyType({**options, **access}), timeout=timeout)


_PING: Final = Suggested("ping", CheckKind.ICMP, "the host or its network is down")


def _listens(port: int, what: str) -> Suggested:
    return Suggested("listens", CheckKind.TCP, f"{what} is down while its host answers", port=port)


def _asked(name: str, kind: CheckKind, port: int, tells: str, /, *, every: str = "", **options: str) -> Suggested:
    return Suggested(name, kind, tells, port=port, options=MappingProxyType(options), timeout="5s", every=every)


def _server(name: str, what: str, kind: CheckKind, port: int, **options: str) -> tuple[Suggested, ...]:
    tells = f"{what} takes connections and does not do its work"
    return _PING, _listens(port, what), _asked(name, kind, port, tells, **options)


def _page(what: str, port: int, path: str = "/", **options: str) -> tuple[Suggested, ...]:
    tells = f"{what} takes connections and does not answer pages"
    return _PING, _listens(port, what), _asked("page", CheckKind.HTTP, port, tells, path=path, **options)


_CPU: Final = _snmp("cpu", CheckKind.CPU, "processors are busy, programs wait for them")
_MEMORY: Final = _snmp("memory", CheckKind.MEMORY, "memory is used up: the host pages or kills programs")
_DISKS: Final = _snmp("disks", CheckKind.FILESYSTEM, "a filesystem is full: logs, spools and databases stop")
_UPTIME: Final = _snmp("uptime", CheckKind.UPTIME, "the host restarted a moment ago: what ran there may not have begun")
_HOST: Final = (_PING, _CPU, _MEMORY, _DISKS, _UPTIME)
_UPLINK: Final = _snmp(
    "uplink", CheckKind.INTERFACE, "the uplink is down, full or makes errors", interface="GigabitEthernet0/1"
)
_DEVICE: Final = (
    _PING,
    _snmp("agent", CheckKind.SNMP, "its agent is down or busy while it forwards", oid="1.3.6.1.2.1.1.3.0"),
    _CPU,
    _MEMORY,
    _UPLINK,
    _snmp("sensors", CheckKind.SENSOR, "too warm, or a fan or power supply is broken", unit="celsius", critical="> 70"),
    _UPTIME,
)


def _process(program: str, **options: str) -> Suggested:
    return _snmp("process", CheckKind.PROCESS, f"{program} does not run", name=program, **options)


_SYSTEMS: Final = (
    Product(
        "linux",
        "Linux with net-snmp",
        NodeKind.OS,
        (*_HOST, _process("sshd")),
        also=("unix", "bsd"),
        needs_more="snmpd.conf: includeAllDisks 5% for inodes, and the community read-only",
    ),
    Product("windows", "Windows with the SNMP service", NodeKind.OS, (*_HOST, _process("services.exe"))),
    Product("aix", "AIX with snmpd, hostmibd and aixmibd", NodeKind.OS, _HOST),
    Product("solaris", "Solaris with SMA (net-snmp)", NodeKind.OS, _HOST, also=("sunos",)),
    Product("hp-ux", "HP-UX with its own agent", NodeKind.OS, (_PING, _CPU, _MEMORY, _DISKS), also=("hpux",)),
    Product(
        "linux-exporter",
        "Linux with Prometheus' node exporter",
        NodeKind.OS,
        (
            _PING,
            _asked(
                "load", CheckKind.PROMETHEUS, 9100, "programs wait for processors", series="node_load1", warn="> 8",
                critical="> 32",
            ),
            _asked(
                "memory", CheckKind.PROMETHEUS, 9100, "memory is used up", series="node_memory_MemAvailable_bytes",
                per="node_memory_MemTotal_bytes", warn="< 0.1", critical="< 0.03",
            ),
            _asked(
                "disks", CheckKind.PROMETHEUS, 9100, "a filesystem is full",
                series="node_filesystem_avail_bytes{fstype!~'tmpfs|ramfs|overlay|squashfs'}",
                per="node_filesystem_size_bytes", warn="< 0.1", critical="< 0.03",
            ),
        ),
        also=("node-exporter",),
    ),
)  # fmt: skip
_DEVICES: Final = (
    Product(
        "cisco-switch", "Cisco switch", NodeKind.NETWORK, _DEVICE, ("switch", "cisco"), "the name of its uplink"
    ),
    Product("cisco-router", "Cisco router", NodeKind.NETWORK, _DEVICE, ("router",), "the name of its uplink"),
    Product(
        "switch-any",
        "switch of another maker",
        NodeKind.NETWORK,
        tuple(one for one in _DEVICE if one.kind not in {CheckKind.CPU, CheckKind.MEMORY}),
        also=("huawei-switch", "h3c-switch", "firewall", "load-balancer"),
        needs_more="the name of its uplink; processors and memory where it has HOST-RESOURCES-MIB",
    ),
    Product(
        "ups",
        "power supply with a network card (RFC 1628)",
        NodeKind.FACILITY,
        (
            _PING,
            Suggested(
                "power", CheckKind.UPS, "no power from outside, or a battery that will not last",
                options=MappingProxyType({"community_file": COMMUNITY_FILE}), timeout="5s", every="1m",
            ),
        ),
    ),
    Product(
        "rack",
        "rack or room with sensors",
        NodeKind.FACILITY,
        (_PING, _snmp("warmth", CheckKind.SENSOR, "cooling has failed", unit="celsius", warn="> 27", critical="> 32")),
        also=("environment", "cooling"),
    ),
)  # fmt: skip
_DATABASES: Final = (
    Product(
        "oracle", "Oracle database", NodeKind.DATABASE, _server("listener", "the listener", CheckKind.ORACLE, 1521)
    ),
    Product(
        "postgresql",
        "PostgreSQL",
        NodeKind.DATABASE,
        _server("sql", "PostgreSQL", CheckKind.POSTGRES, 5432, user="btimd", database="postgres"),
        also=("postgres",),
        needs_more="a user without rights and a line for it in pg_hba.conf",
    ),
    Product(
        "mysql", "MySQL or MariaDB", NodeKind.DATABASE, _server("hello", "MySQL", CheckKind.MYSQL, 3306), ("mariadb",)
    ),
    Product(
        "sqlserver", "SQL Server", NodeKind.DATABASE, _server("hello", "SQL Server", CheckKind.MSSQL, 1433), ("mssql",)
    ),
    Product("sybase", "Sybase ASE", NodeKind.DATABASE, _server("hello", "Sybase", CheckKind.SYBASE, 5000)),
    Product("db2", "DB2", NodeKind.DATABASE, _server("hello", "DB2", CheckKind.DB2, 50000)),
    Product("informix", "Informix", NodeKind.DATABASE, _server("hello", "Informix", CheckKind.INFORMIX, 9088)),
    Product("redis", "Redis", NodeKind.DATABASE, _server("ping-redis", "Redis", CheckKind.REDIS, 6379)),
    Product("mongodb", "MongoDB", NodeKind.DATABASE, _server("hello", "MongoDB", CheckKind.MONGODB, 27017)),
)
_MIDDLEWARE: Final = (
    Product("tomcat", "Tomcat", NodeKind.MIDDLEWARE, _page("Tomcat", 8080)),
    Product(
        "weblogic",
        "WebLogic Server",
        NodeKind.MIDDLEWARE,
        (*_page("WebLogic", 7001, "/console"), _asked("t3", CheckKind.T3, 7001, "the server takes no remote calls")),
    ),
    Product(
        "websphere",
        "WebSphere Application Server",
        NodeKind.MIDDLEWARE,
        (*_page("WebSphere", 9080), _asked("iiop", CheckKind.IIOP, 2809, "the server takes no remote calls")),
    ),
    Product("nginx", "nginx", NodeKind.MIDDLEWARE, _page("nginx", 80), also=("apache", "httpd", "iis", "web")),
    Product(
        "mq", "IBM MQ", NodeKind.MIDDLEWARE, _server("channel", "the queue manager", CheckKind.MQ, 1414), ("ibm-mq",)
    ),
    Product("tuxedo", "Tuxedo", NodeKind.MIDDLEWARE, _server("listener", "Tuxedo", CheckKind.TUXEDO, 3050)),
    Product("rabbitmq", "RabbitMQ", NodeKind.MIDDLEWARE, _server("amqp", "RabbitMQ", CheckKind.AMQP, 5672), ("amqp",)),
    Product("kafka", "Kafka", NodeKind.MIDDLEWARE, _server("broker", "the broker", CheckKind.KAFKA, 9092)),
)
_SERVICES: Final = (
    Product("domino", "Domino", NodeKind.APPLICATION, _server("nrpc", "Domino", CheckKind.NRPC, 1352), ("notes",)),
    Product(
        "exchange",
        "Exchange, or another mail server",
        NodeKind.APPLICATION,
        (
            _PING,
            _listens(25, "mail transport"),
            _asked("smtp", CheckKind.SMTP, 25, "mail is not taken"),
            _asked("imap", CheckKind.IMAP, 143, "mailboxes cannot be opened"),
        ),
        also=("smtp", "mail", "postfix", "dovecot"),
    ),
    Product(
        "active-directory",
        "Active Directory, or another directory",
        NodeKind.SHARED,
        (*_server("ldap", "the directory", CheckKind.LDAP, 389),),
        also=("ldap", "openldap"),
    ),
    Product(
        "dns",
        "name server",
        NodeKind.SHARED,
        (
            _PING,
            _asked("name", CheckKind.DNS, 53, "names are not resolved", every="30s", name="www.example.com"),
        ),
        also=("bind",),
        needs_more="a name that it must know",
    ),
    Product("ntp", "time server", NodeKind.SHARED, (_PING, _asked("time", CheckKind.NTP, 123, "clocks drift apart"))),
    Product(
        "dhcp", "DHCP server", NodeKind.SHARED, (_PING, _asked("lease", CheckKind.DHCP, 67, "no addresses are given"))
    ),
    Product(
        "radius",
        "RADIUS server",
        NodeKind.SHARED,
        (_PING, _asked("radius", CheckKind.RADIUS, 1812, "nobody is let in")),
        needs_more="a shared secret for btimd",
    ),
    Product("ftp", "FTP server", NodeKind.APPLICATION, _server("ftp", "the FTP server", CheckKind.FTP, 21)),
    Product("ssh", "SSH server", NodeKind.OS, _server("ssh", "the SSH server", CheckKind.SSH, 22)),
    Product("sip", "telephony server", NodeKind.APPLICATION, (_PING, _asked("sip", CheckKind.SIP, 5060, "no calls"))),
    Product(
        "application",
        "application with pages",
        NodeKind.APPLICATION,
        (
            *_page("the application", 443, tls="true", every="30s"),
            _asked("certificate", CheckKind.TLS, 443, "the certificate ends, or is not the right one"),
        ),
        also=("app",),
    ),
)
PRODUCTS: Final[tuple[Product, ...]] = (*_SYSTEMS, *_DEVICES, *_DATABASES, *_MIDDLEWARE, *_SERVICES)
BY_NAME: Final[Mapping[str, Product]] = MappingProxyType({name: one for one in PRODUCTS for name in one.names})


def tables(product: Product, *, node: str, host: str) -> str:
    """Return the tables [node.*] and [check.*] of a product as TOML, ready for services.toml."""
    return "\n".join(_lines(product, node, host))


def _lines(product: Product, node: str, host: str) -> Iterator[str]:
    if product.needs_more:
        yield f"# adapt: {product.needs_more}"
    yield f"[node.{_key(node)}]"
    yield f"kind = {_text(product.kind)}"
    yield f"name = {_text(f'{product.title} {node}')}"
    for one in product.checks:
        yield ""
        yield f"[check.{_key(f'{node}-{one.name}')}]  # fails: {one.tells}"
        yield f"node = {_text(node)}"
        yield f"kind = {_text(one.kind)}"
        yield f"host = {_text(host)}"
        if one.port:
            yield f"port = {one.port}"
        yield f"timeout = {_text(one.timeout)}"
        if one.every:
            yield f"every = {_text(one.every)}"
        if one.options:
            pairs = ", ".join(f"{key} = {_text(value)}" for key, value in one.options.items())
            yield f"options = {{ {pairs} }}"
    yield ""


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    """Return a TOML basic string; its escapes are those of JSON."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
