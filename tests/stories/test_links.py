"""One transfer over two routers, each with an exporter: it counts once per business, and at both hops for links."""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from btimd.capture.wire.decoder import FlowDecoder
from btimd.flows.attribution import Attribution
from btimd.flows.duplicates import DuplicateLimits, Duplicates
from btimd.flows.links import LinkTap
from btimd.flows.linktables import LinkLimits
from btimd.flows.topologyview import TopologyDesk
from btimd.model.address import Prefix
from btimd.model.datagrams import DatagramBlock
from btimd.model.flowbatch import FlowBatch
from btimd.model.ipplan import IpPlan
from btimd.model.ports import Exporter
from btimd.model.service import ServiceRule
from btimd.model.topology import DeviceFacts, FactSource, InterfaceFacts, InterfaceLoad, NeighbourFacts
from btimd.probes.inventory import Inventory
from btimd.probes.settings import SnmpDefaultSettings
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.probes import snmpagents
from tests.programs import need_as_root

pytestmark = [pytest.mark.net, pytest.mark.real_server, pytest.mark.slow]

SERVER, PORT = "10.97.3.2", 8097
CHUNK, CHUNKS = 4_000, 50
OCTETS = CHUNK * CHUNKS
TCP = 6
HOPS = ("client", "r1", "r2", "server")
COLLECTOR_PORT = 29_955
ETHERNET_OCTETS = 14
SPEED = 10_000_000


@dataclass
class Network:
    """client - r1 - r2 - server, each a namespace; r1 and r2 reach this machine over wires of their own."""

    folder: Path
    names: dict[str, str] = field(default_factory=dict)

    def inside(self, host: str, *command: str) -> list[str]:
        """Return a command that runs in the namespace of a host."""
        return ["ip", "netns", "exec", self.names[host], *command]

    def run(self, *command: str) -> str:
        """Run a command to its end."""
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def index(self, host: str, interface: str) -> int:
        """Return the ifIndex of an interface."""
        return int(self.run(*self.inside(host, "cat", f"/sys/class/net/{interface}/ifindex")))

    def counter(self, host: str, interface: str, name: str) -> int:
        """Return what the kernel counted on an interface, in octets of IP packets."""
        base = f"/sys/class/net/{interface}/statistics"
        octets, packets = (
            int(self.run(*self.inside(host, "cat", f"{base}/{name}_{unit}"))) for unit in ("bytes", "packets")
        )
        return octets - ETHERNET_OCTETS * packets


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    need_as_root("ip", "ethtool", "softflowd", "pmacctd", "snmpd", "sysctl")
    made = Network(tmp_path_factory.mktemp("links"), {host: f"btimd-{host}-{os.getpid() % 10_000}" for host in HOPS})
    with contextlib.ExitStack() as stack:
        for name in made.names.values():
            made.run("ip", "netns", "add", name)
            stack.callback(made.run, "ip", "netns", "delete", name)
        for at, (left, right) in enumerate(pairwise(HOPS), start=1):
            ends = (f"to-{right}", f"to-{left}")
            made.run("ip", "link", "add", ends[0], "netns", made.names[left], "type", "veth", "peer", "name", ends[1],
                     "netns", made.names[right])  # fmt: skip
            for host, end, last in ((left, ends[0], 1), (right, ends[1], 2)):
                made.run(*made.inside(host, "sysctl", "-qw", f"net.ipv6.conf.{end}.disable_ipv6=1"))
                made.run(*made.inside(host, "ip", "address", "add", f"10.97.{at}.{last}/24", "dev", end))
                made.run(
                    *made.inside(host, "ethtool", "-K", end, "tx", "off", "tso", "off", "gso", "off", "gro", "off")
                )
                made.run(*made.inside(host, "ip", "link", "set", end, "up"))
        for at, host in enumerate(("r1", "r2"), start=1):
            wire = f"bt{os.getpid() % 10_000}m{at}"
            made.run("ip", "link", "add", wire, "type", "veth", "peer", "name", "mgmt", "netns", made.names[host])
            stack.callback(subprocess.run, ["ip", "link", "delete", wire], capture_output=True, check=False)
            made.run("ip", "address", "add", f"198.18.{at}.1/30", "dev", wire)
            made.run("ip", "link", "set", wire, "up")
            made.run(*made.inside(host, "ip", "address", "add", f"198.18.{at}.2/30", "dev", "mgmt"))
            made.run(*made.inside(host, "ip", "link", "set", "mgmt", "up"))
            made.run(*made.inside(host, "sysctl", "-qw", "net.ipv4.ip_forward=1"))
        for host, gateway in (
            ("client", "10.97.1.2"),
            ("r1", "10.97.2.2"),
            ("r2", "10.97.2.1"),
            ("server", "10.97.3.1"),
        ):
            made.run(*made.inside(host, "ip", "route", "add", "default", "via", gateway))
        yield made


