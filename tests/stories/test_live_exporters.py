"""Real exporters meter the same traffic and export it over UDP: what is decoded equals what was there."""

import contextlib
import itertools
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from btimd.capture.wire.decoder import FlowDecoder
from btimd.flows.duplicates import DuplicateLimits, Duplicates
from btimd.model.datagrams import DatagramBlock
from btimd.model.flowbatch import FlowBatch
from tests.patience import PATIENCE_SECONDS
from tests.programs import need_as_root
from tests.stories.traffic import Truth, write_traffic

pytestmark = [pytest.mark.net, pytest.mark.real_server, pytest.mark.slow]

LOOPBACK = 0xFFFF_7F00_0001
SPAN = Path(__file__).parents[3] / "shared" / "data" / "span" / "mix" / "span_dev.pcap"
IPV4_UDP_OCTETS, ETHERNET_OCTETS = 28, 14


_SILENCES = 6
"""Times half a second without a datagram after which pmacctd has seen every frame."""


@dataclass
class Collector:
    """A socket that keeps what exporters send, and a decoder for it."""

    socket: socket.socket
    decoder: FlowDecoder = field(default_factory=FlowDecoder)
    datagrams: list[bytes] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.socket.getsockname()[1])

    def receive(self, until: Callable[[], bool]) -> None:
        """Receive until it is silent for half a second after `until` holds."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                self.datagrams.append(self.socket.recv(65_535))
            except TimeoutError:
                if until():
                    return
        pytest.fail("the exporter did not come to an end in time")

    def decoded(self) -> FlowBatch:
        count = len(self.datagrams)
        return self.decoder.decode(
            DatagramBlock(
                slab=np.frombuffer(b"".join(self.datagrams), np.uint8),
                offsets=np.cumsum([0, *map(len, self.datagrams)], dtype=np.int64),
                source_hi=np.zeros(count, np.uint64),
                source_lo=np.full(count, LOOPBACK, np.uint64),
                source_port=np.full(count, 9995, np.uint16),
                arrival_milliseconds=np.full(count, time.time_ns() // 1_000_000, np.int64),
            )
        )


@pytest.fixture
def collector() -> Iterator[Collector]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        receiver.settimeout(0.5)
        receiver.bind(("127.0.0.1", 0))
        yield Collector(receiver)


@pytest.fixture(scope="session")
def capture(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Truth]:
    path = tmp_path_factory.mktemp("traffic") / "traffic.pcap"
    return path, write_traffic(path)


def totals(flows: FlowBatch) -> tuple[int, int]:
    """Return packets and octets, times the sampling rate."""
    rate = flows["sampling_rate"].astype(np.int64)
    return int((flows["packet_delta_count"] * rate).sum()), int((flows["octet_delta_count"] * rate).sum())


def softflowd(collector: Collector, capture: Path, folder: Path, *arguments: str) -> FlowBatch:
    """Let softflowd export what is in a capture, and return what is decoded of it."""
    need_as_root("softflowd")
    command = ["softflowd", "-r", str(capture), "-n", f"127.0.0.1:{collector.port}", "-a", "-d", "-c", "none"]
    with subprocess.Popen(
        [*command, "-p", str(folder / "pid"), *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as exporter:
        collector.receive(lambda: exporter.poll() is not None)
    return collector.decoded()


@pytest.mark.parametrize("version", ["1", "5"])
def test_softflowd_tells_all_ipv4_traffic_in_the_old_versions(
    collector: Collector, capture: tuple[Path, Truth], tmp_path: Path, version: str
) -> None:
    path, truth = capture
    flows = softflowd(collector, path, tmp_path, "-v", version)
    assert totals(flows) == (truth.packets4, truth.octets4)


@pytest.mark.parametrize("arguments", ["-v 9", "-v 9 -T vlan", "-v 10", "-v 10 -T ether", "-v 10 -b", "-v 10 -A micro"])
def test_softflowd_tells_all_traffic(
    collector: Collector, capture: tuple[Path, Truth], tmp_path: Path, arguments: str
) -> None:
    path, truth = capture
    flows = softflowd(collector, path, tmp_path, *arguments.split())
    assert totals(flows) == (truth.packets, truth.octets)
    assert collector.decoder.counters.lost_units == 0


def test_softflowd_that_samples_is_scaled_by_the_rate_it_announces(
    collector: Collector, capture: tuple[Path, Truth], tmp_path: Path
) -> None:
    path, truth = capture
    flows = softflowd(collector, path, tmp_path, "-v", "9", "-s", "5")
    packets, octets = totals(flows)
    assert set(flows["sampling_rate"].tolist()) == {5}
    assert packets == pytest.approx(truth.packets, abs=5)
    assert octets == pytest.approx(truth.octets, rel=0.1)


def test_packets_that_softflowd_samples_become_flows_from_their_headers(
    collector: Collector, capture: tuple[Path, Truth], tmp_path: Path
) -> None:
    path, truth = capture
    flows = softflowd(collector, path, tmp_path, "-v", "psamp", "-s", "1")
    assert totals(flows) == (truth.packets, truth.octets)
    assert len(set(zip(flows["source_transport_port"], flows["destination_transport_port"], strict=True))) > 80


@pytest.mark.parametrize("arguments", ["-v 5", "-v 9", "-v 10", "-v 10 -b"])
def test_softflowd_tells_the_octets_of_the_span_port(collector: Collector, tmp_path: Path, arguments: str) -> None:
    if not SPAN.exists():
        pytest.skip(f"{SPAN} is not there: the captures are kept outside of the project")
    flows = softflowd(collector, SPAN, tmp_path, *arguments.split())
    # What its own export files of this capture add up to; of 16,047 frames it reads the IP packets of plain frames.
    assert totals(flows) == ((15_552, 3_492_297) if arguments == "-v 5" else (15_864, 3_527_829))


@contextlib.contextmanager
def wire() -> Iterator[tuple[str, str]]:
    """Two ends of a wire, without traffic of their own."""
    ends = f"bt{os.getpid() % 100_000}a", f"bt{os.getpid() % 100_000}b"
    subprocess.run(["ip", "link", "add", ends[0], "type", "veth", "peer", "name", ends[1]], check=True)
    try:
        for end in ends:
            Path(f"/proc/sys/net/ipv6/conf/{end}/disable_ipv6").write_text("1")
            subprocess.run(["ip", "link", "set", end, "up"], check=True)
        yield ends
    finally:
        subprocess.run(["ip", "link", "del", ends[0]], check=True)


@contextlib.contextmanager
def pmacctd(folder: Path, settings: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    need_as_root("pmacctd", "tcpreplay", "ip")
    configuration = folder / "pmacctd.conf"
    configuration.write_text("".join(f"{key}: {value}\n" for key, value in settings.items()))
    with subprocess.Popen(
        ["pmacctd", "-f", str(configuration)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


@pytest.mark.parametrize("version", [5, 9, 10])
def test_pmacctd_tells_all_traffic_of_a_wire(
    collector: Collector, capture: tuple[Path, Truth], tmp_path: Path, version: int
) -> None:
    need_as_root("pmacctd", "tcpreplay", "ip")
    path, truth = capture
    expected = (truth.packets4, truth.octets4) if version == 5 else (truth.packets, truth.octets)
    timeouts = ":".join(f"{name}=1" for name in ("tcp", "tcp.rst", "tcp.fin", "udp", "general", "maxlife", "expint"))
    with wire() as (metered, sender):
        settings = {
            "daemonize": "false",
            "pcap_interface": metered,
            "plugins": "nfprobe[x]",
            "nfprobe_receiver": f"127.0.0.1:{collector.port}",
            "nfprobe_version": str(version),
            "nfprobe_timeouts": timeouts,
            "nfprobe_source_ip": "127.0.0.1",
            "aggregate": "src_host,dst_host,src_port,dst_port,proto,tos,vlan,tcpflags",
        }
        with pmacctd(tmp_path, settings) as process:
            assert process.stdout is not None
            for line in process.stdout:  # it says so when it listens to the wire
                if metered.encode() in line and b"link type" in line:
                    break
            subprocess.run(
                ["tcpreplay", "-q", "-i", sender, "--pps", "500", str(path)], check=True, capture_output=True
            )
            silences = itertools.count(1)
            collector.receive(lambda: next(silences) == _SILENCES)  # what it keeps it tells when it is told to end
            process.send_signal(signal.SIGINT)
            collector.receive(lambda: process.poll() is not None)
    assert totals(collector.decoded()) == expected


def collector_peek(collector: Collector) -> FlowBatch:
    """Return what is decoded of all datagrams so far, by a decoder of its own."""
    return Collector(collector.socket, FlowDecoder(), collector.datagrams).decoded()


def test_pmacctd_samples_packets_as_sflow(collector: Collector, capture: tuple[Path, Truth], tmp_path: Path) -> None:
    path, truth = capture
    settings = {
        "daemonize": "false",
        "pcap_savefile": str(path),
        "plugins": "sfprobe[x]",
        "sfprobe_receiver": f"127.0.0.1:{collector.port}",
        "sampling_rate": "2",
        "sfprobe_agentip": "127.0.0.1",
    }
    with pmacctd(tmp_path, settings) as process:
        collector.receive(lambda: process.poll() is not None)
    flows = collector.decoded()
    packets, octets = totals(flows)
    assert set(flows["sampling_rate"].tolist()) == {2}
    assert packets == pytest.approx(truth.packets, rel=0.1)
    assert octets == pytest.approx(truth.octets, rel=0.15)
    assert collector.decoder.counters.lost_units == 0


@dataclass(frozen=True)
class Switch:
    """An Open vSwitch with a client and a server, that exports to an address of this machine."""

    address: str
    control: Callable[..., None]
    client: str
    server: str


@pytest.fixture
def switch(tmp_path: Path) -> Iterator[Switch]:
    need_as_root("ovs-vswitchd", "ovsdb-server", "ovs-vsctl", "ovs-appctl", "ip", "ethtool")
    pid = os.getpid() % 10_000
    names = {host: f"btimd-{host}-{pid}" for host in ("switch", "client", "server")}
    run = tmp_path / "ovs"
    run.mkdir()
    environment = {**os.environ, "OVS_RUNDIR": str(run)}

    def call(*command: str) -> None:
        subprocess.run(command, check=True, capture_output=True, env=environment)

    with contextlib.ExitStack() as stack:
        for name in names.values():
            call("ip", "netns", "add", name)
            stack.callback(call, "ip", "netns", "delete", name)
        database = f"unix:{run}/db.sock"
        daemon = ("--detach", "--no-chdir", "-vconsole:off")
        call("ovsdb-tool", "create", f"{run}/conf.db", "/usr/share/openvswitch/vswitch.ovsschema")
        call("ovsdb-server", f"{run}/conf.db", f"--remote=p{database}", f"--pidfile={run}/db.pid", *daemon)
        stack.callback(call, "ovs-appctl", "-t", f"{run}/{_control(run, 'ovsdb-server')}", "exit")
        call("ip", "netns", "exec", names["switch"], "ovs-vswitchd", database, f"--pidfile={run}/switch.pid", *daemon)
        stack.callback(call, "ovs-appctl", "-t", f"{run}/{_control(run, 'ovs-vswitchd')}", "exit", "--cleanup")

        def control(*arguments: str) -> None:
            call("ovs-vsctl", f"--db={database}", *arguments)

        control("add-br", "br0", "--", "set", "bridge", "br0", "datapath_type=netdev")
        for host, number in (("client", 1), ("server", 2)):
            port = f"p{number}"
            call(
                "ip",
                "link",
                "add",
                "eth0",
                "netns",
                names[host],
                "type",
                "veth",
                "peer",
                port,
                "netns",
                names["switch"],
            )
            call("ip", "netns", "exec", names[host], "sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1")
            call("ip", "-n", names["switch"], "link", "set", port, "up")
            call("ip", "-n", names[host], "address", "add", f"10.79.0.{number}/24", "dev", "eth0")
            call("ip", "-n", names[host], "link", "set", "eth0", "up")
            call("ip", "netns", "exec", names[host], "ethtool", "-K", "eth0", "tx", "off", "tso", "off", "gso", "off")
            control("add-port", "br0", port)
        wire_end = f"bt{pid}x"
        call("ip", "link", "add", wire_end, "type", "veth", "peer", "export", "netns", names["switch"])
        stack.callback(subprocess.run, ["ip", "link", "del", wire_end], capture_output=True, check=False)
        call("ip", "address", "add", "10.79.9.1/30", "dev", wire_end)
        call("ip", "link", "set", wire_end, "up")
        call("ip", "-n", names["switch"], "address", "add", "10.79.9.2/30", "dev", "export")
        call("ip", "-n", names["switch"], "link", "set", "export", "up")
        yield Switch("10.79.9.1", control, names["client"], names["server"])


def _control(run: Path, name: str) -> str:
    return next(path.name for path in run.glob(f"{name}.*.ctl"))


SEND = """
import socket, sys, time
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.bind(("10.79.0.1", 5001))
for number in range(int(sys.argv[1])):
    udp.sendto(bytes(int(sys.argv[2])), ("10.79.0.2", 7001))
    if number % 10 == 9: time.sleep(0.01)  # a switch in user space is not fast
