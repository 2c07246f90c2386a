"""What is broken in the enterprise, how, and what btimd should say: every fault with its repair and its true causes."""

import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bench.enterprise.hosts import run, wait_until
from bench.enterprise.plan import NAMES, PREFIX, ZONE, rack, wire_between
from bench.enterprise.servers import (
    ORDERS_LIMIT,
    PYTHON,
    change_password,
    postgres_folder,
    rabbit,
    restart_haproxy,
    sql,
    start_host,
    start_service,
    use_certificate,
    write_names,
)
from bench.enterprise.world import Enterprise

Change = Callable[[Enterprise], None]


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


def _killed(host: str, service: str, pattern: str) -> tuple[Change, Change]:
    def inject(world: Enterprise) -> None:
        assert world.machines[host].signal(pattern, signal.SIGKILL), f"no {pattern} on {host}"

    return inject, lambda world: start_service(world.machines, host, service)


def _hung(host: str, pattern: str) -> tuple[Change, Change]:
    def inject(world: Enterprise) -> None:
        assert world.machines[host].signal(pattern, signal.SIGSTOP), f"no {pattern} on {host}"

    def heal(world: Enterprise) -> None:
        world.machines[host].signal(pattern, signal.SIGCONT)

    return inject, heal


def _mood(host: str, text: str) -> tuple[Change, Change]:
    def inject(world: Enterprise) -> None:
        (world.machines[host].folder / "mood").write_text(text)

    def heal(world: Enterprise) -> None:
        (world.machines[host].folder / "mood").unlink()

    return inject, heal


def _postgres_slow() -> tuple[Change, Change]:
    """Every look at a table of the shop waits for a function, as a bad trigger or a missing index makes it."""

    def inject(world: Enterprise) -> None:
        sql(
            world.machines["db1"], "shop",
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM pg_sleep(1.1); RETURN NEW; END$$;"
            "CREATE TRIGGER slow BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION slow();",
        )  # fmt: skip

    return inject, lambda world: _quiet(sql, world.machines["db1"], "shop", "DROP FUNCTION slow() CASCADE")


def _quiet(work: Callable[..., object], *arguments: object) -> None:
    work(*arguments)


def _stuttering(host: str, pattern: str, *, stopped: float, running: float) -> tuple[Change, Change]:
    """Processes get too little of the processor: stopped and let go again and again, by a program beside them."""
    program = (
        "import os,signal,sys,time\n"
        "stopped,running=float(sys.argv[1]),float(sys.argv[2])\n"
        "def send(n):\n"
        " for p in sys.argv[3:]:\n"
        "  try: os.kill(int(p),n)\n"
        "  except OSError: pass\n"
        "signal.signal(signal.SIGTERM,lambda *_:(send(signal.SIGCONT),sys.exit()))\n"
        "while True:\n"
        " send(signal.SIGSTOP);time.sleep(stopped);send(signal.SIGCONT);time.sleep(running)\n"
    )
    started: list[subprocess.Popen[bytes]] = []

    def inject(world: Enterprise) -> None:
        processes = [str(process) for process in world.machines[host].processes(pattern)]
        assert processes, f"no {pattern} on {host}"
        started.append(subprocess.Popen([PYTHON, "-c", program, str(stopped), str(running), *processes]))

    def heal(world: Enterprise) -> None:
        while started:
            process = started.pop()
            process.terminate()
            process.wait(5)
        world.machines[host].signal(pattern, signal.SIGCONT)

    return inject, heal


