"""Makes the story of a diagnosis from its capsule: what was felt, known, asked, answered, and who led when."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from btimd.model.diagnosis import DiagnosisEntry, DiagnosisStep, DiagnosisStory, FactKind, KnownFact
from btimd.model.ports import DiagnosisProgress
from btimd.model.probe import Health
from btimd.model.sign import Change, Sign
from btimd.model.symptom import Symptom
from btimd.model.units import UnixSeconds
from btimd.model.verdict import Evidence, Suspect, Verdict
from btimd.rca.capsule import Capsule
from btimd.rca.engine import Engine
from btimd.rca.events import (
    ChangeSeen,
    Command,
    ReportProgress,
    ReportVerdict,
    RunProbe,
    SignSeen,
    SymptomSeen,
    VerdictExtended,
)
from btimd.rca.graph import GraphIndex
from btimd.rca.replay import differences
from btimd.rca.storygraph import picture

_MOST_FACTS: Final = 20


@dataclass(slots=True)
class Run:
    """What an engine did over the events of a capsule.

    asked: (check, reason) -> number of the batch, when. progress: by diagnosis, in order. verdicts: the last of each
    id.
    """

    index: GraphIndex
    asked: dict[tuple[str, str], tuple[int, UnixSeconds]] = field(default_factory=dict)
    progress: dict[str, list[DiagnosisProgress]] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    _batches: int = 0

    def note(self, commands: Iterable[Command], now: UnixSeconds) -> None:
        """Take what one event led to."""
        asked = False
        for command in commands:
            match command:
                case RunProbe(spec):
                    self._batches += not asked
                    asked = True
                    self.asked[spec.check.id, spec.why] = (self._batches, now)
                case ReportProgress(progress):
                    self.progress.setdefault(progress.id, []).append(progress)
                case ReportVerdict(verdict) | VerdictExtended(verdict):
                    self.verdicts[verdict.id] = verdict


def run_again(capsule: Capsule) -> Run:
    """Make a diagnosis again and return all that happens."""
    engine = Engine.restored(capsule.graph, capsule.state)
    run = Run(engine.index)
    for timed in capsule.events:
        run.note(engine.handle(timed.event, timed.at), timed.at)
    return run


def entry_of(verdict: Verdict, *, complete: bool, model: str, program: str) -> DiagnosisEntry:
    """Return a diagnosis as a line of the list."""
    return DiagnosisEntry(
        id=verdict.id,
        started_at=verdict.started_at,
        ended_at=verdict.ended_at,
        status=verdict.status,
        cause=verdict.cause,
        businesses=verdict.businesses,
        confidence=verdict.confidence,
        seconds_taken=verdict.seconds_taken,
        probes_used=verdict.probes_used,
        complete=complete,
        model=model,
        program=program,
    )


def story_of(capsule: Capsule) -> DiagnosisStory:
    """Return the story of the verdict that a capsule holds, and how it would differ today."""
    run = run_again(capsule)
    now = run.verdicts.get(capsule.verdict.id)
    return tell(capsule, run, capsule.verdict, differences(capsule.verdict, now) if capsule.complete else ())


def tell(capsule: Capsule, run: Run, verdict: Verdict, differs: tuple[str, ...] = ()) -> DiagnosisStory:
    """Return the story of a verdict that a run has come to."""
    symptoms = _symptoms(capsule, verdict)
    nodes, edges, left_out = picture(run.index, verdict, symptoms)
    progress = run.progress.get(diagnosis_of(verdict.id), [])
    return DiagnosisStory(
        verdict=verdict,
        symptoms=symptoms,
        known=_known(capsule, run.index, verdict),
        suspects=next((one.suspects for one in reversed(progress) if not _asked(one.evidence)), ()),
        steps=tuple(_steps(run, verdict, progress)),
        nodes=nodes,
        edges=edges,
        left_out=left_out,
        complete=capsule.complete,
        model=capsule.model,
        program=capsule.program,
        differences=differs,
    )


def diagnosis_of(verdict_id: str) -> str:
    """Return the diagnosis that a verdict came of: further causes of one have a number behind its id."""
    first, dot, number = verdict_id.rpartition(".")
    return first if dot and number.isdigit() else verdict_id


def _asked(evidence: Iterable[Evidence]) -> list[Evidence]:
    return [line for line in evidence if line.cost > 0]


def _steps(run: Run, verdict: Verdict, progress: Sequence[DiagnosisProgress]) -> Iterator[DiagnosisStep]:
    batches: dict[int, int] = {}
    for place, line in enumerate(verdict.evidence):
        number, asked_at = run.asked.get((line.check_id, line.why), (0, None))
        batch = batches.setdefault(number, len(batches) + 1) if number else 0
        if not number and line.cost > 0:  # an answer of a search whose questions are not in the capsule
            batch = batches.setdefault(-1, len(batches) + 1)
        check = run.index.checks.get(line.check_id)
        yield DiagnosisStep(
            batch=batch,
            asked_at=asked_at,
            answered_at=line.at,
            check_id=line.check_id,
            node=line.node,
            kind=check.kind if check is not None else None,
            why=line.why,
            gain_bits=line.gain_bits,
            cost=line.cost,
            health=line.health,
            error=line.error,
            detail=line.detail,
            log10_ratio=line.log10_ratio,
            suspects=_after(verdict, progress, place) if batch else (),
        )


def _after(verdict: Verdict, progress: Sequence[DiagnosisProgress], place: int) -> tuple[Suspect, ...]:
    """Return who was suspected once the evidence had grown to its line `place`."""
    line = verdict.evidence[place]
    for one in progress:
        if one.verdict is None and len(one.evidence) == place + 1:
            last = one.evidence[-1]
            return one.suspects if (last.check_id, last.at) == (line.check_id, line.at) else ()
    return ()


def _symptoms(capsule: Capsule, verdict: Verdict) -> tuple[Symptom, ...]:
    seen: dict[str, Symptom] = {}
    for known in capsule.state.known:
        seen.update(known.symptoms)
    seen |= {symptom.id: symptom for symptom in capsule.state.waiting}
    events = (timed.event for timed in capsule.events)
    seen |= {event.symptom.id: event.symptom for event in events if isinstance(event, SymptomSeen)}
    return tuple(seen[name] for name in verdict.symptoms if name in seen)


def _known(capsule: Capsule, index: GraphIndex, verdict: Verdict) -> tuple[KnownFact, ...]:
    """Return signs, changes and earlier causes around the symptoms, newest first."""
    tops = [node for node in verdict.symptom_nodes if node in index.graph.nodes]
    near = {node for top in tops for node in index.needs_closure(top)}
    told = [timed.event for timed in capsule.events if timed.at <= verdict.ended_at]
    signs: Mapping[str, Sign] = {
        sign.id: sign for sign in (*capsule.state.signs, *(event.sign for event in told if isinstance(event, SignSeen)))
    }
    changes: Iterable[Change] = (
        *capsule.state.changes,
        *(event.change for event in told if isinstance(event, ChangeSeen)),
    )
    facts = [
        *(KnownFact(FactKind.SIGN, one.node, one.health, one.text, one.at) for one in signs.values()),
        *(KnownFact(FactKind.CHANGE, one.node, Health.UNKNOWN, one.text, one.at) for one in changes),
        *(KnownFact(FactKind.EARLIER, node, Health.UNKNOWN, "", at) for node, at in capsule.state.failed),
    ]
    return tuple(sorted((one for one in facts if one.node in near), key=lambda one: -one.at)[:_MOST_FACTS])
