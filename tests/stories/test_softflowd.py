"""A real exporter: softflowd meters traffic between network namespaces and exports NetFlow v9 to a running btimd."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from btimd.daemon.addresses import Addresses, read_addresses
from tests.patience import PATIENCE_SECONDS, wait_until
from tests.programs import need_as_root

pytestmark = [pytest.mark.net, pytest.mark.real_server, pytest.mark.slow]

DATAGRAMS, PAYLOAD = 400, 1000
IPV4_UDP_HEADERS = 28
TCP_PAYLOAD = 3_000_000
SERVICES = """\
[service.telemetry]
name = "Telemetry"
prefixes = ["10.77.2.2/32"]
protocol = "udp"
ports = [7001]

[service.files]
name = "Files"
prefixes = ["10.77.2.2/32"]
protocol = "tcp"
ports = [7002]
"""
RECEIVE = """
import socket, sys, threading
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); udp.bind(("10.77.2.2", 7001))
tcp = socket.create_server(("10.77.2.2", 7002))
print("listening", flush=True)
def take():
    peer, _ = tcp.accept()
    while peer.recv(65536): pass
    peer.close()
    print("got all", flush=True)
threading.Thread(target=take).start()
while True: udp.recv(65536)
"""
SEND = f"""
import socket, time
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range({DATAGRAMS}):
    udp.sendto(bytes({PAYLOAD}), ("10.77.2.2", 7001))
    if number % 50 == 49: time.sleep(0.01)
with socket.create_connection(("10.77.2.2", 7002)) as tcp:
    tcp.sendall(bytes({TCP_PAYLOAD}))
