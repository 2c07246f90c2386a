"""What an operator of the enterprise would write for btimd: btimd.toml, services.toml, ipplan.csv, secrets.

Kinds of checks and keys that the btimd at hand does not know are left out, so that older versions can be judged too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.enterprise.plan import (
    ADDRESS,
    AGENT_PORT,
    BEACON_PORT,
    BUSINESSES,
    ERP_PORT,
    METRICS_PORT,
    PDU_PORT,
    REGIONS,
    SERVERS,
    SHOP_PORT,
    WORKER_PORT,
    ZONE,
)
from btimd.lab.config import Table, Value, toml_of
from btimd.model.service import CheckKind
from btimd.probes.catalogue import SPECS
from btimd.probes.settings import ProbeSettings
from btimd.settings.tables import NodeTable

EVERY: Final = "2s"
SLOW_ECHO: Final = "400ms"
"""All hosts and btimd share the processors of one machine, which others may use too."""
_DNS: Final = f"{ADDRESS['dns1']}:53"
_GUEST: Final = {"user": "guest", "password_file": "guest.secret", "tls": "false"}
_SENDER: Final = {"sender": f"btimd@{ZONE}"}
_QUERIES: Final = {"shop": "SELECT id FROM orders LIMIT 1", "erp": "SELECT id FROM items LIMIT 1"}
_LINE_PRIOR: Final = 0.002
"""Lines to branches fail more often than the routers at their ends; the operator knows."""
_WAYS: Final = {"north": ("wan-north", "accn"), "south": ("link-south", "accs")}
ONLY_WITH_CHECK: Final = ("account-erp", "queue-orders", "disk-db1", "disk-mail1")


@dataclass
class _Writer:
    """Collects tables; leaves out what this btimd does not know."""

    tables: dict[str, Table] = field(default_factory=dict)

    def node(self, name: str, kind: str, title: str, *needs: str, **more: Value) -> None:
        """Write a node."""
        known = {key: value for key, value in more.items() if key in NodeTable.model_fields}
        self.tables[f"node.{name}"] = {"kind": kind, "name": title, "needs": needs, **known}

    def check(
        self, node: str, name: str, kinds: str, host: str, port: int = 0, options: Mapping[str, str] | None = None,
        **more: Value,
    ) -> None:  # fmt: skip
        """Write a check of the first kind that is known with these options; `imap|tcp` is either."""
        for text in kinds.split("|"):
            spec = SPECS.get(CheckKind(text))
            wanted = dict(options or {}) if text == kinds.split("|", maxsplit=1)[0] else {}
            if spec is None or not set(wanted) <= set(spec.options):
                continue
            table: dict[str, Value] = {"node": node, "kind": text, "host": host, "timeout": "1s", **more}
            if port:
                table["port"] = port
            if wanted:
                table["options"] = wanted
            self.tables[f"check.{node}-{name}"] = table
            return

    def leave_out_unasked(self) -> None:
        """Leave out leaves of the model that only a check which is not known here could tell anything of."""
        asked = {table["node"] for name, table in self.tables.items() if name.startswith("check.")}
        for node in ONLY_WITH_CHECK:
            if node in asked:
                continue
            needs = self.tables.pop(f"node.{node}")["needs"]
            assert isinstance(needs, tuple)
            for name, table in self.tables.items():
                old = table.get("needs", ())
                assert isinstance(old, tuple)
                if node in old:
                    spread = [part for one in old for part in (needs if one == node else (one,))]
                    self.tables[name] = {**table, "needs": tuple(dict.fromkeys(str(part) for part in spread))}


def write_configuration(folder: Path, authority: Path) -> Path:
    """Write the files; return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (
        ("erp.secret", "erp-secret"),
        ("mail.secret", "mail-secret"),
        ("snmp.secret", "public"),
        ("guest.secret", "guest"),
    ):
        file = folder / name
        file.touch(mode=0o600)
        file.write_text(text + "\n")
    (folder / "btimd.toml").write_text(
        '[daemon]\nstate_directory = "state"\n[capture.netflow]\nlisten = ["127.0.0.1:0"]\n'
        '[api]\ngrpc_listen = "127.0.0.1:0"\nhttp_listen = "127.0.0.1:0"\n'
        '[store]\nkind = "embedded"\n'
        # A branch's beacon is btimd's own and does four transactions every two seconds for it.
        "[probes]\nheavy_per_ten_seconds = 40.0\nheavy_burst = 12\n"
        # The bench breaks the same things again and again, which no enterprise does.
        + ("flap_count = 0\n" if "flap_count" in ProbeSettings.model_fields else "")
    )
    (folder / "ipplan.csv").write_text(
        "prefix,region,segment,person\n10.77.10.0/24,north,north-office,\n10.77.20.0/24,south,south-office,\n"
        "10.77.100.0/23,datacentre,servers,\n"
    )
    (folder / "services.toml").write_text(services_text(authority))
    return folder


