"""Real TCP over a wide-area line: a relay between two hosts that delays and drops, with what it did known exactly."""

import contextlib
import json
import os
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from tests.kernels.qualityflows import Flows
from tests.patience import PATIENCE_SECONDS
from tests.programs import need_as_root

pytestmark = [pytest.mark.net, pytest.mark.slow]

CLIENT, SERVER, PORT = "10.78.0.1", "10.78.0.2", 7005
DELAY: Final = 0.03
CONNECTIONS, ANSWER = 6, 400_000

# Between two wires: keeps every frame that came in with its time, delays each, and drops some segments with data.
RELAY = """
import heapq, json, random, select, socket, struct, sys, time
left, right, delay, loss, out = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]), sys.argv[5]
def open_wire(name):
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
    wire.bind((name, 3)); wire.setblocking(False); wire.setsockopt(263, 23, 1)
    return wire
wires = [open_wire(left), open_wire(right)]
chance, line, number, dropped = random.Random(7), [], 0, 0
files = [open(f"{out}.{side}", "wb") for side in ("client", "server")]
def keep(side, frame):
    files[side].write(struct.pack("!QI", time.time_ns(), len(frame)) + frame)
stop = False
print("ready", flush=True)
while True:
    now = time.monotonic()
    while line and line[0][0] <= now:
        _, _, to, frame = heapq.heappop(line)
        keep(to, frame); wires[to].send(frame)
    wait = max(0, min(0.05, line[0][0] - now)) if line else 0.05
    ready = select.select([*wires, sys.stdin], [], [], wait)[0]
    if sys.stdin in ready: break
    for wire in ready:
        side = wires.index(wire)
        for _ in range(64):
            try: frame = wire.recv(65535)
            except BlockingIOError: break
            keep(side, frame)
            payload = 0
            if frame[12:14] == b"\\x08\\x00" and frame[23] == 6:
                payload = int.from_bytes(frame[16:18], "big") - 20 - (frame[46] >> 4) * 4
            if payload > 0 and side == 1 and chance.random() < loss:
                dropped += 1
                continue
            number += 1
            heapq.heappush(line, (time.monotonic() + delay, number, 1 - side, frame))
for file in files: file.close()
print(json.dumps({"dropped": dropped}), flush=True)
"""
SERVE = f"""
import socket, threading
listener = socket.create_server(("{SERVER}", {PORT}))
print("ready", flush=True)
def answer(peer):
    with peer:
        while len(request := peer.recv(100)) > 0: peer.sendall(bytes({ANSWER}))
while True:
    peer, _ = listener.accept()
    threading.Thread(target=answer, args=(peer,), daemon=True).start()
"""
ASK = f"""
import socket
for _ in range({CONNECTIONS}):
    with socket.create_connection(("{SERVER}", {PORT})) as peer:
        peer.sendall(bytes(100))
        left = {ANSWER}
        while left > 0: left -= len(peer.recv(65536))
"""


class Measured(NamedTuple):
    counters: Counter[str]
    legs: dict[str, list[float]]


@pytest.fixture
def line() -> Iterator[Callable[[float], tuple[Measured, Measured, int]]]:
    """Yield what makes transfers over a line with a loss, and returns both sides' measurements and the drops."""
    need_as_root("ip", "ethtool")
    names = {host: f"btimd-{host}-{os.getpid()}" for host in ("wanclient", "wanrelay", "wanserver")}

    def ip(*arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True)

    def run(host: str, *command: str) -> list[str]:
        return ["ip", "netns", "exec", names[host], *command]

    with contextlib.ExitStack() as stack:
        for name in names.values():
            ip("netns", "add", name)
            stack.callback(ip, "netns", "delete", name)
        for number, (host, address) in enumerate((("wanclient", CLIENT), ("wanserver", SERVER))):
            ends = (f"bw{number}h{os.getpid() % 10000}", f"bw{number}r{os.getpid() % 10000}")
            ip(
                "link",
                "add",
                ends[0],
                "netns",
                names[host],
                "type",
                "veth",
                "peer",
                ends[1],
                "netns",
                names["wanrelay"],
            )
            ip("-n", names[host], "link", "set", ends[0], "name", "wire")
            ip("-n", names[host], "address", "add", f"{address}/24", "dev", "wire")
            ip("-n", names["wanrelay"], "link", "set", ends[1], "name", f"wire{number}")
            for place, wire in ((host, "wire"), ("wanrelay", f"wire{number}")):
                off = ["tx", "off", "tso", "off", "gso", "off", "gro", "off"]
                subprocess.run(run(place, "ethtool", "-K", wire, *off), check=True, capture_output=True)
                ip("-n", names[place], "link", "set", wire, "up")

        def transfer(loss: float) -> tuple[Measured, Measured, int]:
            out = f"/run/btimd-wan-{os.getpid()}"
            with contextlib.ExitStack() as processes:
                for side in ("client", "server"):
                    processes.callback(Path(f"{out}.{side}").unlink, missing_ok=True)
                relay = _started(
                    processes,
                    run("wanrelay", sys.executable, "-c", RELAY, "wire0", "wire1", str(DELAY), str(loss), out),
                )
                _started(processes, run("wanserver", sys.executable, "-c", SERVE))
                subprocess.run(run("wanclient", sys.executable, "-c", ASK), check=True, timeout=PATIENCE_SECONDS)
                assert relay.stdin is not None
                assert relay.stdout is not None
                relay.stdin.write(b"stop\n")
                relay.stdin.flush()
                dropped = json.loads(relay.stdout.readline())["dropped"]
                return _measured(Path(f"{out}.client")), _measured(Path(f"{out}.server")), dropped

        yield transfer


