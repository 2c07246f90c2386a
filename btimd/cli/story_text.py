"""The story of a diagnosis in plain sentences."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from itertools import groupby
from typing import Final

from btimd.cli.ctl_text import full_moment, percent, quantity, span
from btimd.cli.story_phrases import FACTS, HEALTHS, NEXT, STATUSES, Language, phrase, reason, say
from btimd.model.diagnosis import DiagnosisStep, DiagnosisStory, KnownFact
from btimd.model.verdict import Suspect, VerdictStatus

_SHOWN: Final = 4
_NODES_SHOWN: Final = 8
_COUNTS: Final = 0.05
"""Powers of ten from which an answer is said to speak for or against."""
_WAS_SUSPECTED: Final = 0.03
_IS_RULED_OUT: Final = 0.25
_HAS_RISEN: Final = 0.05


@dataclass(frozen=True, slots=True)
class Chapter:
    """A heading and its lines; a line that begins with two spaces belongs to the one before."""

    title: str
    lines: tuple[str, ...]


def chapters(story: DiagnosisStory, language: Language, zone: tzinfo | None = None) -> tuple[Chapter, ...]:
    """Return the story from what was felt to what happens next. zone: of the times, None = the local one."""
    return tuple(_Teller(story, language, zone).chapters())


def headline(story: DiagnosisStory, language: Language) -> str:
    """Return the finding in one sentence."""
    return story.verdict.summary if language == "en" else _Teller(story, language, None).summary()


class _Teller:
    def __init__(self, story: DiagnosisStory, language: Language, zone: tzinfo | None) -> None:
        self._story = story
        self._language: Language = language
        self._zone = zone
        self._names = {node.id: (node.name_zh if language == "zh" else "") or node.name for node in story.nodes}

    def chapters(self) -> Iterator[Chapter]:
        yield self._chapter("felt", self._felt(), "felt_nothing")
        yield self._chapter("known", (*self._known(),), "known_nothing")
        yield from self._batches()
        yield self._chapter("verdict", self._verdict())
        if self._story.steps and self._story.verdict.cause is not None:
            yield self._chapter("weighed", self._weighed(), "weighed_nothing")
        yield self._chapter("not_asked", self._not_asked(), "not_asked_nothing")
        others = [node for node in self._story.verdict.causes if node != self._story.verdict.cause]
        if others:
            yield self._chapter("second", (self._say("second_line", node=self._label(node)) for node in others))
        yield Chapter(self._say("next"), (NEXT[self._story.verdict.status][self._language],))
        yield self._chapter("again", self._again())

    def summary(self) -> str:
        """Return the finding in a sentence of the chosen language."""
        verdict = self._story.verdict
        hit = self._say("down", businesses=self._list(self._name(one) for one in verdict.businesses) or "-")
        if len(verdict.path) > 1:
            hit += self._say("through", path=" → ".join(verdict.path))
        felt = self._list(self._name(one) for one in verdict.symptom_nodes)
        if verdict.status is VerdictStatus.NOT_CONFIRMED:
            return self._say("summary_probes", nodes=felt)
        if verdict.status is VerdictStatus.SHORTLIST:
            return self._say("summary_list", suspects=self._suspects(verdict.ranked), hit=hit)
        if verdict.cause is None:
            return self._say("summary_unknown", nodes=felt, hit=hit)
        trouble = phrase(self._language, verdict.cause_error)
        return self._say("summary_cause", cause=self._label(verdict.cause), phrase=trouble, hit=hit)

    # -- chapters

    def _felt(self) -> Iterator[str]:
        for symptom in self._story.symptoms:
            where = self._say("felt_where", region=symptom.region) if symptom.region else ""
            yield self._say(
                "felt_line",
                node=self._label(symptom.node),
                phrase=phrase(self._language, symptom.error),
                since=full_moment(symptom.since, self._zone),
                text=symptom.text,
                where=where,
            )

    def _known(self) -> Iterator[str]:
        for step in self._story.steps:
            if not step.batch:
                yield self._say(
                    "known_answer",
                    check=step.check_id,
                    node=self._label(step.node),
                    health=self._health(step),
                    age=span(max(self._story.verdict.started_at - step.answered_at, 0.0)),
                    detail=step.detail,
                )
        yield from (self._fact(fact) for fact in self._story.known)
        if self._story.suspects:
            yield self._say("first", suspects=self._suspects(self._story.suspects))

    def _fact(self, fact: KnownFact) -> str:
        health = HEALTHS[fact.health][self._language]
        return self._say(
            FACTS[fact.kind], node=self._label(fact.node), at=self._clock(fact.at), text=fact.text, health=health
        )

    def _batches(self) -> Iterator[Chapter]:
        before = self._story.suspects
        asked = sorted((step for step in self._story.steps if step.batch), key=lambda step: step.batch)
        for number, steps in groupby(asked, key=lambda step: step.batch):
            batch = list(steps)
            after = next((step.suspects for step in reversed(batch) if step.suspects), ())
            at = batch[0].asked_at
            title = (
                self._say("batch_unknown", count=len(batch))
                if at is None
                else self._say(
                    "batch",
                    number=number,
                    count=len(batch),
                    after=span(max(at - self._story.verdict.started_at, 0.0)),
                )
            )
            yield Chapter(title, (*self._answers(batch), *self._moved(before, after)))
            before = after or before

    def _answers(self, batch: Sequence[DiagnosisStep]) -> Iterator[str]:
        for step in batch:
            yield self._say(
                "asked",
                check=step.check_id,
                node=self._label(step.node),
                health=self._health(step),
                detail=step.detail,
            )
            if step.why:
                yield "  " + self._say("why", why=reason(self._language, step.why))

    def _moved(self, before: Sequence[Suspect], after: Sequence[Suspect]) -> Iterator[str]:
        """Say who leads now, and what the answers ruled out or made likely."""
        if not after:
            return
        was = {one.node: one.probability for one in before}
        now = {one.node: one.probability for one in after}
        leader = after[0]
        earlier = was.get(leader.node)
        yield self._say(
            "leads",
            node=self._label(leader.node),
            probability=percent(leader.probability, 0),
            before="" if earlier is None else self._say("leads_before", probability=percent(earlier, 0)),
        )
        risen = [node for node, value in now.items() if node != leader.node and value - was.get(node, 0.0) > _HAS_RISEN]
        fallen = [
            node
            for node, value in was.items()
            if value >= _WAS_SUSPECTED and now.get(node, 0.0) < value * _IS_RULED_OUT
        ]
        if risen:
            yield self._say("more", nodes=self._list(risen))
        if fallen:
            yield self._say("less", nodes=self._list(fallen))

    def _verdict(self) -> Iterator[str]:
        verdict = self._story.verdict
        yield verdict.summary if self._language == "en" else self.summary()
        yield self._say(
            "sure",
            status=STATUSES[verdict.status][self._language],
            confidence=percent(verdict.confidence, 0),
            seconds=span(verdict.seconds_taken),
            probes=verdict.probes_used,
            cost=f"{sum(line.cost for line in verdict.evidence):g}",
        )
        if verdict.ranked:
            yield self._say("ranked", suspects=self._suspects(verdict.ranked))

    def _weighed(self) -> Iterator[str]:
        steps = [step for step in self._story.steps if abs(step.log10_ratio) >= _COUNTS]
        for step in sorted(steps, key=lambda step: -step.log10_ratio):
            times = 10.0 ** abs(step.log10_ratio)
            yield self._say(
                "for" if step.log10_ratio > 0 else "against",
                times=self._say("times", number=f"{times:.1f}" if times < 10 else quantity(times)),  # noqa: PLR2004
                check=step.check_id,
                node=self._label(step.node),
                health=self._health(step),
            )

    def _not_asked(self) -> Iterator[str]:
        by_reason: dict[str, list[str]] = {}
        for left in self._story.verdict.not_asked:
            by_reason.setdefault(left.why, []).append(left.check_id or left.node)
        for why, names in by_reason.items():
            yield self._say("not_asked_line", nodes=self._list(names), why=reason(self._language, why))

    def _again(self) -> Iterator[str]:
        if not self._story.complete:
            yield self._say("again_never")
        elif not self._story.differences:
            yield self._say("again_same")
        yield from (self._say("again_other", difference=one) for one in self._story.differences)

    # -- words

    def _chapter(self, title: str, lines: Iterable[str], nothing: str = "") -> Chapter:
        found = tuple(lines)
        return Chapter(self._say(title), found or ((self._say(nothing),) if nothing else ()))

    def _say(self, sentence: str, **what: object) -> str:
        return say(self._language, sentence, **what)

    def _health(self, step: DiagnosisStep) -> str:
        return HEALTHS[step.health][self._language]

    def _name(self, node: str) -> str:
        return self._names.get(node) or node

    def _label(self, node: str) -> str:
        name = self._name(node)
        return f"{name} ({node})" if name != node else node

    def _list(self, names: Iterable[str]) -> str:
        listed = list(dict.fromkeys(names))
        text = self._say("and").join(listed[:_NODES_SHOWN])
        return text + (" ..." if len(listed) > _NODES_SHOWN else "")

    def _suspects(self, suspects: Sequence[Suspect]) -> str:
        return self._list(f"{one.node} {percent(one.probability, 0)}" for one in suspects[:_SHOWN])

    def _clock(self, at: float) -> str:
        return datetime.fromtimestamp(at, UTC).astimezone(self._zone).strftime("%m-%d %H:%M:%S")
