"""Every kept capsule still comes to the same cause; tests/rca/capsules/README.md says how to add one."""

from pathlib import Path

import pytest

from btimd.rca.capsulefiles import SUFFIX, read
from btimd.rca.replay import differences, replay

CAPSULES = sorted((Path(__file__).parent / "capsules").glob(f"*{SUFFIX}"))
_MOST_OCTETS = 60 * 1024


def test_there_are_capsules() -> None:
    assert len(CAPSULES) >= 8


@pytest.mark.parametrize("path", CAPSULES, ids=lambda path: path.name.removesuffix(SUFFIX))
def test_a_kept_diagnosis_comes_to_the_same_cause(path: Path) -> None:
    capsule = read(path)
    now = replay(capsule)
    assert now is not None
    assert (now.status, now.cause) == (capsule.verdict.status, capsule.verdict.cause), differences(capsule.verdict, now)
    assert capsule.complete
    assert path.stat().st_size < _MOST_OCTETS
