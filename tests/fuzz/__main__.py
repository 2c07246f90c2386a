"""`python -m tests.fuzz`: fuzz the decoders, or the packet path, for a while; coverage-guided where atheris is installed."""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"
PACKETS_CORPUS = HERE / "corpus_packets"


def main(arguments: Sequence[str]) -> int:
    """Return 0 where nothing was found, 1 where an input breaks something; it is left in the folder of findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0, help="of the mutations; 0: another one each time")
    parser.add_argument("--seeds", type=Path, action="append", default=[], help="further folder of inputs, only read")
    parser.add_argument("--packets", action="store_true", help="fuzz what captured packets go through")
    parser.add_argument("--captures", type=Path, help="folder of capture files that further seeds are made of")
    parser.add_argument("--grown", type=Path, help="folder the fuzzer keeps interesting inputs in; default: forgotten")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--without-atheris", action="store_true", help="mutate without coverage guidance")
    given = parser.parse_args(arguments)
    given.findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        first = Path(scratch) / "seeds"
        first.mkdir()
        (_write_packet_seeds if given.packets else _write_seeds)(first, given.captures)
        grown = given.grown or Path(scratch) / "grown"
        grown.mkdir(parents=True, exist_ok=True)
        folders = [first, *(one for one in [PACKETS_CORPUS if given.packets else CORPUS] if one.is_dir()), *given.seeds]
        module = "tests.fuzz.fuzz_packets" if given.packets else "tests.fuzz.fuzz_flow_export"
        if find_spec("atheris") is None or given.without_atheris:
            return _mutate(module, (given.minutes, given.seed), [grown, *folders], given.findings)
        return _guided(module, (given.minutes, given.seed), [grown, *folders], given.findings)


def _write_seeds(folder: Path, captures: Path | None) -> None:
    from tests.fuzz.seeds import seeds

    inputs = dict(seeds())
    for path in sorted(captures.glob("*.pcap")) if captures else []:
        inputs[path.stem] = _of_capture(path)
    for name, octets in inputs.items():
        (folder / name).write_bytes(octets)


def _write_packet_seeds(folder: Path, captures: Path | None) -> None:
    from tests.fuzz.mutate import MAX_OCTETS
    from tests.fuzz.packet_seeds import seeds

    inputs = dict(seeds())
    for path in sorted(captures.rglob("*.pcap*")) if captures else []:
        if path.suffix in {".pcap", ".pcapng"}:
            inputs[f"{path.stem}-file"] = path.read_bytes()[:MAX_OCTETS]
            inputs |= {f"{path.stem}-{number}": octets for number, octets in enumerate(_frames_of_capture(path))}
    for name, octets in inputs.items():
        (folder / name).write_bytes(octets)


def _frames_of_capture(path: Path) -> list[bytes]:
    """Return chains of up to 24 frames from the beginning of a capture, whatever its link type."""
    from btimd.capture.packetfile import PacketFile
    from tests.fuzz.packet_stream import LINKS, join

    block = next(iter(PacketFile(path, block_packets=192).blocks()), None)
    if block is None:
        return []
    links = [LINKS.index(link) if link in LINKS else 0 for link in block.frames[4].tolist()]
    frames = [block.slab[begin:end][:1500].tobytes() for begin, end in block.frames[:2].T.tolist()]
    return [
        join(frames[begin : begin + 24], controls=[link | 8 for link in links[begin : begin + 24]])
        for begin in range(0, len(frames), 24)
    ]


def _of_capture(path: Path) -> bytes:
    from btimd.capture.replay import CaptureFile
    from tests.fuzz.stream import join

    first = next(iter(CaptureFile(path, block_datagrams=12).blocks()), None)
    payloads = (
        []
        if first is None
        else [first.slab[first.offsets[index] : first.offsets[index + 1]].tobytes() for index in range(len(first))]
    )
    return join([payload for payload in payloads if len(payload) <= 4096])


def _guided(module: str, how: tuple[float, int], folders: Sequence[Path], findings: Path) -> int:
    minutes, seed = how
    command = [
        sys.executable, "-m", module, f"-max_total_time={int(minutes * 60)}", f"-seed={seed}",
        "-max_len=8192", "-len_control=0", "-timeout=60", "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={findings}/",
        *map(str, folders),
    ]  # fmt: skip
    # The variable is read when numba is imported: before any line of the target runs.
    done = subprocess.run(command, check=False, env={**os.environ, "NUMBA_DISABLE_JIT": "1"})
    return min(done.returncode, 1)


def _mutate(module: str, how: tuple[float, int], folders: Sequence[Path], findings: Path) -> int:
    from tests.fuzz.mutate import mutated

    minutes, seed = how
    random = Random(seed or None)
    corpus = [path.read_bytes() for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
    check, runs, found = import_module(module).target(), 0, 0
    seen: set[str] = set()
    until = time.monotonic() + 60 * minutes
    while time.monotonic() < until:
        octets = corpus[runs] if runs < len(corpus) else mutated(random, corpus)
        runs += 1
        try:
            check(octets)
        except Exception:  # noqa: BLE001  whatever it is, it must not happen
            text = traceback.format_exc()
            place = "\n".join(line for line in text.splitlines() if line.startswith("  File"))
            if place not in seen:
                seen.add(place)
                found += 1
                path = findings / f"crash-{hashlib.sha256(octets).hexdigest()[:16]}"
                path.write_bytes(octets)
                sys.stdout.write(f"{path}\n{text}\n")
    sys.stdout.write(f"{runs} inputs, {found} findings\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