def services_text(authority: Path) -> str:
    """Return services.toml."""
    writer = _Writer()
    for name, table in _businesses():
        writer.tables[f"service.{name}"] = table
    _applications(writer, str(authority))
    _regions(writer)
    _infrastructure(writer)
    writer.leave_out_unasked()
    return toml_of(writer.tables)


def _businesses() -> Iterator[tuple[str, Table]]:
    parts = {
        "shop": ("Web shop", "critical", ("haproxy", "shop-cert", "web-pool", "name-shop"), "lb1", 443),
        "erp": ("ERP", "high", ("erp-app", "name-erp"), "app2", ERP_PORT),
        "mail": ("Mail", "normal", ("postfix", "dovecot", "name-mail"), "mail1", 25),
        "directory": ("Directory log-on", "high", ("slapd", "name-directory"), "ldap1", 389),
    }
    for name, (title, criticality, needs, host, port) in parts.items():
        yield name, {
            "name": title, "criticality": criticality, "needs": needs, "prefixes": (f"{ADDRESS[host]}/32",),
            "protocol": "tcp", "ports": (port,), "availability_percent": 99.9,
        }  # fmt: skip


def _applications(writer: _Writer, authority: str) -> None:
    """Write what carries the businesses: names, certificates, programs, databases, ways between programs."""
    node, check, at = writer.node, writer.check, ADDRESS
    order = {"path": "/order?id=1&size=1500", "expect_text": "order 1 is placed"}
    entry = {"path": "/page?id=1&size=1500", "expect_text": "page for"}
    alive = {"path": "/alive", "expect_status": "200"}
    slow = {"timeout": "3s", "slow_over": "900ms"}
    check("shop", "page", "http", f"shop.{ZONE}", 443, order | {"tls": "true", "resolver": _DNS}, every=EVERY, **slow)
    check("erp", "page", "http", f"erp.{ZONE}", ERP_PORT, entry | {"resolver": _DNS}, every=EVERY, **slow)
    check("mail", "send", "smtp|tcp", at["mail1"], 25, _SENDER, every=EVERY, closure="full", timeout="2s")
    check("mail", "read", "imap|tcp", at["mail1"], 143, {"user": "wang", "password_file": "mail.secret"}, every=EVERY,
          closure="full", timeout="2s")  # fmt: skip
    check("directory", "search", "ldap|tcp", at["ldap1"], 389, {"base": "ou=people,dc=corp,dc=test"}, every=EVERY,
          closure="full", timeout="2s")  # fmt: skip
    for name in BUSINESSES:
        target = {"shop": "lb1", "erp": "app2", "mail": "mail1", "directory": "ldap1"}[name]
        node(f"name-{name}", "shared", f"DNS record {name}.{ZONE}", "dnsmasq")
        often = {"every": EVERY} if name in {"mail", "directory"} else {}
        check(
            f"name-{name}", "lookup", "dns", at["dns1"], 53, {"name": f"{name}.{ZONE}", "expect": at[target]}, **often
        )
    node("dnsmasq", "shared", "name server", "host-dns1")
    check("dnsmasq", "own-name", "dns", at["dns1"], 53, {"name": f"dns1.{ZONE}"}, closure="local")

    _shop(writer, authority, order, alive, slow)
    _erp(writer, entry, alive, slow)
    _databases(writer, authority)
    _services(writer)


