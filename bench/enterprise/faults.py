"""Every fault of the enterprise: what breaks, what users feel, and which nodes of services.toml are to blame."""

from dataclasses import dataclass
from typing import Final

from bench.enterprise.breaking import (
    Change,
    Way,
    certificate,
    connections_used_up,
    disk_full,
    filtered,
    held_transaction,
    host_down,
    hung,
    hung_until_restart,
    killed,
    memory_alarm,
    mood,
    names,
    narrow,
    password,
    postgres_slow,
    power,
    pulled,
    queue_full,
    route_gone,
    small_packets,
    stuttering,
    together,
)


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that breaks, or several at once.

    kind: what sort of fault. causes: one entry per true cause: the nodes of services.toml that name it, the first is
    the best. felt: what users feel, in words; "" = nothing.
    """

    name: str
    kind: str
    title: str
    causes: tuple[tuple[str, ...], ...]
    felt: str
    inject: Change
    heal: Change

    @property
    def is_pair(self) -> bool:
        """Tell whether several things break at once."""
        return len(self.causes) > 1


def make(
    name: str, kind: str, title: str, causes: str, felt: str, changes: Way
) -> Fault:  # fmt: skip
    """causes: `a/b, c` is two causes, the first may be called a or b."""
    parsed = tuple(tuple(cause.split("/")) for cause in causes.split(", "))
    return Fault(name, kind, title, parsed, felt, *changes)


_SHOP, _ERP, _MAIL, _LOGON = "shop fails", "ERP fails", "mail fails", "log-on fails"
_TABLE: Final = (
    make(
        "postgres-killed",
        "process killed",
        "PostgreSQL is killed",
        "postgres",
        f"{_SHOP}, {_ERP}",
        killed("db1", "postgres", "postgres"),
    ),
    make(
        "redis-killed", "process killed", "Redis is killed", "redis", _SHOP, killed("cache1", "redis", "redis-server")
    ),
    make(
        "haproxy-killed",
        "process killed",
        "the load balancer is killed",
        "haproxy",
        _SHOP,
        killed("lb1", "haproxy", "haproxy -db"),
    ),
    make(
        "erp-killed",
        "process killed",
        "the ERP application is killed",
        "erp-app",
        _ERP,
        killed("app2", "erp", "erp.py"),
    ),
    make(
        "rabbit-killed", "process killed", "RabbitMQ is killed", "rabbit", _SHOP, killed("mq1", "rabbitmq", "beam.smp")
    ),
    make("shop-hung", "process hung", "the shop application hangs", "shop-app", _SHOP, hung("app1", "shop.py")),
    make("postgres-hung", "process hung", "PostgreSQL hangs", "postgres", f"{_SHOP}, {_ERP}", hung("db1", "postgres")),
    make("redis-hung", "process hung", "Redis hangs", "redis", _SHOP, hung("cache1", "redis-server")),
    make("erp-slow", "slow", "the ERP application is slow", "erp-app", "ERP is slow", mood("app2", '{"slow": 1.4}')),
    make("orders-slow", "slow", "a trigger makes orders slow", "db-shop/postgres", "shop is slow", postgres_slow()),
    make(
        "postgres-starved",
        "slow",
        "PostgreSQL gets too little processor",
        "postgres",
        "shop and ERP are slow",
        stuttering("db1", "postgres", stopped=2.2, running=0.03),
    ),
    make("database-disk-full", "disk full", "the database's file system is full", "disk-db1", _SHOP, disk_full("db1")),
    make("mail-disk-full", "disk full", "the mail spool is full", "disk-mail1", _MAIL, disk_full("mail1")),
    make("erp-error", "wrong answer", "the ERP application answers 500", "erp-app", _ERP, mood("app2", '{"error": 1}')),
    make(
        "shop-wrong-page",
        "wrong answer",
        "the shop answers 200 with another page",
        "shop-app",
        _SHOP,
        mood("app1", '{"wrong": 1}'),
    ),
    make(
        "certificate-expired",
        "certificate",
        "the shop's certificate has expired",
        "shop-cert",
        _SHOP,
        certificate("expired"),
    ),
    make(
        "certificate-other-name",
        "certificate",
        "the shop has another name's certificate",
        "shop-cert",
        _SHOP,
        certificate("other-name"),
    ),
    make("record-gone", "DNS record", "the shop's name is gone", "name-shop", _SHOP, names(shop=None)),
    make("record-wrong", "DNS record", "the ERP's name leads elsewhere", "name-erp", _ERP, names(erp="10.77.100.11")),
    make(
        "dns-killed",
        "name server",
        "the name server is killed",
        "dnsmasq",
        "everything fails",
        killed("dns1", "dnsmasq", "dnsmasq"),
    ),
    make("dns-hung", "name server", "the name server hangs", "dnsmasq", "everything fails", hung("dns1", "dnsmasq")),
    make(
        "orders-locked",
        "database lock",
        "a transaction holds the table of orders",
        "db-shop/postgres",
        _SHOP,
        held_transaction("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;", "lockholder"),
    ),
    make(
        "connections-used-up",
        "database connections",
        "a report uses all connections up",
        "postgres",
        _SHOP,
        connections_used_up(),
    ),
    make("queue-full", "queue full", "the warehouse hangs, the queue refuses orders", "warehouse", _SHOP, queue_full()),
    make("queue-memory", "queue full", "RabbitMQ blocks publishers (memory alarm)", "rabbit", _SHOP, memory_alarm()),
    make(
        "account-changed", "directory", "the ERP's account has another password", "account-erp", _ERP, password("erp")
    ),
    make(
        "slapd-killed",
        "directory",
        "the directory server is killed",
        "slapd",
        f"{_ERP}, {_LOGON}",
        killed("ldap1", "slapd", "slapd -d"),
    ),
    make(
        "slapd-hung", "directory", "the directory server hangs", "slapd", f"{_ERP}, {_LOGON}", hung("ldap1", "slapd -d")
    ),
    make("imap-killed", "mail", "the mail boxes are gone", "dovecot", _MAIL, killed("mail1", "dovecot", "dovecot")),
    make(
        "smtp-hung",
        "mail",
        "mail transport hangs",
        "postfix",
        _MAIL,
        hung_until_restart("mail1", "postfix", "postfix/sbin/"),
    ),
    make(
        "web1-killed",
        "cluster member",
        "one of two web servers is killed",
        "nginx1",
        "",
        killed("web1", "nginx", "nginx"),
    ),
    make("web1-host-down", "cluster member", "the host of a web server is down", "host-web1", "", host_down("web1")),
    make(
        "both-webs-killed",
        "two at once",
        "both web servers are killed",
        "nginx1, nginx2",
        _SHOP,
        together(killed("web1", "nginx", "nginx"), killed("web2", "nginx", "nginx")),
    ),
    make(
        "database-unplugged",
        "link down",
        "the database host's cable is pulled",
        "host-db1",
        f"{_SHOP}, {_ERP}",
        pulled("sw1", "db1"),
    ),
    make(
        "south-cut", "link down", "the line to south is cut", "link-south", "all fails in south", pulled("wan2", "accs")
    ),
    make(
        "south-lossy",
        "link lossy",
        "the line to south loses half of its packets",
        "link-south",
        "south is slow, fails",
        filtered("wan2", "-o", "to-accs", "-m", "statistic", "--mode", "random", "--probability", "0.5", "-j", "DROP"),
    ),
    make(
        "south-narrow",
        "link slow",
        "the line to south has 150 kbit/s",
        "link-south",
        "south is slow, fails",
        narrow("wan2", "to-accs", "150kbit"),
    ),
    make(
        "south-route-gone",
        "route gone",
        "wan2 lost its route to south",
        "lan-south/wan2",
        "all fails in south",
        route_gone("wan2", "10.77.20.0/24 via 10.77.1.22"),
    ),
    make(
        "firewall-drops",
        "firewall drop",
        "the core drops the shop's way to its queue",
        "path-app1-mq1",
        _SHOP,
        filtered("core", "-s", "10.77.100.20", "-d", "10.77.101.50", "-p", "tcp", "--dport", "5672", "-j", "DROP"),
    ),
    make(
        "firewall-drops-north",
        "firewall drop",
        "the core drops north's way to the shop",
        "north-shop",
        "shop fails in north",
        filtered("core", "-s", "10.77.10.0/24", "-d", "10.77.100.10", "-p", "tcp", "--dport", "443", "-j", "DROP"),
    ),
    make(
        "firewall-rejects",
        "firewall reject",
        "the core rejects the ERP's way to its database",
        "path-app2-db1",
        _ERP,
        filtered(
            "core",
            "-s",
            "10.77.101.21",
            "-d",
            "10.77.100.30",
            "-p",
            "tcp",
            "--dport",
            "5432",
            "-j",
            "REJECT",
            "--reject-with",
            "icmp-admin-prohibited",
        ),
    ),
    make(
        "packet-size",
        "MTU black hole",
        "the line to south takes small packets only",
        "link-south",
        "pages fail in south",
        small_packets("wan2", "to-accs"),
    ),
    make(
        "database-host-down", "host down", "the database host is off", "host-db1", f"{_SHOP}, {_ERP}", host_down("db1")
    ),
    make("erp-host-down", "host down", "the ERP's host is off", "host-app2", _ERP, host_down("app2")),
    make("switch-down", "switch down", "the switch of rack b is off", "sw2", "everything fails", host_down("sw2")),
    make("rack-b-dark", "power", "rack b has no power", "power-b", "everything fails", power("b")),
    make("wan2-down", "router down", "the router of south is off", "wan2", "all fails in south", host_down("wan2")),
    make(
        "access-north-down",
        "router down",
        "the access router of north is off",
        "accn",
        "all fails in north",
        host_down("accn"),
    ),
    make("backup-dead", "silent", "north's backup line is cut", "link-north-backup", "", pulled("wan2", "accn")),
    make(
        "primary-dead",
        "silent",
        "north's first line is cut, the second carries",
        "link-north-primary",
        "",
        pulled("wan1", "accn"),
    ),
    make(
        "redis-and-slapd",
        "two at once",
        "Redis and the directory are killed",
        "redis, slapd",
        f"{_SHOP}, {_ERP}, {_LOGON}",
        together(killed("cache1", "redis", "redis-server"), killed("ldap1", "slapd", "slapd -d")),
    ),
    make(
        "certificate-and-erp",
        "two at once",
        "certificate expired, ERP answers 500",
        "shop-cert, erp-app",
        f"{_SHOP}, {_ERP}",
        together(certificate("expired"), mood("app2", '{"error": 1}')),
    ),
    make(
        "south-and-imap",
        "two at once",
        "line to south cut, mail boxes gone",
        "link-south, dovecot",
        f"all fails in south, {_MAIL}",
        together(pulled("wan2", "accs"), killed("mail1", "dovecot", "dovecot")),
    ),
    make(
        "queue-and-erp-host",
        "two at once",
        "RabbitMQ killed, ERP's host off",
        "rabbit, host-app2",
        f"{_SHOP}, {_ERP}",
        together(killed("mq1", "rabbitmq", "beam.smp"), host_down("app2")),
    ),
)
FAULTS: Final = {fault.name: fault for fault in _TABLE}
