"""`python -m tests.fuzz`: fuzz the decoders for a while; coverage-guided where atheris is installed."""

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from random import Random

HERE = Path(__file__).parent
CORPUS = HERE / "corpus"


def main(arguments: Sequence[str]) -> int:
    """Return 0 where nothing was found, 1 where an input breaks something; it is left in the folder of findings."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=0, help="of the mutations; 0: another one each time")
    parser.add_argument("--seeds", type=Path, action="append", default=[], help="further folder of inputs, only read")
    parser.add_argument("--captures", type=Path, help="folder of pcap files whose datagrams are further seeds")
    parser.add_argument("--grown", type=Path, help="folder the fuzzer keeps interesting inputs in; default: forgotten")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--without-atheris", action="store_true", help="mutate without coverage guidance")
    given = parser.parse_args(arguments)
    given.findings.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        first = Path(scratch) / "seeds"
        first.mkdir()
        _write_seeds(first, given.captures)
        grown = given.grown or Path(scratch) / "grown"
        grown.mkdir(parents=True, exist_ok=True)
        folders = [first, CORPUS, *given.seeds]
        if find_spec("atheris") is None or given.without_atheris:
            return _mutate(given.minutes, given.seed, [grown, *folders], given.findings)
        return _guided(given.minutes, given.seed, grown, folders, given.findings)


def _write_seeds(folder: Path, captures: Path | None) -> None:
    from tests.fuzz.seeds import seeds

    inputs = dict(seeds())
    for path in sorted(captures.glob("*.pcap")) if captures else []:
        inputs[path.stem] = _of_capture(path)
    for name, octets in inputs.items():
        (folder / name).write_bytes(octets)


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


def _guided(minutes: float, seed: int, grown: Path, folders: Sequence[Path], findings: Path) -> int:
    command = [
        sys.executable, "-m", "tests.fuzz.fuzz_flow_export", f"-max_total_time={int(minutes * 60)}", f"-seed={seed}",
        "-max_len=8192", "-len_control=0", "-timeout=60", "-rss_limit_mb=2048", "-print_final_stats=1", f"-artifact_prefix={findings}/",
        str(grown), *map(str, folders),
    ]  # fmt: skip
    # The variable is read when numba is imported: before any line of the target runs.
    done = subprocess.run(command, check=False, env={**os.environ, "NUMBA_DISABLE_JIT": "1"})
    return min(done.returncode, 1)


def _mutate(minutes: float, seed: int, folders: Sequence[Path], findings: Path) -> int:
    from tests.fuzz.fuzz_flow_export import target
    from tests.fuzz.mutate import mutated

    random = Random(seed or None)
    corpus = [path.read_bytes() for folder in folders for path in sorted(folder.iterdir()) if path.is_file()]
    check, runs, found = target(), 0, 0
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
