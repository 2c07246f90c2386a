import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from btimd.model.verdict import VerdictStatus
from btimd.rca import capsulekeeper
from btimd.rca.capsule import Capsule
from btimd.rca.capsulefiles import CapsuleError, decode, model_hash, read
from btimd.rca.capsulekeeper import CapsuleKeeper, grown
from btimd.rca.engine import Engine
from btimd.rca.events import SymptomSeen, VerdictExtended
from btimd.rca.replay import Recorder, differences, replay
from btimd.runtime.lifecycle import HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.patience import PATIENCE_SECONDS
from tests.rca.test_engine import broken
from tests.rca.test_replay import recorded
from tests.rca.worlds import World, enterprise


class Kept:
    """A keeper that runs, and its metrics."""

    def __init__(self, folder: Path, keep: int = 10) -> None:
        self.metrics = Metrics()
        self.keeper = CapsuleKeeper(state_directory=folder, keep=keep, metrics=self.metrics, log=Log("test"))
        self.folder = folder / "diagnoses"

    def count(self, what: str) -> float:
        return self.metrics.value(f"btimd_rca_capsules_{what}_total")

    async def keep(self, *capsules: Capsule) -> None:
        for capsule in capsules:
            self.keeper.take(capsule)
        await self.keeper.stop()


@pytest.fixture
async def kept(tmp_path: Path) -> Kept:
    made = Kept(tmp_path)
    await made.keeper.start()
    return made


def named(capsule: Capsule, name: str, ended_at: float = 0.0) -> Capsule:
    return replace(capsule, verdict=replace(capsule.verdict, id=name, ended_at=ended_at or capsule.verdict.ended_at))


def some() -> Capsule:
    return recorded(broken("dead", "erp-db", 1))[0]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not condition():  # noqa: ASYNC110  what is waited for has no event of its own
            await asyncio.sleep(0.002)


async def test_what_is_taken_is_written_with_the_hash_of_its_model_and_listed_newest_first(kept: Kept) -> None:
    capsule = some()
    running = asyncio.create_task(kept.keeper.run())
    kept.keeper.take(named(capsule, "D1", 5.0))
    kept.keeper.take(named(capsule, "D2", 7.0))
    await until(lambda: kept.count("written") == 2)
    running.cancel()
    assert [entry.id for entry in kept.keeper.diagnoses(10)] == ["D2", "D1"]
    assert [entry.id for entry in kept.keeper.diagnoses(1)] == ["D2"]
    found = read(kept.folder / "D2.capsule.json.gz")
    assert found.model == model_hash(capsule.graph) == kept.keeper.diagnoses(1)[0].model
    assert kept.keeper.health().level is HealthLevel.OK


async def test_what_waits_at_the_end_is_still_written(kept: Kept) -> None:
    await kept.keep(some())
    assert (kept.count("written"), kept.count("dropped")) == (1, 0)


async def test_a_restarted_keeper_knows_what_is_kept_and_leaves_alone_what_it_cannot_read(
    kept: Kept, tmp_path: Path
) -> None:
    capsule = some()
    await kept.keep(named(capsule, "D1"), named(capsule, "D2"))
    (kept.folder / "D3.capsule.json.gz").write_bytes(b"no capsule")
    again = Kept(tmp_path)
    await again.keeper.start()
    assert sorted(again.keeper.diagnoses(10), key=lambda one: one.id) == sorted(
        kept.keeper.diagnoses(10), key=lambda one: one.id
    )
    assert (kept.folder / "D3.capsule.json.gz").exists()


async def test_only_the_newest_are_kept(tmp_path: Path) -> None:
    kept = Kept(tmp_path, keep=2)
    await kept.keeper.start()
    capsule = some()
    await kept.keep(*(named(capsule, f"D{number}", number) for number in range(1, 5)))
    assert [entry.id for entry in kept.keeper.diagnoses(10)] == ["D4", "D3"]
    assert sorted(path.name for path in kept.folder.iterdir()) == ["D3.capsule.json.gz", "D4.capsule.json.gz"]


async def test_none_are_kept_where_none_are_wanted(tmp_path: Path) -> None:
    kept = Kept(tmp_path, keep=0)
    await kept.keeper.start()
    await kept.keep(some())
    assert (kept.keeper.diagnoses(10), kept.folder.exists()) == ([], False)


async def test_where_too_many_wait_the_oldest_are_dropped_and_counted(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capsulekeeper, "_WAITING", 2)
    capsule = some()
    await kept.keep(*(named(capsule, f"D{number}", number) for number in range(1, 6)))
    assert (kept.count("written"), kept.count("dropped")) == (2, 3)
    assert [entry.id for entry in kept.keeper.diagnoses(10)] == ["D5", "D4"]


async def test_a_disk_that_refuses_costs_the_capsule_and_shows_in_health(kept: Kept) -> None:
    kept.folder.write_text("a file where the folder should be")
    await kept.keep(some())
    assert (kept.count("written"), kept.count("dropped")) == (0, 1)
    health = kept.keeper.health()
    assert health.level is HealthLevel.WARNING
    assert "could not be kept" in health.reason


async def test_a_kept_diagnosis_is_told_and_handed_out(kept: Kept) -> None:
    capsule = some()
    await kept.keep(capsule)
    story = await kept.keeper.diagnosis(capsule.verdict.id)
    assert (story.verdict, story.differences) == (capsule.verdict, ())
    assert decode(await kept.keeper.export(capsule.verdict.id), "it").verdict == capsule.verdict


@pytest.mark.parametrize("name", ["", "nope", "../../etc/passwd", "D1/../D1"])
async def test_what_is_not_kept_is_not_found_anywhere(kept: Kept, name: str) -> None:
    with pytest.raises(KeyError):
        await kept.keeper.diagnosis(name)
    with pytest.raises(KeyError):
        await kept.keeper.export(name)


async def test_a_file_that_was_spoiled_is_refused_in_words(kept: Kept) -> None:
    capsule = some()
    await kept.keep(capsule)
    path = kept.folder / f"{capsule.verdict.id}.capsule.json.gz"
    path.write_bytes(b"spoiled")
    with pytest.raises(CapsuleError, match="is no capsule"):
        await kept.keeper.diagnosis(capsule.verdict.id)
    path.unlink()
    with pytest.raises(CapsuleError, match="cannot be read"):
        await kept.keeper.export(capsule.verdict.id)


async def test_a_verdict_that_grows_keeps_the_search_that_found_it(kept: Kept) -> None:
    world = World(enterprise(), dead=frozenset(["db-shared"]))
    first, second = world.symptoms(1000.0)
    engine = Engine(world.graph)
    world.symptoms = lambda _now, *_checks: [first]  # type: ignore[method-assign]
    (before,) = recorded(world, engine=engine)
    recorder, late = Recorder(100, "test"), SymptomSeen(replace(second, since=1004.0, seen_at=1005.0))
    recorder.before(engine, late, 1005.0)
    (extended,) = engine.handle(late, 1005.0)
    assert isinstance(extended, VerdictExtended)
    now = recorder.capsule(extended.verdict)
    assert now is not None

    await kept.keep(before, now)

    both = read(kept.folder / f"{before.verdict.id}.capsule.json.gz")
    assert set(both.verdict.businesses) == {"erp", "hr"}
    assert len(both.events) == len(before.events) + 1
    assert differences(both.verdict, replay(both)) == ()


def test_a_weak_verdict_that_was_looked_into_again_stands_for_itself() -> None:
    capsule = some()
    weak = replace(capsule.verdict, status=VerdictStatus.SHORTLIST)
    assert grown(replace(capsule, verdict=weak), capsule) is capsule