def _started(processes: contextlib.ExitStack, command: list[str]) -> "subprocess.Popen[bytes]":
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def end() -> None:
        process.terminate()
        process.communicate(timeout=PATIENCE_SECONDS)

    processes.callback(end)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    return process


def _measured(path: Path) -> Measured:
    """Send what was captured on one side through the kernels."""
    flows, counters, legs = Flows(), Counter[str](), dict[str, list[float]]()
    with path.open("rb") as file:
        while head := file.read(12):
            time, length = struct.unpack("!QI", head)
            noted = flows.note(file.read(length), time)
            if noted is not None:
                counters.update(noted.counters)
                for kind, nanoseconds in noted.samples:
                    legs.setdefault(kind, []).append(nanoseconds / 1e9)
    return Measured(counters, legs)


def median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def test_each_leg_is_the_delay_on_its_side_of_the_capture_and_what_was_dropped_is_sent_again(
    line: Callable[[float], tuple[Measured, Measured, int]],
) -> None:
    at_client, at_server, dropped = line(0.02)
    for side in (at_client, at_server):
        assert side.counters["connections_established"] == CONNECTIONS
        assert side.counters["requests"] == CONNECTIONS
        assert len(side.legs["client_leg"]) == len(side.legs["server_leg"]) == CONNECTIONS
    # A busy machine makes legs longer, never shorter.
    assert 2 * DELAY <= median(at_client.legs["server_leg"]) < 2 * DELAY + 0.05
    assert 2 * DELAY <= median(at_server.legs["client_leg"]) < 2 * DELAY + 0.05
    assert median(at_client.legs["client_leg"]) < 0.03
    assert median(at_server.legs["server_leg"]) < 0.03
    assert 2 * DELAY <= median(at_client.legs["response"]) < 2 * DELAY + 0.05
    assert median(at_server.legs["response"]) < 0.03
    # On the server's side every octet is seen before it is dropped: what comes again was sent again, and nothing is
    # unseen. Hosts may send again what was not lost.
    sent, again = (at_server.counters[f"segments_{what}to_client"] for what in ("", "retransmitted_"))
    assert dropped > 10
    assert dropped <= again <= 1.5 * dropped + 20
    assert abs(dropped / sent - 0.02) < 0.015
    assert at_server.counters["segments_unseen_to_client"] == 0
    assert at_server.counters["segments_out_of_order_to_client"] == 0
    assert at_server.counters["packets_repeated_by_mirror"] == 0
    # On the client's side they are holes, filled a round trip later: sent again, not out of order.
    assert 0 < at_client.counters["segments_unseen_to_client"] <= dropped
    late = at_client.counters["segments_retransmitted_to_client"]
    assert late >= 0.8 * dropped
    assert at_client.counters["segments_out_of_order_to_client"] <= 0.2 * dropped + 2


def test_a_clean_line_shows_nothing_sent_again(line: Callable[[float], tuple[Measured, Measured, int]]) -> None:
    at_client, at_server, dropped = line(0.0)
    assert dropped == 0
    names: list[Any] = [
        name for side in (at_client, at_server) for name in side.counters if "unseen" in name or "order" in name
    ]
    assert names == []
