import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from btimd.capture.evidence import PacketRecorder, RingLimits, frozen
from btimd.capture.evidencefiles import EvidenceKeeper
from btimd.capture.evidenceservice import EvidenceService, ServiceLimits
from btimd.capture.forensics import MISSING, DissectLimits, Subject
from btimd.model.evidence import Finding, Observation
from btimd.runtime.clock import ManualClock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from tests.capture.conversations import HTTP_QUESTION, START, block_of, conversation, http_answer
from tests.patience import PATIENCE_SECONDS
from tests.programs import need

NOW = 1_700_000_000.0
SEEN = Observation("http", "503", "10.1.2.3:80", 14, 20, 0)
HERE = DissectLimits(tshark="/bin/true")


@dataclass
class Files:
    written: list[tuple[str, bytes, float]] = field(default_factory=list)
    tidied: list[float] = field(default_factory=list)
    error: OSError | None = None

    def write(self, business: str, octets: bytes, now: float) -> Path:
        if self.error:
            raise self.error
        self.written.append((business, octets, now))
        return Path(f"/evidence/{business}.pcapng")

    def tidy(self, now: float) -> int:
        self.tidied.append(now)
        if self.error:
            raise self.error
        return 0


class World:
    """A service among fakes that do what they are told."""

    def __init__(self, limits: ServiceLimits | None = None, dissect_limits: DissectLimits = HERE) -> None:
        self.files = Files()
        self.metrics = Metrics()
        self.clock = ManualClock(now=NOW)
        self.packets: dict[str, bytes | Exception] = {}
        self.frozen: list[tuple[str, float]] = []
        self.may_freeze = asyncio.Event()
        self.may_freeze.set()
        self.subjects: list[Subject] = []
        self.problem = ""
        self.at_once = 0
        self.most_at_once = 0
        self.found: asyncio.Queue[Finding] = asyncio.Queue()
        self.deaf = False
        self.service = EvidenceService(
            self._freeze, self.files, self._report, self.metrics, Log("test"), clock=self.clock,
            subject_of=lambda business: Subject(business, {8080: "http"}), limits=limits,
            dissect_limits=dissect_limits, dissecting=self._dissect,
        )  # fmt: skip

    async def _freeze(self, business: str, now: float) -> bytes:
        self.frozen.append((business, now))
        await self.may_freeze.wait()
        found = self.packets.get(business, b"packets")
        if isinstance(found, Exception):
            raise found
        return found

    async def _dissect(self, path: Path, subject: Subject, limits: DissectLimits) -> Finding:
        assert limits is not None
        self.subjects.append(subject)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        return Finding(subject.business, path.name, observations=(SEEN,), problem=self.problem)

    def _report(self, finding: Finding) -> None:
        self.found.put_nowait(finding)
        if self.deaf:
            raise LookupError("a bug")

    def counted(self) -> dict[str, float]:
        found = {
            one.name.removeprefix("btimd_capture_evidence_").removesuffix("_total"): self.metrics.value(one.name)
            for one in self.metrics.descriptions()
        }
        return {name: value for name, value in found.items() if value}

    async def findings(self, count: int) -> list[Finding]:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return [await self.found.get() for _ in range(count)]

    async def settled(self) -> None:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(*self.service._freezing)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    world = World(ServiceLimits(pause=300.0, waiting=3))
    await world.service.start()
    running = asyncio.create_task(world.service.run())
    yield world
    running.cancel()
    await world.service.stop()
    await world.service.stop()


async def test_a_symptom_leads_to_a_file_and_a_finding(world: World) -> None:
    world.service.on_symptom(["erp"], NOW)
    assert await world.findings(1) == [Finding("erp", "erp.pcapng", observations=(SEEN,))]
    assert world.frozen == [("erp", NOW)]
    assert world.files.written == [("erp", b"packets", NOW)]
    assert world.subjects == [Subject("erp", {8080: "http"})]
    assert world.counted() == {"requests": 1, "files": 1, "bytes": 7, "dissections": 1, "observations": 1}
    assert world.service.health() == ComponentHealth()
    assert world.service.name == "capture.evidence"


async def test_a_business_is_frozen_once_in_a_while_whatever_comes(world: World) -> None:
    for after in (0.0, 1.0, 299.0, 300.0, 301.0):
        world.service.on_symptom(["erp"], NOW + after)
        await world.settled()
    world.service.on_symptom(["mail"], NOW + 301)
    assert len(await world.findings(3)) == 3
    assert world.frozen == [("erp", NOW), ("erp", NOW + 300), ("mail", NOW + 301)]
    assert world.counted()["skipped"] == 3
    assert list(world.service._frozen_at) == ["erp", "mail"]


async def test_all_are_frozen_at_once_and_dissected_one_after_the_other(world: World) -> None:
    world.service.on_symptom(["a", "b", "c"], NOW)
    assert sorted(one.business for one in await world.findings(3)) == ["a", "b", "c"]
    assert world.most_at_once == 1


async def test_more_than_can_wait_are_dropped_and_counted(world: World) -> None:
    world.may_freeze.clear()
    world.service.on_symptom(["a", "b", "c", "d", "e"], NOW)
    world.may_freeze.set()
    assert len(await world.findings(3)) == 3
    assert world.counted()["dropped"] == 2
    world.service.on_symptom(["d"], NOW + 1)
    assert [one.business for one in await world.findings(1)] == ["d"]