def _shop(
    writer: _Writer, authority: str, order: Mapping[str, str], alive: Mapping[str, str], slow: Mapping[str, str]
) -> None:
    node, check, at = writer.node, writer.check, ADDRESS
    node("haproxy", "middleware", "load balancer", "host-lb1")
    check("haproxy", "connect", "tcp", at["lb1"], 443)
    check("haproxy", "alive", "http", at["lb1"], 443, {"path": "/lb-alive", "tls": "unverified"}, closure="local")
    node("shop-cert", "shared", "certificate of the shop", "haproxy")
    if CheckKind.TLS in SPECS:
        check("shop-cert", "handshake", "tls", at["lb1"], 443, {"server_name": f"shop.{ZONE}", "ca_file": authority},
              closure="full")  # fmt: skip
    else:
        check("shop-cert", "handshake", "http", f"shop.{ZONE}", 443,
              {"path": "/lb-alive", "tls": "true", "resolver": _DNS},
              closure="full")  # fmt: skip
    node("web-pool", "middleware", "web servers of the shop", "nginx1", "nginx2", rollup="best")
    for number in "12":
        name, host = f"nginx{number}", f"web{number}"
        node(name, "middleware", f"web server {number}", "shop-app", f"host-{host}")
        check(name, "alive", "http", at[host], 80, alive, closure="local", every=EVERY, slow_over="500ms")
        check(name, "order", "http", at[host], 80, order, closure="full", **slow)
    node("shop-app", "application", "shop application", "db-shop", "redis", "queue-orders", "path-app1-mq1", "dnsmasq",
         "host-app1")  # fmt: skip
    check("shop-app", "alive", "http", at["app1"], SHOP_PORT, alive, closure="local", slow_over="500ms")
    check("shop-app", "order", "http", at["app1"], SHOP_PORT, order, closure="full", **slow)
    node("queue-orders", "middleware", "queue of orders", "rabbit", "warehouse")
    check(
        "queue-orders",
        "depth",
        "amqp",
        at["mq1"],
        5672,
        {**_GUEST, "queue": "orders", "max_messages": "150"},
        closure="full",
    )
    node("warehouse", "application", "warehouse, takes orders", "host-app1")
    check("warehouse", "alive", "http", at["app1"], WORKER_PORT, alive, closure="local", slow_over="500ms")


def _erp(writer: _Writer, entry: Mapping[str, str], alive: Mapping[str, str], slow: Mapping[str, str]) -> None:
    node, check, at = writer.node, writer.check, ADDRESS
    node("erp-app", "application", "ERP application", "db-erp", "account-erp", "path-app2-db1", "dnsmasq", "host-app2")
    check("erp-app", "alive", "http", at["app2"], ERP_PORT, alive, closure="local", slow_over="500ms")
    check("erp-app", "page", "http", at["app2"], ERP_PORT, entry, closure="full", **slow)


def _databases(writer: _Writer, authority: str) -> None:
    node, check, at = writer.node, writer.check, ADDRESS
    for name in ("shop", "erp"):
        node(f"db-{name}", "database", f"database of {name}", "postgres")
        check(f"db-{name}", "rows", "postgres", at["db1"], 5432,
              {"user": "btimd", "database": name, "query": _QUERIES[name]}, closure="full",
              slow_over="400ms")  # fmt: skip
        if f"check.db-{name}-rows" not in writer.tables:
            check(f"db-{name}", "rows", "postgres", at["db1"], 5432, {"user": "btimd", "database": name},
                  closure="full", slow_over="400ms")  # fmt: skip
    check("db-shop", "write", "postgres", at["db1"], 5432,
          {"user": "btimd", "database": "shop",
           "query": "INSERT INTO orders (id, item, body) SELECT -1, 0, repeat('x', 200000)"}, closure="full",
          slow_over="600ms")  # fmt: skip
    node("postgres", "database", "PostgreSQL", "disk-db1", "host-db1")
    check("postgres", "connect", "tcp", at["db1"], 5432)
    check("postgres", "sql", "postgres", at["db1"], 5432, {"user": "btimd", "database": "btimd"}, slow_over="400ms")
    for host in ("db1", "mail1"):
        node(f"disk-{host}", "os", f"file system of {host}", f"host-{host}")
        check(f"disk-{host}", "full", "filesystem", at[host], 161,
              {"community_file": "snmp.secret", "path": str(Path(authority).parent.parent / host / "disk")},
              closure="own")  # fmt: skip
    node("redis", "database", "Redis, sessions of the shop", "host-cache1")
    check("redis", "connect", "tcp", at["cache1"], 6379)
    check("redis", "ping", "redis", at["cache1"], 6379, slow_over="400ms")