"""
NUDGE = """
import socket
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(300): udp.sendto(bytes(1000), ("10.77.2.2", 7999))
"""


@pytest.fixture
def namespaces() -> Iterator[Callable[..., list[str]]]:
    """Three hosts: client - server on one wire, server - collector on another. Yields a maker of commands in them."""
    need_as_root("ip", "softflowd", "softflowctl")
    names = {host: f"btimd-{host}-{os.getpid()}" for host in ("client", "server", "collector")}

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    with contextlib.ExitStack() as stack:
        for name in names.values():
            ip("netns", "add", name)
            stack.callback(ip, "netns", "delete", name)
        wires = (("client", "10.77.2.1", "server", "10.77.2.2"), ("server", "10.77.3.1", "collector", "10.77.3.2"))
        for number, (left, left_address, right, right_address) in enumerate(wires):
            ends = (f"bt{number}l{os.getpid() % 10000}", f"bt{number}r{os.getpid() % 10000}")
            ip("link", "add", ends[0], "netns", names[left], "type", "veth", "peer", ends[1], "netns", names[right])
            for host, end, address in ((left, ends[0], left_address), (right, ends[1], right_address)):
                ip("-n", names[host], "link", "set", end, "name", f"wire{number}")
                ip("-n", names[host], "address", "add", f"{address}/24", "dev", f"wire{number}")
                ip("-n", names[host], "link", "set", "lo", "up")
                # Without segmentation offload softflowd sees the packets that a real wire would carry.
                ip("-n", names[host], "link", "set", f"wire{number}", "gso_max_segs", "1", "up")
        yield lambda host, *command: ["ip", "netns", "exec", names[host], *command]


@contextlib.contextmanager
def running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


def write_config(folder: Path) -> None:
    (folder / "btimd.toml").write_text(
        '[daemon]\nstate_directory = "state"\n'
        '[capture.netflow]\nlisten = ["10.77.3.2:2055"]\n'
        '[flows]\ngrace = "1s"\n'
        '[api]\ngrpc_listen = "127.0.0.1:0"\nhttp_listen = "127.0.0.1:0"\n',
        encoding="utf-8",
    )
    (folder / "services.toml").write_text(SERVICES, encoding="utf-8")
    (folder / "ipplan.csv").write_text("prefix,region,segment\n10.77.2.0/24,north,sales\n", encoding="utf-8")


def test_the_figures_of_each_business_are_the_bytes_that_were_really_sent(
    namespaces: Callable[..., list[str]], tmp_path: Path
) -> None:
    write_config(tmp_path)
    btimd = namespaces("collector", sys.executable, "-m", "btimd", "run", "-c", str(tmp_path))
    with contextlib.ExitStack() as stack:
        stack.enter_context(running(btimd, tmp_path / "btimd.log"))
        wait_until(lambda: read_addresses(tmp_path / "state"), "the daemon")
        control = str(tmp_path / "softflowd.ctl")
        softflowd = ["softflowd", "-d", "-i", "wire0", "-v", "9", "-n", "10.77.3.2:2055", "-c", control]
        softflowd += ["-p", str(tmp_path / "softflowd.pid"), "-t", "expint=1"]
        stack.enter_context(running(namespaces("server", *softflowd), tmp_path / "softflowd.log"))
        wait_until(Path(control).exists, "softflowd")
        receiver = namespaces("server", sys.executable, "-c", RECEIVE)
        stack.enter_context(running(receiver, tmp_path / "receiver.log"))
        wait_until(lambda: "listening" in (tmp_path / "receiver.log").read_text(), "receiver")

        subprocess.run(namespaces("client", sys.executable, "-c", SEND), check=True, timeout=PATIENCE_SECONDS)
        wait_until(lambda: "got all" in (tmp_path / "receiver.log").read_text(), "end of the transfer")
        addresses = read_addresses(tmp_path / "state")
        assert addresses is not None
        seen: dict[str, dict[str, int]] = {}

        def all_is_seen() -> bool:
            # softflowd sees the last packets of its capture buffer only when further ones (of no business) fill it.
            subprocess.run(namespaces("client", sys.executable, "-c", NUDGE), check=True, timeout=PATIENCE_SECONDS)
            expire = namespaces("server", "softflowctl", "-c", control, "expire-all")
            subprocess.run(expire, check=True, capture_output=True)
            seen.update(figures(namespaces, addresses, tmp_path))
            sent = {"telemetry": DATAGRAMS * PAYLOAD, "files": TCP_PAYLOAD}
            return all(name in seen and seen[name]["octets_to_server"] > octets for name, octets in sent.items())

        with contextlib.suppress(AssertionError):  # what is missing then is shown by the figures below
            wait_until(all_is_seen, "all of the traffic")

    telemetry = {name: seen["telemetry"][name] for name in ("octets_to_server", "octets_to_client", "packets")}
    assert telemetry == {
        "octets_to_server": DATAGRAMS * (PAYLOAD + IPV4_UDP_HEADERS),
        "octets_to_client": 0,
        "packets": DATAGRAMS,
    }
    # TCP: payload plus 40 to 60 octets of headers per segment, and acknowledgements on the way back.
    assert TCP_PAYLOAD < seen["files"]["octets_to_server"] < TCP_PAYLOAD * 1.06
    assert 0 < seen["files"]["octets_to_client"] < TCP_PAYLOAD * 0.06
    assert seen["files"]["flows"] >= 2


def figures(namespaces: Callable[..., list[str]], addresses: Addresses, folder: Path) -> dict[str, dict[str, int]]:
    """Return the sums per business over all intervals of ten seconds, as btimctl shows them."""
    server = "{}:{}".format(*addresses.grpc)
    command = [sys.executable, "-m", "btimd.cli.btimctl", "--server", server]
    command += ["--token-file", str(folder / "state" / "token"), "--json", "windows", "--limit", "500"]
    found = subprocess.run(
        namespaces("collector", *command), check=True, capture_output=True, text=True, timeout=PATIENCE_SECONDS
    )
    sums: dict[str, dict[str, int]] = {}
    for line in found.stdout.splitlines():
        row = json.loads(line)
        if row["business"]:
            assert (row["region"], row["segment"]) == ("north", "sales")
            into = sums.setdefault(row["business"], {})
            for name in ("octets_to_server", "octets_to_client", "packets", "flows"):
                into[name] = into.get(name, 0) + int(row[name])
    return sums