async def test_without_packets_there_is_no_file(world: World) -> None:
    world.packets["erp"] = b""
    world.service.on_symptom(["erp"], NOW)
    await asyncio.sleep(0)
    await world.settled()
    assert world.files.written == []
    assert world.counted() == {"requests": 1, "without_packets": 1}


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (TimeoutError(), "no packets came in time"),
        (LookupError(), "LookupError()"),
        (LookupError("a bug"), "a bug"),
    ],
)
async def test_a_freeze_that_fails_is_counted_and_said(world: World, error: Exception, reason: str) -> None:
    world.packets["erp"] = error
    world.service.on_symptom(["erp"], NOW)
    await world.settled()
    assert world.counted() == {"requests": 1, "failed": 1}
    assert world.service.health() == ComponentHealth(HealthLevel.WARNING, f"no evidence of erp could be kept: {reason}")
    world.service.on_symptom(["mail"], NOW)
    await world.findings(1)
    assert world.service.health() == ComponentHealth()


async def test_files_that_wait_are_counted() -> None:
    world = World()
    world.service.on_symptom(["a", "b"], NOW)
    await world.settled()
    assert world.counted() == {"requests": 2, "files": 2, "bytes": 14, "waiting": 2}
    running = asyncio.create_task(world.service.run())
    await world.findings(2)
    running.cancel()
    assert world.counted().get("waiting") is None


async def test_a_full_disk_is_said(world: World) -> None:
    world.files.error = OSError(28, "cannot write evidence: No space left on device")
    world.service.on_symptom(["erp"], NOW)
    await world.settled()
    assert world.counted() == {"requests": 1, "failed": 1}
    assert "No space left on device" in world.service.health().reason


async def test_a_finding_with_a_problem_is_counted(world: World) -> None:
    world.problem = MISSING
    world.service.on_symptom(["erp"], NOW)
    assert [one.problem for one in await world.findings(1)] == [MISSING]
    assert world.counted()["incomplete_dissections"] == 1


async def test_a_listener_that_fails_hears_the_next_finding(world: World) -> None:
    world.deaf = True
    world.service.on_symptom(["a", "b"], NOW)
    assert len(await world.findings(2)) == 2


async def test_old_files_go_at_the_start_and_every_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("btimd.capture.evidenceservice._TIDY_SECONDS", 0.0)
    world = World()
    await world.service.start()
    assert world.files.tidied == [NOW]
    world.files.error = OSError("it is read-only")
    running = asyncio.create_task(world.service.run())
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(world.files.tidied) < 3:  # noqa: ASYNC110  the service waits for a moment of its own
            await asyncio.sleep(0.001)
    running.cancel()
    assert world.service.health() == ComponentHealth(
        HealthLevel.WARNING, "old evidence cannot be deleted: it is read-only"
    )


async def test_stopping_does_not_wait_for_packets(world: World) -> None:
    world.may_freeze.clear()
    world.service.on_symptom(["erp"], NOW)
    await asyncio.sleep(0)
    await world.service.stop()
    assert world.files.written == []
    assert world.service._freezing == set()


async def test_without_tshark_health_says_so(tmp_path: Path) -> None:
    world = World(dissect_limits=DissectLimits(tshark=str(tmp_path / "tshark")))
    await world.service.start()
    assert world.service.health() == ComponentHealth(HealthLevel.WARNING, MISSING)


@pytest.mark.slow
async def test_from_packets_to_a_sentence(tmp_path: Path) -> None:
    need("tshark")
    recorder = PacketRecorder(RingLimits(flows=4, payload_octets={"erp": 64}))
    frames = conversation(
        80, [(">", HTTP_QUESTION), ("<", http_answer(503)), (">", HTTP_QUESTION), ("<", http_answer(200))]
    )
    recorder.tags[2] = recorder.ring_of("erp")
    block, positions = block_of(frames)
    recorder.record(block, np.full(len(block), 2, np.int32), positions)
    now = START / 1e9 + 1

    async def freeze(business: str, at: float) -> bytes:
        asked = asyncio.create_task(frozen([recorder], business, at, application="btimd"))
        await asyncio.sleep(0)
        recorder.tick(int(at * 1e9))
        return await asked

    found: asyncio.Queue[Finding] = asyncio.Queue()
    keeper = EvidenceKeeper(tmp_path)
    service = EvidenceService(freeze, keeper, found.put_nowait, Metrics(), Log("test"), clock=ManualClock(now=now))
    await service.start()
    running = asyncio.create_task(service.run())
    service.on_symptom(["erp", "mail"], now)
    async with asyncio.timeout(PATIENCE_SECONDS):
        finding = await found.get()
    running.cancel()
    await service.stop()

    assert finding.summary == "HTTP 503 in 1 of 2 answers of 10.1.2.3:80"
    assert (finding.business, finding.packets, finding.problem) == ("erp", len(frames), "")
    assert [one.path.name for one in keeper.files()] == ["20231114T221321.000Z-erp.pcapng"]
