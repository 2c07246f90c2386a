"""Ways to break the enterprise: each returns what breaks it and what repairs it."""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.enterprise.hosts import run, wait_until
from bench.enterprise.plan import NAMES, PREFIX, ROUTERS, ZONE, rack, wire_between
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
Way = tuple[Change, Change]
"""What breaks something, and what repairs it."""


def killed(host: str, service: str, pattern: str) -> Way:
    def inject(world: Enterprise) -> None:
        assert world.machines[host].signal(pattern, signal.SIGKILL), f"no {pattern} on {host}"

    return inject, lambda world: start_service(world.machines, host, service)


def hung(host: str, pattern: str) -> Way:
    def inject(world: Enterprise) -> None:
        assert world.machines[host].signal(pattern, signal.SIGSTOP), f"no {pattern} on {host}"

    def heal(world: Enterprise) -> None:
        world.machines[host].signal(pattern, signal.SIGCONT)

    return inject, heal


def hung_until_restart(host: str, service: str, pattern: str) -> Way:
    """Stop the processes of a server; it is repaired by a restart."""
    inject, _ = hung(host, pattern)

    def heal(world: Enterprise) -> None:
        world.machines[host].signal(pattern, signal.SIGKILL)
        start_service(world.machines, host, service)

    return inject, heal


def mood(host: str, text: str) -> Way:
    def inject(world: Enterprise) -> None:
        (world.machines[host].folder / "mood").write_text(text)

    def heal(world: Enterprise) -> None:
        (world.machines[host].folder / "mood").unlink()

    return inject, heal


def postgres_slow() -> Way:
    """Every look at a table of the shop waits for a function, as a bad trigger or a missing index makes it."""

    def inject(world: Enterprise) -> None:
        sql(
            world.machines["db1"], "shop",
            "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN PERFORM pg_sleep(1.35); RETURN NEW; END$$;"
            "CREATE TRIGGER slow BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION slow();",
        )  # fmt: skip

    return inject, lambda world: _quiet(sql, world.machines["db1"], "shop", "DROP FUNCTION slow() CASCADE")


def _quiet(work: Callable[..., object], *arguments: object) -> None:
    work(*arguments)


def stuttering(host: str, pattern: str, *, stopped: float, running: float) -> Way:
    """Give processes too little of the processor: stop them and let them go again and again."""
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