def _services(writer: _Writer) -> None:
    node, check, at = writer.node, writer.check, ADDRESS
    node("rabbit", "middleware", "RabbitMQ", "host-mq1")
    check("rabbit", "connect", "tcp", at["mq1"], 5672)
    check("rabbit", "open", "amqp", at["mq1"], 5672, _GUEST, slow_over="600ms")
    check("rabbit", "memory-alarm", "prometheus", at["mq1"], METRICS_PORT,
          {"series": "rabbitmq_alarms_memory_used_watermark", "critical": "> 0"}, closure="own",
          every=EVERY)  # fmt: skip
    node("slapd", "shared", "directory server", "host-ldap1")
    check("slapd", "connect", "tcp", at["ldap1"], 389)
    check("slapd", "search", "ldap", at["ldap1"], 389, slow_over="400ms")
    node("account-erp", "shared", "service account of the ERP", "slapd")
    check("account-erp", "bind", "ldap", at["ldap1"], 389,
          {"user": "cn=erp,ou=services,dc=corp,dc=test", "password_file": "erp.secret"}, closure="full")  # fmt: skip
    node("postfix", "application", "mail transport", "disk-mail1", "host-mail1")
    check("postfix", "connect", "tcp", at["mail1"], 25)
    check("postfix", "takes-mail", "smtp", at["mail1"], 25, _SENDER)
    node("dovecot", "application", "mail boxes", "host-mail1")
    check("dovecot", "connect", "tcp", at["mail1"], 143)
    check("dovecot", "logon", "imap", at["mail1"], 143, {"user": "wang", "password_file": "mail.secret"})
    for client, server, port in (("app1", "mq1", 5672), ("app2", "db1", 5432)):
        name = f"path-{client}-{server}"
        node(name, "network", f"way from {client} to {server}", f"host-{client}", f"host-{server}")
        check(name, "reach", "http", at[client], AGENT_PORT,
              {"path": f"/reach?host={at[server]}&port={port}", "expect_status": "200"}, closure="local",
              timeout="2s")  # fmt: skip


def _regions(writer: _Writer) -> None:
    node, check, at = writer.node, writer.check, ADDRESS
    # A line works where both routers at its ends do; the addresses that answer for it are at its far end.
    node("accn", "network", "access router north")
    node("link-north-primary", "network", "line wan1 - north", "wan1", "accn", prior=_LINE_PRIOR)
    check("link-north-primary", "far-end", "icmp", "10.77.1.14", every=EVERY, slow_over=SLOW_ECHO)
    node("link-north-backup", "network", "line wan2 - north", "wan2", "accn", prior=_LINE_PRIOR)
    check("link-north-backup", "far-end", "icmp", "10.77.1.18", every=EVERY, slow_over=SLOW_ECHO)
    node("wan-north", "network", "ways to north", "link-north-primary", "link-north-backup", rollup="best")
    node("accs", "network", "access router south")
    node("link-south", "network", "line wan2 - south", "wan2", "accs", prior=_LINE_PRIOR)
    check("link-south", "far-end", "icmp", "10.77.1.22", every=EVERY, slow_over=SLOW_ECHO)
    check("link-south", "size", "mtu", "10.77.1.22", closure="local")
    for region in REGIONS:
        node(f"lan-{region}", "network", f"network of {region}", *_WAYS[region])
        check(f"lan-{region}", "gateway", "icmp", f"{at[region].rsplit('.', 1)[0]}.1", slow_over=SLOW_ECHO)
        node(region, "user", f"users of {region}", f"lan-{region}", region=region)
        check(region, "echo", "icmp", at[region], every=EVERY, slow_over=SLOW_ECHO)
        node(f"beacon-{region}", "application", f"beacon of {region}", f"lan-{region}")
        check(f"beacon-{region}", "alive", "http", at[region], BEACON_PORT, {"path": "/"}, closure="local")
        for name in BUSINESSES:
            node(f"{region}-{name}", "user", f"{name} for the users of {region}", name, region, f"beacon-{region}")
            check(f"{region}-{name}", "try", "http", at[region], BEACON_PORT,
                  {"path": f"/try/{name}", "expect_status": "200"}, closure="full", every=EVERY, timeout="4s",
                  slow_over="1500ms")  # fmt: skip


def _infrastructure(writer: _Writer) -> None:
    node, check, at = writer.node, writer.check, ADDRESS
    node("net-core", "network", "core router")
    check("net-core", "echo", "icmp", at["core"], every=EVERY, slow_over=SLOW_ECHO)
    for name in ("wan1", "wan2"):
        node(name, "network", f"router {name}", "net-core")
        check(name, "echo", "icmp", at[name], slow_over=SLOW_ECHO)
    for letter, switch in (("a", "sw1"), ("b", "sw2")):
        node(f"power-{letter}", "facility", f"power of rack {letter}")
        check(f"power-{letter}", "outlet", "http", at["pdu"], PDU_PORT,
              {"path": f"/rack-{letter}", "expect_text": "on"}, closure="own")  # fmt: skip
        node(switch, "network", f"switch of rack {letter}", "net-core", f"power-{letter}")
        check(switch, "echo", "icmp", at[switch], slow_over=SLOW_ECHO)
    for server in SERVERS:
        node(f"host-{server.name}", "host", f"host {server.name}", server.switch, f"power-{server.rack}")
        check(f"host-{server.name}", "echo", "icmp", server.address, slow_over=SLOW_ECHO)
        check(f"host-{server.name}", "uptime", "uptime", server.address, 161, {"community_file": "snmp.secret"})
