"""The stored inputs, and the ones made by hand, through the fuzz target: quickly, in every run of the suite."""

import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from tests.fuzz import stream
from tests.fuzz.fuzz_flow_export import target
from tests.fuzz.mutate import mutated
from tests.fuzz.seeds import seeds

pytestmark = pytest.mark.timeout(600)  # the first input may compile every kernel
HERE = Path(__file__).parent
STORED = sorted(path for path in (HERE / "corpus").iterdir() if path.is_file())


@pytest.fixture(scope="module")
def check() -> object:
    return target()


@pytest.mark.parametrize("name", seeds())
def test_inputs_made_by_hand_break_nothing(check: object, name: str) -> None:
    assert callable(check)
    check(seeds()[name])


@pytest.mark.parametrize("path", STORED, ids=lambda path: path.name)
def test_inputs_that_once_broke_something_or_reached_far_break_nothing(check: object, path: Path) -> None:
    assert callable(check)
    check(path.read_bytes())


def test_a_few_hundred_mutations_break_nothing(check: object) -> None:
    assert callable(check)
    random, corpus = Random(20), list(seeds().values())
    for _ in range(300):
        check(mutated(random, corpus))


def test_payloads_come_back_from_the_input_they_were_joined_to() -> None:
    octets = stream.join([b"one", b"", b"two"], controls=[0, stream.NEW_BLOCK | 3, stream.OTHER_PORT | stream.LATER])
    assert stream.split(octets) == [
        stream.Datagram(b"one", "192.0.2.1", 2055, stream.STARTED_AT + 10, begins_block=False),
        stream.Datagram(b"", "198.51.100.7", 2055, stream.STARTED_AT + 20, begins_block=True),
        stream.Datagram(b"two", "192.0.2.1", 2056, stream.STARTED_AT + 400_020, begins_block=False),
    ]
    assert [len(block) for block in stream.blocks(stream.split(octets))] == [1, 2]
    assert [len(block) for block in stream.blocks(stream.split(octets), one_by_one=True)] == [1, 1, 1]


def test_framing_writes_versions_and_lengths() -> None:
    items = stream.split(stream.join([b"abcdef"] * 3, controls=[4 << 2, 6 << 2, 7 << 2]))
    assert [item.payload for item in items] == [b"\0\x09cdef", b"\0\0\0\5ef", b"\0\x0a\0\6ef"]


@pytest.mark.slow
def test_the_loop_without_a_fuzzer_runs(tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "tests.fuzz",
        "--minutes",
        "0.05",
        "--without-atheris",
        "--findings",
        str(tmp_path),
    ]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=HERE.parents[1])
    assert (done.returncode, "0 findings" in done.stdout) == (0, True), done.stdout + done.stderr
