"""Standing: the verdicts whose trouble is not over.

What a known cause explains joins its verdict. When nothing is left of what it explained, the checks that convicted it
are asked again, until they are good and the users who were lost are back.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace

from btimd.model.ports import DiagnosisProgress
from btimd.model.probe import ErrorClass, Health, ProbeResult
from btimd.model.sign import SignSource
from btimd.model.symptom import Symptom
from btimd.model.units import UnixSeconds
from btimd.model.verdict import Verdict, VerdictStatus
from btimd.rca.diagnosis import Belief, Diagnosis
from btimd.rca.events import CauseCleared, EngineOptions, ReportProgress, ReportVerdict, RunProbe, VerdictExtended
from btimd.rca.findings import Outcome
from btimd.rca.graph import GraphIndex
from btimd.rca.graphfaults import GraphFaults
from btimd.rca.known import Known, Verification
from btimd.rca.memory import Memory
from btimd.rca.turn import Numbers, Turn
from btimd.rca.verdicts import build_verdict, extend_verdict


class Standing:
    """Every verdict in force by its id. numbers: shared with whoever else asks checks."""

    def __init__(self, options: EngineOptions, memory: Memory, numbers: Numbers) -> None:
        self.known: dict[str, Known] = {}
        self._options = options
        self._memory = memory
        self._numbers = numbers

    def explaining(self, symptom: Symptom, faults: GraphFaults) -> Known | None:
        """Return the verdict that a symptom belongs to, None where no cause that lasts explains it."""
        for known in self.known.values():
            cause = known.verdict.cause
            if cause is None:
                if symptom.node in known.verdict.symptom_nodes:
                    return known
            elif known.recovered_at is None and faults.explains(cause, symptom):
                return known
        return None

    def extend(self, known: Known, symptoms: Iterable[Symptom], index: GraphIndex, turn: Turn) -> None:
        """Let a verdict explain further symptoms too."""
        known.symptoms.update((symptom.id, symptom) for symptom in symptoms)
        known.verification = None
        listed = tuple(known.symptoms.values())
        known.verdict = extend_verdict(index, known.verdict, listed, own_error=known.own_error, reason=known.reason)
        turn.commands.append(VerdictExtended(known.verdict))

    def give(
        self,
        one: Diagnosis,
        belief: Belief,
        outcome: Outcome,
        covered: dict[str, Symptom],
        turn: Turn,
        *,
        verdict_id: str,
        causes: tuple[str, ...],
    ) -> None:
        """Give out the verdict of a diagnosis on the symptoms that it covers, or another one in place of a weak one."""
        verdict = build_verdict(one, belief, outcome, covered, turn.now, verdict_id=verdict_id, causes=causes)
        before = self.known.get(verdict_id)
        if before is not None and _same_finding(before.verdict, verdict):
            return
        if before is not None:
            verdict = replace(
                verdict,
                started_at=before.verdict.started_at,
                seconds_taken=max(turn.now - one.since(), 0.0),
                probes_used=before.verdict.probes_used + verdict.probes_used,
            )
        is_certain = outcome.status is VerdictStatus.CAUSE_FOUND
        own_error = verdict.cause_error if is_certain else ErrorClass.NONE
        known = Known(verdict, covered, own_error, outcome.reason, users_away=_users_away(one))
        known.looked_on = before.looked_on if before is not None else 0
        self.known[verdict_id] = known
        if is_certain and outcome.cause is not None:
            self._memory.suspicion.failed(outcome.cause, turn.now)
        self.plan_look_on(known, turn.now)
        one.step += 1
        progress = DiagnosisProgress(
            verdict_id, one.step, verdict.symptom_nodes, verdict.ranked, verdict.evidence, verdict
        )
        turn.commands.append(ReportProgress(progress))
        turn.commands.append(ReportVerdict(verdict) if before is None else VerdictExtended(verdict))

    def clear(self, known: Known, turn: Turn) -> None:
        """Declare the trouble of a verdict over."""
        del self.known[known.verdict.id]
        turn.commands.append(CauseCleared(known.verdict))

    def verify(self, known: Known, index: GraphIndex, turn: Turn) -> None:
        """Begin to make sure that a cause is gone whose symptoms are."""
        known.looks_on_at = None
        known.verification = Verification(next_at=turn.now)
        self.look_whether_gone(known, index, turn)

    def look_whether_gone(self, known: Known, index: GraphIndex, turn: Turn) -> None:
        """Declare the cause gone where its checks are good and users are back, else ask (again)."""
        state = known.verification
        if state is None or state.waiting:
            return
        open_checks = [check for check in known.convicting(index) if check.id not in state.good]
        given_up = state.rounds >= self._options.verify_times
        unanswerable = bool(open_checks) and all(check.id in state.unanswered for check in open_checks)
        still_bad = bool(open_checks) and not (given_up and unanswerable)
        away = known.users_still_away(self._memory.signs.values(), turn.now) and not given_up
        if not still_bad and not away:
            self.clear(known, turn)
            return
        if turn.now < state.next_at:
            return
        state.rounds += 1
        state.next_at = turn.now + self._options.verify_seconds * min(2.0 ** (state.rounds // 5), 16.0)
        for check in open_checks:
            spec = self._numbers.spec(check, f"is {check.node} well again?")
            state.waiting[spec.id] = check.id
            turn.commands.append(RunProbe(spec))

    def take(self, result: ProbeResult, index: GraphIndex, turn: Turn) -> bool:
        """Take the answer to a check that was asked again; tell whether it was one."""
        for known in list(self.known.values()):
            state = known.verification
            check_id = state.waiting.pop(result.spec.id, "") if state is not None else ""
            if state is None or not check_id:
                continue
            state.good.discard(check_id)
            state.unanswered.discard(check_id)
            if result.health is Health.GOOD:
                state.good.add(check_id)
            elif result.health is Health.UNKNOWN:
                state.unanswered.add(check_id)
            self.look_whether_gone(known, index, turn)
            return True
        return False

    def watch(self, result: ProbeResult, index: GraphIndex, turn: Turn) -> None:
        """Note of an answer that was not asked for whether the checks that convicted a cause are good again."""
        for known in list(self.known.values()):
            if known.verdict.cause == result.spec.check.node and result.health is not Health.UNKNOWN:
                self._watch(known, result, index, turn)

    def _watch(self, known: Known, result: ProbeResult, index: GraphIndex, turn: Turn) -> None:
        convicted = {check.id for check in known.convicting(index)}
        convicted |= {symptom.check_id for symptom in known.symptoms.values()}
        if result.spec.check.id not in convicted or result.started_at < known.verdict.ended_at:
            return
        if known.verification is not None:
            known.verification.good.discard(result.spec.check.id)
            if result.health is Health.GOOD:
                known.verification.good.add(result.spec.check.id)
            self.look_whether_gone(known, index, turn)
        elif result.health is Health.BAD:
            known.recovered_at = None
        elif known.recovered_at is None:
            known.recovered_at = result.started_at

    def outlived(self, turn: Turn) -> Iterator[Symptom]:
        """Clear causes that were repaired while symptoms stayed, and yield these: something else is broken too."""
        for known in list(self.known.values()):
            if known.recovered_at is None or turn.now < known.recovered_at + self._options.recheck_seconds:
                continue
            self.clear(known, turn)
            explained = {key for other in self.known.values() for key in other.symptoms}
            for symptom in known.symptoms.values():
                if symptom.id not in explained:
                    yield symptom

    def plan_look_on(self, known: Known, now: UnixSeconds) -> None:
        """Set when the search goes on after a weak answer, each time later, until it gives up."""
        if known.is_weak and known.looked_on < self._options.looks_on_times:
            known.looks_on_at = now + self._options.looks_on_after_seconds * 2.0**known.looked_on

    def deadlines(self) -> Iterator[UnixSeconds]:
        """Yield when something is due."""
        for known in self.known.values():
            at = known.next_deadline(self._options.recheck_seconds)
            if at is not None:
                yield at


def _same_finding(before: Verdict, now: Verdict) -> bool:
    """Tell whether looking on has found nothing else."""
    return (before.status, before.cause, before.causes) == (now.status, now.cause, now.causes)


def _users_away(one: Diagnosis) -> frozenset[str]:
    """Return the signs that tell of users of a business who are not served in this trouble."""
    businesses = one.index.graph.businesses
    return frozenset(
        sign.id
        for sign in one.signs_told()
        if sign.source is SignSource.FLOWS and sign.health is Health.BAD and sign.node in businesses
    )