def _session(statement: str, marker: str) -> tuple[Change, Change]:
    """A session of the shop's database that does something and stays."""

    def inject(world: Enterprise) -> None:
        host = world.machines["db1"]
        command = (
            f"(echo \"{statement}\"; sleep 600) | {postgres_folder()}/psql -h {host.folder}/disk -U postgres -d shop -q"
        )
        host.spawn(marker, "bash", "-c", f": {marker}; {command}")
        wait_until(
            lambda: sql(host, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'").strip()
            != "0",
            5,
            marker,
        )

    def heal(world: Enterprise) -> None:
        sql(world.machines["db1"], "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'")  # fmt: skip
        world.machines["db1"].signal(marker, signal.SIGKILL)
        world.machines["db1"].signal("sleep 600", signal.SIGKILL)

    return inject, heal


_REPORT: Final = """
import psycopg2, time
kept = []
while True:
    try:
        kept.append(psycopg2.connect(host="10.77.100.30", dbname="erp", user="erp", connect_timeout=2))
    except psycopg2.OperationalError:
        time.sleep(0.02)
"""


def _connections_used_up() -> tuple[Change, Change]:
    def inject(world: Enterprise) -> None:
        world.machines["app2"].spawn("report", PYTHON, "-c", f"# report job{_REPORT}")
        time.sleep(0.3)
        sql(world.machines["db1"], "postgres",
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shop'")  # fmt: skip

    def heal(world: Enterprise) -> None:
        world.machines["app2"].signal("report job", signal.SIGKILL)

    return inject, heal


def _disk_full(host: str) -> tuple[Change, Change]:
    def inject(world: Enterprise) -> None:
        folder = world.machines[host].folder / "disk"
        run("dd", "if=/dev/zero", f"of={folder}/filler", "bs=1M", check=False)

    def heal(world: Enterprise) -> None:
        (world.machines[host].folder / "disk/filler").unlink()
        if host == "db1":
            if not world.machines[host].listens(5432):
                start_service(world.machines, host, "postgres")
            sql(world.machines[host], "shop", "TRUNCATE orders")

    return inject, heal


def _certificate(file: str) -> tuple[Change, Change]:
    def install(name: str) -> Change:
        def change(world: Enterprise) -> None:
            use_certificate(world.machines["lb1"], name)
            restart_haproxy(world.machines["lb1"])

        return change

    return install(file), install("good")


def _names(**changed: str | None) -> tuple[Change, Change]:
    wanted = {
        name: address
        for name, address in (NAMES | {f"{name}.{ZONE}": address for name, address in changed.items()}).items()
        if address
    }
    return (
        lambda world: write_names(world.machines["dns1"], wanted),
        lambda world: write_names(world.machines["dns1"], NAMES),
    )  # fmt: skip


def _cut(one: str, other: str) -> tuple[Change, Change]:
    wire = wire_between(one, other)
    return (lambda world: world.machines.cut(wire)), (lambda world: world.machines.mend(wire))


def _inside(host: str, *command: str, check: bool = True) -> None:
    run("ip", "netns", "exec", PREFIX + host, *command, check=check)


def _rule(host: str, *rule: str, chain: str = "FORWARD") -> tuple[Change, Change]:
    """A rule of the packet filter."""

    def change(action: str) -> Change:
        return lambda world: _quiet(_inside, host, "iptables-legacy", "-w", action, chain, *rule)

    return change("-I"), change("-D")


def _both(*pairs: tuple[Change, Change]) -> tuple[Change, Change]:
    def inject(world: Enterprise) -> None:
        for first, _ in pairs:
            first(world)

    def heal(world: Enterprise) -> None:
        for _, second in reversed(pairs):
            second(world)

    return inject, heal


def _narrow(host: str, port: str, rate: str) -> tuple[Change, Change]:
    def inject(world: Enterprise) -> None:
        del world
        _inside(host, "tc", "qdisc", "add", "dev", port, "root", "tbf", "rate", rate, "burst", "3000", "latency", "900ms")

    return inject, lambda world: _quiet(_inside, host, "tc", "qdisc", "del", "dev", port, "root")


def _small_packets(host: str, port: str) -> tuple[Change, Change]:
    """The line takes small packets only, and the router that would say so is not heard."""
    silent_in, silent_out = _rule(host, "-p", "icmp", "--icmp-type", "fragmentation-needed", "-j", "DROP", chain="OUTPUT")

    def inject(world: Enterprise) -> None:
        silent_in(world)
        _inside(host, "ip", "link", "set", port, "mtu", "900")

    def heal(world: Enterprise) -> None:
        _inside(host, "ip", "link", "set", port, "mtu", "1500")
        silent_out(world)

    return inject, heal


def _route_gone(host: str, route: str) -> tuple[Change, Change]:
    def inject(world: Enterprise) -> None:
        del world
        run("ip", "-n", PREFIX + host, "route", "del", *route.split())
        run("ip", "-n", PREFIX + host, "route", "add", "unreachable", route.split()[0])

    def heal(world: Enterprise) -> None:
        run("ip", "-n", PREFIX + host, "route", "del", "unreachable", route.split()[0])
        world.machines.routes(host)

    return inject, heal


def _host_down(*hosts: str) -> tuple[Change, Change]:
    def inject(world: Enterprise) -> None:
        for host in hosts:
            world.machines.ports(host, up=False)
            world.machines[host].power_off()

    def heal(world: Enterprise) -> None:
        for host in hosts:
            world.machines[host].power_on()
            world.machines.ports(host, up=True)
        for host in hosts:
            start_host(world.machines, host)
        for host in hosts:  # routes of the neighbours went with their interfaces
            for neighbour in ("core", "wan1", "wan2", "accn", "accs"):
                if neighbour not in hosts:
                    world.machines.routes(neighbour)

    return inject, heal


def _power(letter: str) -> tuple[Change, Change]:
    switch = {"a": "sw1", "b": "sw2"}[letter]
    dark, light = _host_down(switch, *rack(letter))

    def switch_file(world: Enterprise) -> Path:
        return world.machines["pdu"].folder / f"off-{letter}"

    def inject(world: Enterprise) -> None:
        switch_file(world).touch()
        dark(world)

    def heal(world: Enterprise) -> None:
        switch_file(world).unlink()
        light(world)

    return inject, heal


def _queue_full() -> tuple[Change, Change]:
    """The warehouse hangs and takes nothing any more; orders pile up until the queue refuses them."""
    stop, go = _hung("app1", "worker.py")
    filler = (
        "import amqp\n"
        "with amqp.Connection('10.77.101.50:5672') as c:\n"
        " ch = c.channel()\n"
        f" for _ in range({ORDERS_LIMIT + 50}): ch.basic_publish(amqp.Message('order'), routing_key='orders')\n"
    )

    def inject(world: Enterprise) -> None:
        stop(world)
        world.machines["app1"].run(PYTHON, "-c", filler)

    return inject, go


def _memory_alarm() -> tuple[Change, Change]:
    def set_to(value: str) -> Change:
        def change(world: Enterprise) -> None:
            host = world.machines["mq1"]
            host.run(*rabbit(host, f"/usr/lib/rabbitmq/bin/rabbitmqctl -q set_vm_memory_high_watermark {value}"))

        return change

    return set_to("0.00001"), set_to("0.4")


def _password(name: str) -> tuple[Change, Change]:
    return (
        lambda world: change_password(world.machines["ldap1"], name, "rotated"),
        lambda world: change_password(world.machines["ldap1"], name, f"{name}-secret"),
    )


def _make(
    name: str, kind: str, title: str, causes: str, felt: str, changes: tuple[Change, Change]
) -> Fault:  # fmt: skip
    """causes: `a/b, c` is two causes, the first may be called a or b."""
    parsed = tuple(tuple(cause.split("/")) for cause in causes.split(", "))
    return Fault(name, kind, title, parsed, felt, *changes)


_SHOP, _ERP, _MAIL, _LOGON = "shop fails", "ERP fails", "mail fails", "log-on fails"
_TABLE: Final = (
    _make("postgres-killed", "process killed", "PostgreSQL is killed", "postgres", f"{_SHOP}, {_ERP}",
          _killed("db1", "postgres", "postgres")),
    _make("redis-killed", "process killed", "Redis is killed", "redis", _SHOP, _killed("cache1", "redis", "redis-server")),
    _make("haproxy-killed", "process killed", "the load balancer is killed", "haproxy", _SHOP,
          _killed("lb1", "haproxy", "haproxy -db")),
    _make("erp-killed", "process killed", "the ERP application is killed", "erp-app", _ERP, _killed("app2", "erp", "erp.py")),
    _make("rabbit-killed", "process killed", "RabbitMQ is killed", "rabbit", _SHOP, _killed("mq1", "rabbitmq", "beam.smp")),
    _make("shop-hung", "process hung", "the shop application hangs", "shop-app", _SHOP, _hung("app1", "shop.py")),
    _make("postgres-hung", "process hung", "PostgreSQL hangs", "postgres", f"{_SHOP}, {_ERP}", _hung("db1", "postgres")),
    _make("redis-hung", "process hung", "Redis hangs", "redis", _SHOP, _hung("cache1", "redis-server")),
    _make("erp-slow", "slow", "the ERP application is slow", "erp-app", "ERP is slow", _mood("app2", '{"slow": 1.4}')),
    _make("orders-slow", "slow", "a trigger makes orders slow", "db-shop/postgres", "shop is slow", _postgres_slow()),
    _make("postgres-starved", "slow", "PostgreSQL gets too little processor", "postgres", "shop and ERP are slow",
          _stuttering("db1", "postgres", stopped=1.2, running=0.02)),
    _make("database-disk-full", "disk full", "the database's file system is full", "disk-db1", _SHOP, _disk_full("db1")),
    _make("mail-disk-full", "disk full", "the mail spool is full", "disk-mail1", _MAIL, _disk_full("mail1")),
    _make("erp-error", "wrong answer", "the ERP application answers 500", "erp-app", _ERP, _mood("app2", '{"error": 1}')),
    _make("shop-wrong-page", "wrong answer", "the shop answers 200 with another page", "shop-app", _SHOP,
          _mood("app1", '{"wrong": 1}')),
    _make("certificate-expired", "certificate", "the shop's certificate has expired", "shop-cert", _SHOP,
          _certificate("expired")),
    _make("certificate-other-name", "certificate", "the shop has another name's certificate", "shop-cert", _SHOP,
          _certificate("other-name")),
    _make("record-gone", "DNS record", "the shop's name is gone", "name-shop", _SHOP, _names(shop=None)),
    _make("record-wrong", "DNS record", "the ERP's name leads elsewhere", "name-erp", _ERP, _names(erp="10.77.100.11")),
    _make("dns-killed", "name server", "the name server is killed", "dnsmasq", "everything fails",
          _killed("dns1", "dnsmasq", "dnsmasq")),
    _make("dns-hung", "name server", "the name server hangs", "dnsmasq", "everything fails", _hung("dns1", "dnsmasq")),
    _make("orders-locked", "database lock", "a transaction holds the table of orders", "db-shop/postgres", _SHOP,
          _session("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE;", "lockholder")),
    _make("connections-used-up", "database connections", "a report uses all connections up", "postgres", f"{_SHOP}, {_ERP}",
          _connections_used_up()),
    _make("queue-full", "queue full", "the warehouse hangs, the queue refuses orders", "warehouse", _SHOP, _queue_full()),
    _make("queue-memory", "queue full", "RabbitMQ blocks publishers (memory alarm)", "rabbit", _SHOP, _memory_alarm()),
    _make("account-changed", "directory", "the ERP's account has another password", "account-erp", _ERP, _password("erp")),
    _make("slapd-killed", "directory", "the directory server is killed", "slapd", f"{_ERP}, {_LOGON}",
          _killed("ldap1", "slapd", "slapd -d")),
    _make("slapd-hung", "directory", "the directory server hangs", "slapd", f"{_ERP}, {_LOGON}", _hung("ldap1", "slapd -d")),
    _make("imap-killed", "mail", "the mail boxes are gone", "dovecot", _MAIL, _killed("mail1", "dovecot", "dovecot")),
    _make("smtp-hung", "mail", "mail transport hangs", "postfix", _MAIL, _hung("mail1", "postfix")),
    _make("web1-killed", "cluster member", "one of two web servers is killed", "nginx1", "", _killed("web1", "nginx", "nginx")),
    _make("web1-host-down", "cluster member", "the host of a web server is down", "host-web1", "", _host_down("web1")),
    _make("both-webs-killed", "two at once", "both web servers are killed", "nginx1, nginx2", _SHOP,
          _both(_killed("web1", "nginx", "nginx"), _killed("web2", "nginx", "nginx"))),
    _make("database-unplugged", "link down", "the database host's cable is pulled", "host-db1", f"{_SHOP}, {_ERP}",
          _cut("sw1", "db1")),
    _make("south-cut", "link down", "the line to south is cut", "link-south", "all fails in south", _cut("wan2", "accs")),
    _make("south-lossy", "link lossy", "the line to south loses half of its packets", "link-south", "south is slow, fails",
          _rule("wan2", "-o", "to-accs", "-m", "statistic", "--mode", "random", "--probability", "0.5", "-j", "DROP")),
    _make("south-narrow", "link slow", "the line to south has 100 kbit/s", "link-south", "south is slow",
          _narrow("wan2", "to-accs", "100kbit")),
    _make("south-route-gone", "route gone", "wan2 lost its route to south", "lan-south/wan2", "all fails in south",
          _route_gone("wan2", "10.77.20.0/24 via 10.77.1.22")),
    _make("firewall-drops", "firewall drop", "the core drops the shop's way to its queue", "path-app1-mq1", _SHOP,
          _rule("core", "-s", "10.77.100.20", "-d", "10.77.101.50", "-p", "tcp", "--dport", "5672", "-j", "DROP")),
    _make("firewall-drops-north", "firewall drop", "the core drops north's way to the shop", "north-shop", "shop fails in north",
          _rule("core", "-s", "10.77.10.0/24", "-d", "10.77.100.10", "-p", "tcp", "--dport", "443", "-j", "DROP")),
    _make("firewall-rejects", "firewall reject", "the core rejects the ERP's way to its database", "path-app2-db1", _ERP,
          _rule("core", "-s", "10.77.101.21", "-d", "10.77.100.30", "-p", "tcp", "--dport", "5432", "-j", "REJECT",
                "--reject-with", "icmp-admin-prohibited")),
    _make("packet-size", "MTU black hole", "the line to south takes small packets only", "link-south", "pages fail in south",
          _small_packets("wan2", "to-accs")),
    _make("database-host-down", "host down", "the database host is off", "host-db1", f"{_SHOP}, {_ERP}", _host_down("db1")),
    _make("erp-host-down", "host down", "the ERP's host is off", "host-app2", _ERP, _host_down("app2")),
    _make("switch-down", "switch down", "the switch of rack b is off", "sw2", "everything fails", _host_down("sw2")),
    _make("rack-b-dark", "power", "rack b has no power", "power-b", "everything fails", _power("b")),
    _make("wan2-down", "router down", "the router of south is off", "wan2", "all fails in south", _host_down("wan2")),
    _make("access-north-down", "router down", "the access router of north is off", "accn", "all fails in north",
          _host_down("accn")),
    _make("backup-dead", "silent", "north's backup line is cut", "link-north-backup", "", _cut("wan2", "accn")),
    _make("primary-dead", "silent", "north's first line is cut, the second carries", "link-north-primary", "",
          _cut("wan1", "accn")),
    _make("redis-and-slapd", "two at once", "Redis and the directory are killed", "redis, slapd", f"{_SHOP}, {_ERP}, {_LOGON}",
          _both(_killed("cache1", "redis", "redis-server"), _killed("ldap1", "slapd", "slapd -d"))),
    _make("certificate-and-erp", "two at once", "certificate expired, ERP answers 500", "shop-cert, erp-app",
          f"{_SHOP}, {_ERP}", _both(_certificate("expired"), _mood("app2", '{"error": 1}'))),
    _make("south-and-imap", "two at once", "line to south cut, mail boxes gone", "link-south, dovecot",
          f"all fails in south, {_MAIL}", _both(_cut("wan2", "accs"), _killed("mail1", "dovecot", "dovecot"))),
    _make("queue-and-erp-host", "two at once", "RabbitMQ killed, ERP's host off", "rabbit, host-app2", f"{_SHOP}, {_ERP}",
          _both(_killed("mq1", "rabbitmq", "beam.smp"), _host_down("app2"))),
)  # fmt: skip
FAULTS: Final = {fault.name: fault for fault in _TABLE}