def held_transaction(statement: str, marker: str) -> Way:
    """Let a session of the shop's database do something and stay."""

    def inject(world: Enterprise) -> None:
        host = world.machines["db1"]
        command = (
            f'(echo "{statement}"; sleep 600) | {postgres_folder()}/psql -h {host.folder}/disk -U postgres -d shop -q'
        )
        host.spawn(marker, "bash", "-c", f": {marker}; {command}")
        wait_until(
            lambda: (
                sql(
                    host, "postgres", "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle in transaction'"
                ).strip()
                != "0"
            ),
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


def connections_used_up() -> Way:
    def inject(world: Enterprise) -> None:
        world.machines["app2"].spawn("report", PYTHON, "-c", f"# report job{_REPORT}")
        for _ in range(20):  # until the report was quicker than the shop
            time.sleep(0.2)
            sql(world.machines["db1"], "postgres",
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'shop'")  # fmt: skip
            time.sleep(0.1)
            left = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'shop'"
            if sql(world.machines["db1"], "postgres", left).strip() == "0":
                return
        raise RuntimeError("the shop kept its connections")

    def heal(world: Enterprise) -> None:
        world.machines["app2"].signal("report job", signal.SIGKILL)

    return inject, heal


def disk_full(host: str) -> Way:
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


def certificate(file: str) -> Way:
    def install(name: str) -> Change:
        def change(world: Enterprise) -> None:
            use_certificate(world.machines["lb1"], name)
            restart_haproxy(world.machines["lb1"])

        return change

    return install(file), install("good")


def names(**changed: str | None) -> Way:
    wanted = {
        name: address
        for name, address in (NAMES | {f"{name}.{ZONE}": address for name, address in changed.items()}).items()
        if address
    }
    return (
        lambda world: write_names(world.machines["dns1"], wanted),
        lambda world: write_names(world.machines["dns1"], NAMES),
    )  # fmt: skip


def pulled(one: str, other: str) -> Way:
    wire = wire_between(one, other)
    return (lambda world: world.machines.cut(wire)), (lambda world: world.machines.mend(wire))


def _inside(host: str, *command: str, check: bool = True) -> None:
    run("ip", "netns", "exec", PREFIX + host, *command, check=check)


def filtered(host: str, *rule: str, chain: str = "FORWARD") -> Way:
    """Add a rule to the packet filter."""

    def change(action: str) -> Change:
        return lambda _world: _quiet(_inside, host, "iptables-legacy", "-w", action, chain, *rule)

    return change("-I"), change("-D")


def together(*pairs: tuple[Change, Change]) -> Way:
    def inject(world: Enterprise) -> None:
        for first, _ in pairs:
            first(world)

    def heal(world: Enterprise) -> None:
        for _, second in reversed(pairs):
            second(world)

    return inject, heal


def narrow(host: str, port: str, rate: str) -> Way:
    def inject(world: Enterprise) -> None:
        del world
        _inside(
            host, "tc", "qdisc", "add", "dev", port, "root", "tbf", "rate", rate, "burst", "3000", "latency", "900ms"
        )

    return inject, lambda _world: _quiet(_inside, host, "tc", "qdisc", "del", "dev", port, "root")


def small_packets(host: str, port: str) -> Way:
    """Let a line take small packets only, and the router that would say so not be heard."""
    silent_in, silent_out = filtered(
        host, "-p", "icmp", "--icmp-type", "fragmentation-needed", "-j", "DROP", chain="OUTPUT"
    )

    def inject(world: Enterprise) -> None:
        silent_in(world)
        _inside(host, "ip", "link", "set", port, "mtu", "900")

    def heal(world: Enterprise) -> None:
        _inside(host, "ip", "link", "set", port, "mtu", "1500")
        silent_out(world)

    return inject, heal


def route_gone(host: str, route: str) -> Way:
    def inject(world: Enterprise) -> None:
        del world
        run("ip", "-n", PREFIX + host, "route", "del", *route.split())
        run("ip", "-n", PREFIX + host, "route", "add", "unreachable", route.split(maxsplit=1)[0])

    def heal(world: Enterprise) -> None:
        run("ip", "-n", PREFIX + host, "route", "del", "unreachable", route.split(maxsplit=1)[0])
        world.machines.routes(host)

    return inject, heal


def host_down(*hosts: str) -> Way:
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
        for neighbour in ROUTERS:  # their routes went with the interfaces
            if neighbour not in hosts:
                world.machines.routes(neighbour)

    return inject, heal


def power(letter: str) -> Way:
    switch = {"a": "sw1", "b": "sw2"}[letter]
    dark, light = host_down(switch, *rack(letter))

    def switch_file(world: Enterprise) -> Path:
        return world.machines["pdu"].folder / f"off-{letter}"

    def inject(world: Enterprise) -> None:
        switch_file(world).touch()
        dark(world)

    def heal(world: Enterprise) -> None:
        switch_file(world).unlink()
        light(world)

    return inject, heal


def queue_full() -> Way:
    """Let the warehouse hang: orders pile up until the queue refuses them."""
    stop, go = hung("app1", "worker.py")
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


def memory_alarm() -> Way:
    def set_to(value: str) -> Change:
        def change(world: Enterprise) -> None:
            host = world.machines["mq1"]
            host.run(*rabbit(host, f"/usr/lib/rabbitmq/bin/rabbitmqctl -q set_vm_memory_high_watermark {value}"))

        return change

    return set_to("0.00001"), set_to("0.4")


def password(name: str) -> Way:
    return (
        lambda world: change_password(world.machines["ldap1"], name, "rotated"),
        lambda world: change_password(world.machines["ldap1"], name, f"{name}-secret"),
    )