@contextlib.contextmanager
def softflowd(network: Network) -> Iterator[None]:
    """Meter what r1 gets from the client, and sends there, as interface 2."""
    control = str(network.folder / "softflowd.ctl")
    command = ["softflowd", "-i", "2:to-client", "-n", "198.18.1.1:29955", "-v", "9", "-d", "-c", control,
               "-p", str(network.folder / "softflowd.pid")]  # fmt: skip
    with subprocess.Popen(
        network.inside("r1", *command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            wait_until(lambda: Path(control).exists())
            yield
            read_all(network, control)
            network.run("softflowctl", "-c", control, "shutdown")
            process.wait(PATIENCE_SECONDS)
        finally:
            process.kill()


def read_all(network: Network, control: str) -> None:
    """Let softflowd read what libpcap holds for it, which it gets by blocks of the ring: when one is full."""

    def packets(*names: str) -> int:
        told = network.run("softflowctl", "-c", control, "statistics")
        return sum(int(told.split(f"{name}: ")[1].split()[0]) for name in names)

    wanted = packets("Packets received by libpcap")
    fill = "import socket; s=socket.socket(2, 2); [s.sendto(bytes(1400), ('10.97.1.2', 9)) for _ in range(600)]"

    def is_read() -> bool:
        network.run(*network.inside("client", sys.executable, "-c", fill))
        return packets("Packets processed", "Ignored packets") >= wanted

    wait_until(is_read)


@contextlib.contextmanager
def pmacctd(network: Network) -> Iterator[None]:
    """Meter what comes in to r2, from r1 and from the server, under the numbers the kernel gave these interfaces."""
    configuration, interfaces = network.folder / "pmacctd.conf", network.folder / "interfaces.map"
    ports = ("to-r1", "to-server")
    interfaces.write_text(
        "".join(f"ifindex={network.index('r2', port)} ifname={port} direction=in\n" for port in ports)
    )
    settings = {
        "daemonize": "false", "pcap_interfaces_map": str(interfaces), "pcap_ifindex": "map", "plugins": "nfprobe[x]",
        "nfprobe_receiver": "198.18.2.1:29955", "nfprobe_version": "10",
        "nfprobe_timeouts": ":".join(f"{name}=1" for name in ("tcp", "tcp.rst", "tcp.fin", "general", "maxlife", "expint")),
        "aggregate": "src_host,dst_host,src_port,dst_port,proto,tos,in_iface",
    }  # fmt: skip
    configuration.write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
    with subprocess.Popen(
        network.inside("r2", "pmacctd", "-f", str(configuration)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            assert process.stdout is not None
            listening = 0
            for line in process.stdout:
                listening += b"link type" in line
                if listening == 2:
                    break
            yield
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=PATIENCE_SECONDS)
        finally:
            process.kill()


def transfer(network: Network) -> None:
    """Let the client get something from the server."""
    serve = (
        f"import socket; s=socket.create_server(('{SERVER}',{PORT})); print('up', flush=True); c,_=s.accept();"
        f" c.recv(100); import time; [(c.sendall(bytes({CHUNK})), time.sleep(0.004)) for _ in range({CHUNKS})]; c.close()"
    )
    get = (
        f"import socket; c=socket.create_connection(('{SERVER}',{PORT})); c.sendall(b'get');"
        f" n=sum(iter(lambda: len(c.recv(65536)), 0)); assert n=={OCTETS}, n"
    )
    with subprocess.Popen(network.inside("server", sys.executable, "-c", serve), stdout=subprocess.PIPE) as server:
        try:
            assert server.stdout is not None
            server.stdout.readline()
            network.run(*network.inside("client", sys.executable, "-c", get))
            server.wait(PATIENCE_SECONDS)
        finally:
            server.kill()


@dataclass
class Collector:
    """Keeps what the routers' exporters send."""

    socket: socket.socket
    datagrams: list[tuple[bytes, str]] = field(default_factory=list)
    decoder: FlowDecoder = field(default_factory=FlowDecoder)

    def receive(self) -> None:
        """Receive until it is silent."""
        with contextlib.suppress(TimeoutError):
            while True:
                data, source = self.socket.recvfrom(65_535)
                self.datagrams.append((data, source[0]))

    def decoded(self, now: int) -> FlowBatch:
        """Return what the datagrams say."""
        count = len(self.datagrams)
        sources = [0xFFFF_0000_0000 | int.from_bytes(socket.inet_aton(source)) for _, source in self.datagrams]
        return self.decoder.decode(
            DatagramBlock(
                slab=np.frombuffer(b"".join(data for data, _ in self.datagrams), np.uint8),
                offsets=np.cumsum([0, *(len(data) for data, _ in self.datagrams)], dtype=np.int64),
                source_hi=np.zeros(count, np.uint64),
                source_lo=np.array(sources, np.uint64),
                source_port=np.full(count, 9995, np.uint16),
                arrival_milliseconds=np.full(count, now, np.int64),
            )
        )


def facts(network: Network, at: int) -> DeviceFacts:
    """Return what r1 would tell by SNMP: its interfaces with the kernel's counters, and its neighbour."""
    ports = tuple(
        InterfaceFacts(
            index,
            link,
            speed=SPEED,
            in_octets=network.counter("r1", link, "rx"),
            out_octets=network.counter("r1", link, "tx"),
        )
        for link, index in {"to-client": 2, "to-r2": 3}.items()
    )
    neighbour = NeighbourFacts(FactSource.LLDP, 3, name="r2", port="to-r1")
    return DeviceFacts("r1", "198.18.1.2", at, uptime_seconds=9e5, interfaces=ports, neighbours=(neighbour,))


@contextlib.contextmanager
def snmpd(network: Network) -> Iterator[int]:
    """Run snmpd on r2; yields its port."""
    port, configuration = 16_161, network.folder / "snmpd.conf"
    configuration.write_text(f"agentAddress udp:198.18.2.2:{port}\nrocommunity public\n")
    command = ["snmpd", "-f", "-Lf", str(network.folder / "snmpd.log"), "-C", "-c", str(configuration)]
    environment = {**os.environ, "SNMP_PERSISTENT_DIR": str(network.folder / "persistent"), "MIBS": ""}
    with subprocess.Popen(
        network.inside("r2", *command), env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield port
        finally:
            process.kill()


def asked(network: Network, port: int, at: int) -> DeviceFacts:
    """Return what r2 tells by SNMP, as if that had been at this time, once it tells what the kernel has counted now."""
    wanted = int(network.run(*network.inside("r2", "cat", "/sys/class/net/to-r1/statistics/rx_bytes")))

    def counted(told: DeviceFacts) -> int:
        return max((one.in_octets or 0 for one in told.interfaces if one.name == "to-r1"), default=-1)

    async def ask() -> DeviceFacts:
        target = replace(snmpagents.target(port, name="r2"), address="198.18.2.2")
        inventory = Inventory(
            settings=SnmpDefaultSettings(), targets=(), metrics=Metrics(), clock=SystemClock(), log=Log("snmp"),
            on_facts=lambda _: None,
        )  # fmt: skip
        await inventory.start()
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                while counted(told := await inventory.ask_once(target)) < wanted:
                    pass  # it counts anew every 3 s
        finally:
            await inventory.stop()
        return told

    told = asyncio.run(ask())
    ports = tuple(replace(one, counters_at=at) for one in told.interfaces)
    return replace(told, at=at, uptime_seconds=9e5, interfaces=ports)


def shifted(flows: FlowBatch, milliseconds: int) -> FlowBatch:
    """Return the records as if they had been that much later."""
    times = ("flow_start_milliseconds", "flow_end_milliseconds")
    return FlowBatch({**flows.columns, **{name: flows[name] + milliseconds for name in times}})


def carried(loads: Sequence[InterfaceLoad], business: str) -> dict[str, int]:
    """Return the octets of a business by direction."""
    return {load.direction: sum(one.octets for one in load.shares if one.business == business) for load in loads}


@pytest.fixture(scope="module")
def told(network: Network) -> tuple[FlowBatch, TopologyDesk]:
    """Let the transfer happen; return what exporters told, and what comes of it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.settimeout(1.0)
        receiver.bind(("0.0.0.0", COLLECTOR_PORT))  # both wires end here
        collector = Collector(receiver)
        began = time.time_ns() // 1_000_000
        minute = began - began % 60_000 + 5_000  # so that the transfer does not go on into the next one
        with snmpd(network) as port, softflowd(network), pmacctd(network):
            before = [facts(network, minute), asked(network, port, minute)]
            transfer(network)
            after = [facts(network, minute + 60_000), asked(network, port, minute + 60_000)]
            collector.receive()  # exporters look at their wires now and then
        collector.receive()
    flows = shifted(collector.decoded(began), minute - began)
    rule = ServiceRule("erp-1", ("erp",), Prefix.parse(f"{SERVER}/32"), 6, PORT, PORT)
    attribution = Attribution(IpPlan.empty(), (rule,), ("erp",), 1)
    exporters = [
        Exporter(one.id, one.address, one.version, (), 1, 1, 0, 1, 1, began, began)
        for one in collector.decoder.exporters()
    ]
    desk = TopologyDesk(lambda: exporters, lambda: minute + 60_000, servers=lambda _: (rule.server,))
    for one in (*before, *after):
        desk.take_facts(one)
    tap = LinkTap(desk.take, LinkLimits(max_interfaces=16, max_cells=64))
    duplicate = Duplicates(DuplicateLimits(mode="on")).mark(flows, minute)
    tap.add(attribution.attribute(flows), duplicate, attribution.names, minute + 40_000)
    tap.flush()
    return flows, desk


def test_a_transfer_over_two_routers_counts_once_for_the_business_and_at_both_hops(
    told: tuple[FlowBatch, TopologyDesk],
) -> None:
    flows, desk = told
    reported = int(flows["octet_delta_count"][flows["protocol_identifier"] == TCP].sum())
    rows = desk.duplication(business="erp", exporter="*", limit=9)
    counted = sum(row.counted_octets for row in rows)
    assert counted + sum(row.duplicate_octets for row in rows) == reported
    assert counted > OCTETS
    assert reported / counted == pytest.approx(2, rel=0.02)

    (between,) = desk.links(device="r2", interface="to-r1", business="erp", limit=9)
    assert (between.id, between.device, between.far_device, between.sources, between.ambiguous) == (
        "r1:to-r2--r2:to-r1", "r2", "r1", (FactSource.LLDP,), False,
    )  # fmt: skip
    (first,) = desk.links(device="r1", interface="to-client", business="erp", limit=9)
    (last,) = desk.links(device="r2", interface="to-server", business="erp", limit=9)
    at_r1, asked, answered = (carried(line.loads, "erp") for line in (first, between, last))
    assert at_r1["in"] == pytest.approx(asked["in"], rel=0.02)  # each way at both routers
    assert at_r1["out"] == pytest.approx(answered["in"], rel=0.02)
    assert sum(at_r1.values()) == pytest.approx(counted, rel=0.02)
    # What the kernel counted on r1's interface; what came in there then was also what let softflowd read.
    assert first.loads[1].flow_coverage == pytest.approx(1.0, rel=0.05)
    assert first.loads[1].utilisation == pytest.approx(OCTETS * 8 / 60 / SPEED, rel=0.1)


def test_what_snmpd_measures_is_what_flow_records_explain(told: tuple[FlowBatch, TopologyDesk]) -> None:
    (line,) = told[1].links(device="r2", interface="to-server", business="erp", limit=9)
    into = line.loads[0]
    measured = into.measured_bits_per_second
    assert measured is not None
    assert measured == pytest.approx(OCTETS * 8 / 60, rel=0.1)
    assert into.flow_coverage == pytest.approx(1.0, rel=0.05)  # frames are 14 octets longer than packets
    assert into.utilisation == measured / line.speed
    (erp,) = into.shares
    assert erp.business == "erp"
    assert erp.share == pytest.approx(1.0, rel=0.01)
    port = next(one for one in told[1].interfaces(device="r2", limit=9) if one.name == "to-server")
    assert (port.addresses, port.speed_source, port.oper_up) == (("10.97.3.1/24",), "snmp", True)


def test_the_path_of_the_business_leads_over_both_routers_to_the_server(told: tuple[FlowBatch, TopologyDesk]) -> None:
    hops = [
        (one.device, one.interface_name, one.direction, one.state, one.lines_to_servers)
        for one in told[1].business_path("erp", limit=9)
    ]
    assert sorted(hops[:2]) == [("r1", "to-client", "in", "good", 1), ("r1", "to-client", "out", "good", 1)]
    assert hops[2:] == [("r2", "to-r1", "in", "good", 0), ("r2", "to-server", "in", "good", 0)]