"""
PACKETS, PAYLOAD = 600, 700


@pytest.mark.parametrize("protocol", ["netflow", "ipfix", "sflow"])
def test_a_switch_tells_what_a_client_sent_through_it(switch: Switch, protocol: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * 1024 * 1024)
        receiver.settimeout(0.5)
        receiver.bind((switch.address, 0))
        collector = Collector(receiver)
        target = f'"{switch.address}:{collector.port}"'
        record = {
            "netflow": (f"targets={target}", "active-timeout=1"),
            "ipfix": (f"targets={target}", "obs_domain_id=1", "obs_point_id=1", "sampling=1", "cache_active_timeout=1",
                      "cache_max_flows=8192"),
            "sflow": ("agent=export", f"target={target}", "header=128", "sampling=1", "polling=1"),
        }[protocol]  # fmt: skip
        switch.control("set", "bridge", "br0", f"{protocol}=@e", "--", "--id=@e", "create", protocol, *record)
        command = ["ip", "netns", "exec", switch.client, shutil.which("python3") or "python3", "-c", SEND]
        subprocess.run([*command, str(PACKETS), str(PAYLOAD)], check=True, timeout=PATIENCE_SECONDS)

        def sent() -> FlowBatch:
            flows = collector_peek(collector)
            # Its IPFIX tells every packet twice, where it comes in and where it goes out.
            wanted = (flows["protocol_identifier"] == 17) & (flows["flow_direction"] == 0)
            return flows.select(wanted & (flows["destination_transport_port"] == 7001))

        collector.receive(lambda: totals(sent())[0] >= PACKETS)
        flows = sent()
    # Its NetFlow counts the frames' octets (layer 2), its IPFIX and sFlow tell those of the IP packets.
    if protocol == "ipfix":
        seen = collector_peek(collector)
        seen = seen.select((seen["protocol_identifier"] == 17) & (seen["destination_transport_port"] == 7001))
        marked = Duplicates(DuplicateLimits("on")).mark(seen, time.time_ns() // 1_000_000)
        assert marked is not None
        assert (totals(seen)[0], totals(seen.select(~marked))[0]) == (2 * PACKETS, PACKETS)
    per_packet = PAYLOAD + IPV4_UDP_OCTETS + (ETHERNET_OCTETS if protocol == "netflow" else 0)
    assert totals(flows) == (PACKETS, PACKETS * per_packet), json.dumps(next(iter(flows.rows())))
