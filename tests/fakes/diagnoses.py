"""Kept diagnoses in memory: one of a small shop whose database is dead, made by the engine itself."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

from typing_extensions import override

from btimd.model.diagnosis import DiagnosisEntry, DiagnosisStory, DiagnosisView, FactKind, KnownFact
from btimd.model.probe import Health
from btimd.rca.capsule import Capsule
from btimd.rca.capsulefiles import encode
from btimd.rca.story import entry_of, story_of
from tests.rca.test_replay import recorded
from tests.rca.worlds import World, shop


@cache
def shop_capsule() -> Capsule:
    """Return the capsule of the shop's dead database."""
    (capsule,) = recorded(World(shop(), dead=frozenset(["db1"])))
    return replace(capsule, model="0123456789abcdef")


@cache
def shop_story() -> DiagnosisStory:
    """Return its story, with a sign and a change that were known."""
    story = story_of(shop_capsule())
    return replace(
        story,
        known=(
            KnownFact(FactKind.SIGN, "erp", Health.BAD, "12 users get no answer", 999.5),
            KnownFact(FactKind.CHANGE, "db1", Health.UNKNOWN, "restarted", 900.0),
        ),
    )


class FakeDiagnoses(DiagnosisView):
    """Three entries, one story."""

    def __init__(self) -> None:
        entry = entry_of(shop_story().verdict, complete=True, model="0123456789abcdef", program="1")
        entry = replace(entry, ended_at=1000.5)
        self.entries = [entry, *(replace(entry, id=f"D{number}", complete=False) for number in (2, 1))]
        self.unreadable = False

    @override
    def diagnoses(self, limit: int) -> Sequence[DiagnosisEntry]:
        return self.entries[:limit]

    @override
    async def diagnosis(self, diagnosis_id: str) -> DiagnosisStory:
        self._look(diagnosis_id)
        return shop_story()

    @override
    async def export(self, diagnosis_id: str) -> bytes:
        self._look(diagnosis_id)
        return encode(shop_capsule())

    def _look(self, diagnosis_id: str) -> None:
        if self.unreadable:
            raise ValueError("D1.capsule.json.gz: is no capsule of a diagnosis")
        if diagnosis_id != self.entries[0].id:
            raise KeyError(diagnosis_id)
