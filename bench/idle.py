"""What watching costs while nothing is wrong: many points declared, few of them asked, on real sockets.

50,000 checks are declared; as many key indicators run as make 2,000 answers a minute, a third each of echoes, connects
and HTTP requests, against a server on loopback in a process of its own. Measured is the CPU time of this process alone.
The peer is how many monitors do it: a process per check (monitoring-plugins), in the same run, a few dozen of each.

    python -m bench.idle [--seconds 60] [--points 50000] [--per-minute 2000] [--profile]
"""

import argparse
import asyncio
import contextlib
import cProfile
import gc
import json
import multiprocessing
import os
import pstats
import resource
import socket
import subprocess
import time
from collections import Counter
from pathlib import Path

from bench.machine import load, machine
from btimd.model.probe import ProbeResult
from btimd.model.service import Check, CheckKind, Node, NodeKind, ServiceGraph
from btimd.probes.component import Probes
from btimd.probes.settings import ProbeSettings
from btimd.runtime.clock import SystemClock
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics

PLUGINS = Path("/usr/lib/nagios/plugins")
KINDS = (CheckKind.ICMP, CheckKind.TCP, CheckKind.HTTP)
PER_NODE = 10
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


def serve(port: "multiprocessing.connection.Connection") -> None:
    """Answer HTTP on every loopback address until killed."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            if await reader.read(4096):
                writer.write(ANSWER)
                await writer.drain()
        writer.close()

    async def main() -> None:
        server = await asyncio.start_server(answer, "0.0.0.0", 0, backlog=1024)  # noqa: S104  127.0.0.0/8 is meant
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


def enterprise(points: int, watched: int, every: float, port: int) -> ServiceGraph:
    """Return a graph of so many checks; the first of every n-th node is a key indicator."""
    nodes = {}
    count = points // PER_NODE
    step = max(1, count // watched)
    seen = 0
    for number in range(count):
        host = f"127.{1 + number // 62_500}.{number // 250 % 250}.{1 + number % 250}"
        is_watched = number % step == 0 and seen < watched
        checks = tuple(
            Check(
                f"n{number}-{which}",
                f"n{number}",
                KINDS[(seen + which) % 3],
                host,
                0 if KINDS[(seen + which) % 3] is CheckKind.ICMP else port,
                every_seconds=every if is_watched and which == 0 else None,
            )
            for which in range(PER_NODE)
        )
        seen += is_watched
        nodes[f"n{number}"] = Node(
            f"n{number}", NodeKind.HOST, f"Node {number}", checks=checks, device=f"box{number // 4}"
        )
    return ServiceGraph(nodes, {})


async def watch(
    graph: ServiceGraph, warm: float, seconds: float, profile: cProfile.Profile | None
) -> dict[str, object]:
    """Run the probes; return what they took once their first round is over."""
    answers: Counter[str] = Counter()

    def on_result(result: ProbeResult) -> None:
        answers[f"{result.spec.check.kind} {result.health}"] += 1

    began = time.process_time()
    probes = Probes(
        settings=ProbeSettings(),
        graph=graph,
        metrics=Metrics(),
        clock=SystemClock(),
        log=Log("probes"),
        on_symptom=lambda _: None,
        on_clear=lambda _: None,
        on_result=on_result,
    )
    await probes.start()
    started = time.process_time() - began
    task = asyncio.create_task(probes.run())
    await asyncio.sleep(warm)
    gc.collect()
    answers.clear()
    began, wall = time.process_time(), time.monotonic()
    if profile is not None:
        profile.enable()
    await asyncio.sleep(seconds)
    if profile is not None:
        profile.disable()
    cpu, wall = time.process_time() - began, time.monotonic() - wall
    report = probes.budget(None, "", 1)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await probes.stop()
    total = sum(answers.values())
    return {
        "answers": dict(answers),
        "answers_per_minute": round(60 * total / wall),
        "core_percent": round(100 * cpu / wall, 2),
        "cpu_microseconds_per_answer": round(1e6 * cpu / max(1, total)),
        "start_cpu_seconds": round(started, 3),
        "budget_scopes": report.scopes,
    }


def forked(port: int, each: int) -> float | None:
    """Return the CPU microseconds of a check by a process of its own, None where the plugins are not installed."""
    commands = (
        [str(PLUGINS / "check_icmp"), "-H", "127.0.0.1", "-n", "1"],
        [str(PLUGINS / "check_tcp"), "-H", "127.0.0.1", "-p", str(port)],
        [str(PLUGINS / "check_http"), "-I", "127.0.0.1", "-p", str(port)],
    )
    if not all(Path(command[0]).exists() for command in commands):
        return None

    def spent() -> float:
        own, children = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime

    began = spent()
    for _ in range(each):
        for command in commands:
            subprocess.run(command, check=True, capture_output=True)
    return 1e6 * (spent() - began) / (each * len(commands))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--points", type=int, default=50_000)
    parser.add_argument("--per-minute", type=int, default=2000)
    parser.add_argument("--profile", action="store_true")
    args = parser.parse_args()
    period = min(60.0, args.seconds)
    watched = round(args.per_minute * period / 60)
    ours, theirs = multiprocessing.Pipe()
    server = multiprocessing.get_context("fork").Process(target=serve, args=(theirs,), daemon=True)
    server.start()
    port = ours.recv()
    os.sched_setaffinity(0, {0})
    try:
        with socket.create_connection(("127.0.0.1", port)):
            pass
        graph = enterprise(args.points, watched, period, port)
        profile = cProfile.Profile() if args.profile else None
        found = asyncio.run(watch(graph, 1.6 * period, args.seconds, profile))
        peer = forked(port, 40)
    finally:
        server.terminate()
        server.join()
    mine = found["cpu_microseconds_per_answer"]
    found |= {
        "declared": args.points,
        "watched": watched,
        "peer_cpu_microseconds_per_check": peer and round(peer),
        "peer_times_as_much": peer and isinstance(mine, int) and round(peer / max(1, mine), 1),
        "machine": machine(),
        "load": load(),
    }
    print(json.dumps(found, indent=2))
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)


if __name__ == "__main__":
    main()
