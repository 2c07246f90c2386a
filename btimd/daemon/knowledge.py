"""Knowledge beside the running incidents: what is known is offered, what was learned is kept, reporters are asked.

Nothing here holds an incident up: what happened is noted after it is durable and worked on later, one thing after the
other. What the knowledge base does not take is made up for from the journal, also after a restart.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from btimd.daemon.knowledgeevents import ENDED, SURVEY, WITHDRAWN, WORKED_ON, matters, may_have_missed, missed
from btimd.daemon.knowledgemetrics import KnowledgeMetrics
from btimd.daemon.knowledgeoffers import ARTICLES, KNOWN_ERROR, Offer, offer_of
from btimd.itsm.component import IncidentComponent
from btimd.itsm.knowledge import Use
from btimd.itsm.knowledgedesk import KnowledgeDesk
from btimd.itsm.knowledgesettings import KnowledgeSettings, ProblemSettings, SurveySettings
from btimd.itsm.problemwatch import ProblemWatch, Proposal
from btimd.itsm.proposals import ProposalBook
from btimd.itsm.triggers import SYSTEM, Reassess
from btimd.model.incident import (
    CommandRefusedError,
    Difficulty,
    Incident,
    IncidentEvent,
    IncidentState,
    RefusalCode,
)
from btimd.model.knowledge import (
    KnowledgeUnavailableError,
    Problem,
    RecordKind,
    Survey,
    UseOutcome,
)
from btimd.model.ports import Journal
from btimd.model.units import Seconds, UnixSeconds
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.store.knowledge import SqliteKnowledge

FILE_NAME: Final = "knowledge.sqlite"
STATE_NAME: Final = "knowledge"
WAITING_LIMIT: Final = 10_000
_HISTORY_LIMIT: Final = 5_000
_LOOK_SECONDS: Final = 60.0
_OVERLAP_SECONDS: Final = 600.0
"""What happened so long before the last save is looked at again after a start; asked again it changes nothing."""


@dataclass(frozen=True, slots=True)
class Aims:
    """The settings of knowledge. answer_within: how long answers to surveys are taken."""

    knowledge: KnowledgeSettings
    problem: ProblemSettings
    survey: SurveySettings
    answer_within: Seconds


class KnowledgeComponent:
    """A Component; the journal and the incidents must have started before.

    kinds: of nodes, by name, asked anew each time. desk, base and proposals are for who serves them to people: ask
    `check` first, which says why they cannot be had.
    """

    name = "knowledge"

    def __init__(
        self,
        aims: Aims,
        *,
        state_directory: Path,
        journal: Journal,
        incidents: IncidentComponent,
        kinds: Callable[[], Mapping[str, str]],
        metrics: Metrics,
        clock: Clock,
        log: Log,
    ) -> None:
        self.base = SqliteKnowledge(state_directory / FILE_NAME, call_seconds=aims.knowledge.call_timeout)
        self.watch = ProblemWatch(aims.problem.rules())
        self.desk = KnowledgeDesk(
            self.base, kinds=kinds, watch=self.watch, survey_rules=aims.survey.rules(aims.answer_within)
        )
        self.proposals = ProposalBook(aims.problem.within)
        self.kinds = kinds
        self._aims = aims
        self._journal = journal
        self._incidents = incidents
        self._clock = clock
        self._log = log
        self._happened: deque[tuple[Incident, IncidentEvent]] = deque()
        self._wake = asyncio.Event()
        self._open = False
        self._trouble = "the knowledge base was not opened yet"
        self._damage = ""
        self._behind = True
        self._done_until: UnixSeconds = 0.0
        self._looked_at = float("-inf")
        self._dirty = False
        self._metrics = KnowledgeMetrics(metrics)

    # The component.

    async def start(self) -> None:
        """Open the knowledge base; where that fails the incidents go on without it."""
        saved = await self._journal.load_state(STATE_NAME)
        self._done_until = self._clock.wall()  # what ended before there was any knowledge is not learned from
        if saved is not None:
            try:
                document = json.loads(saved)
                self.proposals.restore(document["proposals"])
                self._done_until = float(document["done_until"])
            except (ValueError, KeyError, TypeError) as error:
                self._damage = f"what was proposed could not be read and began anew: {error}"
                self._log.error("proposals-begin-anew", error=str(error))
        if saved is None:
            await self._save()
        await self._try_open()

    async def run(self) -> None:
        """Work on what happens, remind, and try again to open what could not be opened."""
        while True:
            await self.work()
            with suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._wake.wait()

    async def stop(self) -> None:
        """Close the knowledge base; what was not worked on is made up for after the next start."""
        if self._dirty:
            await self._save()
        if self._open:
            self._open = False
            self._trouble = "btimd is stopping"
            await asyncio.to_thread(self.base.close)

    def health(self) -> ComponentHealth:
        """Say whether knowledge is to be had."""
        trouble = self._trouble or self.base.failure or self._damage
        return ComponentHealth(HealthLevel.WARNING if trouble else HealthLevel.OK, trouble)

    def check(self) -> None:
        """Raise KnowledgeUnavailableError, with the reason, where the knowledge base is not open."""
        if not self._open:
            raise KnowledgeUnavailableError(self._trouble)

    def wake(self) -> None:
        """Look now; for clocks that are moved by hand."""
        self._looked_at = float("-inf")
        self._wake.set()

    # What incidents tell.

    def followed(self, incident: Incident, events: Sequence[IncidentEvent]) -> None:
        """Note what happened to an incident; it is worked on later."""
        for event in events:
            if not matters(event):
                continue
            if len(self._happened) >= WAITING_LIMIT:
                self._behind = True  # the journal has it
                self._metrics.failures.inc()
            else:
                self._happened.append((incident, event))
        self._wake.set()

    async def work(self) -> None:
        """Do all that there is to do now."""
        self._wake.clear()
        if not self._open:
            await self._try_open()
        if not self._open:
            self._behind |= bool(self._happened)
            self._metrics.failures.inc(len(self._happened))
            self._happened.clear()
            return
        if self._behind:
            await self._catch_up()
        while self._happened:
            incident, event = self._happened.popleft()
            await self._guarded(self._after, incident, event)
        now = self._clock.wall()
        if now - self._looked_at >= _LOOK_SECONDS:
            self._looked_at = now
            await self._look(now)

    async def _guarded(self, act: Callable[..., object], *arguments: object) -> bool:
        """Do one thing; what the knowledge base refuses now is made up for later."""
        try:
            await act(*arguments)  # type: ignore[misc]  # all of them are coroutine functions
        except KnowledgeUnavailableError as error:
            self._behind = True
            self._metrics.failures.inc()
            self._log.warning("knowledge-failed", error=str(error))
            return False
        except CommandRefusedError as refusal:  # a person was faster; there is nothing left to do
            self._log.info("knowledge-step-void", reason=str(refusal))
        return True

    async def _after(self, incident: Incident, event: IncidentEvent) -> None:
        """Do what an event gives rise to."""
        if event.to_state in WITHDRAWN:
            self.desk.withdrawn(incident)
            return
        if event.kind == SURVEY:
            await self._answered(incident, event)
        elif event.from_state is None or event.kind == "unmerged":
            await self._opened(incident)
            await self._offer(incident)
            await self._ease(incident)
        elif event.to_state in ENDED and event.from_state not in ENDED:
            await self._resolved(incident, event)
        elif event.to_state is IncidentState.ACCEPTED and event.from_state not in WORKED_ON:
            await self._offer(incident)
        elif event.kind == "reported":
            await self._ease(incident)

    async def _opened(self, incident: Incident) -> None:
        now = self._clock.wall()
        proposal = await self.desk.opened(incident, now)
        self._take(proposal, now)

    async def _resolved(self, incident: Incident, event: IncidentEvent) -> None:
        by_person = event.actor != SYSTEM
        author = event.actor if by_person else incident.assignee or SYSTEM
        asked = incident.reporter if by_person else ""
        if asked and incident.reopen_count and await self._never_asked(incident):
            with suppress(CommandRefusedError):  # it came back again
                await self._incidents.ask_survey(incident.id, reminder=False)
        written = incident if self._aims.knowledge.drafts else replace(incident, closing_report="")
        article, survey, proposal = await self.desk.resolved(
            written, event.at, author=author, reporter=asked, category=incident.category
        )
        self._metrics.drafts.inc(article is not None)
        self._metrics.surveys.labels("invited").inc(survey is not None)
        self._take(proposal, self._clock.wall())
        if incident.closing is not None and incident.closing.article:
            use = Use(actor=author, about=incident.id, outcome=UseOutcome.HELPED)
            await self.desk.act(RecordKind.ARTICLE, incident.closing.article, use, event.at)

    async def _never_asked(self, incident: Incident) -> bool:
        """Tell whether the engine asked nobody, as the incident had cleared by itself the first time."""
        if await self.base.load(RecordKind.SURVEY, incident.id) is not None:
            return False
        timeline = await self._incidents.timeline(incident.id)
        return not any(event.kind == "survey-asked" for event in timeline)

    async def _answered(self, incident: Incident, event: IncidentEvent) -> None:
        score = int(event.details.get("survey_score") or 0)
        await self.desk.answered(incident, event.at, score=score, comment=event.reason, by=event.actor)
        self._metrics.surveys.labels("answered").inc()

    def _take(self, proposal: Proposal | None, now: UnixSeconds, *, again: bool = False) -> None:
        if proposal is not None and self.proposals.take(proposal, now, again=again):
            self._dirty = True
            self._log.info("problem-proposed", key=proposal.key, why=proposal.why)

    # What is offered.

    async def _offer(self, incident: Incident) -> None:
        """Write what may help into the timeline, unless it says so already."""
        live = await self._incidents.incident(incident.id)
        if live is None or not live.state.is_open:
            return
        offer = await self.offer(live)
        if not offer.notes or offer.notes == await self._last_offer(incident.id):
            return
        if await self._incidents.noted(incident.id, offer.text, offer.notes) is not None:
            self._metrics.offers.inc()

    async def offer(self, incident: Incident) -> Offer:
        """Return what is known that may help with an incident."""
        settings = self._aims.knowledge
        known = await self.desk.known_error(incident)
        if not settings.offers:
            return offer_of((), known)
        found = await self.desk.matches(incident, settings.offers, category=incident.category)
        return offer_of([one for one in found if one.fit >= settings.offers_from()], known)

    async def _last_offer(self, incident_id: str) -> Mapping[str, str]:
        for event in reversed(await self._incidents.timeline(incident_id)):
            found = {name: event.details[name] for name in (ARTICLES, KNOWN_ERROR) if name in event.details}
            if found:
                return found
        return {}

    async def _ease(self, incident: Incident) -> None:
        """Lower the difficulty of an incident that is a case of a known error: what helps is known."""
        if incident.difficulty is Difficulty.LOW or not incident.state.is_open:
            return
        known = await self.desk.known_error(incident)
        if known is None:
            return
        news = Reassess(
            impact=incident.impact,
            urgency=incident.urgency,
            assessment=incident.assessment,
            cause=f"it is a case of known error {known.id}",
            difficulty=Difficulty(incident.difficulty + 1),
        )
        await self._incidents.reassess(incident.id, news)

    # Time.

    async def _try_open(self) -> None:
        try:
            await asyncio.to_thread(self.base.open)
        except KnowledgeUnavailableError as error:
            if self._trouble != str(error):
                self._log.error("knowledge-not-open", error=str(error))
            self._trouble = str(error)
            return
        self._open, self._trouble = True, ""

    async def _catch_up(self) -> None:
        """Make up for what was not worked on: since the last save, and all incidents for the counting of problems."""
        now = self._clock.wall()
        found = await self._journal.load_incidents(only_open=False, limit=_HISTORY_LIMIT)
        recent = [one for one in reversed(found) if one.opened_at > now - self._aims.problem.within]
        try:
            proposals = await self.desk.load(recent)
        except KnowledgeUnavailableError as error:
            self._metrics.failures.inc()
            self._log.warning("knowledge-failed", error=str(error))
            return
        for proposal in proposals:
            self._take(proposal, now, again=True)
        since = self._done_until - _OVERLAP_SECONDS
        self._happened.clear()  # the journal has it
        self._behind = False
        for incident in reversed(found):
            if not may_have_missed(incident, since, self._aims.answer_within):
                continue
            for event in missed(await self._incidents.timeline(incident.id), since):
                if not await self._guarded(self._after, incident, event):
                    return

    async def _look(self, now: UnixSeconds) -> None:
        async def due() -> None:
            await self.desk.surveys_due(now, self._remind)
            self._metrics.count(await self.base.counts())

        if await self._guarded(due) and not self._behind:
            self._done_until, self._dirty = now, True
        self._metrics.proposed.set(len(self.proposals.open()))
        self._metrics.forgotten.set(self.watch.forgotten + self.proposals.forgotten)
        if self._dirty:
            await self._save()

    async def _remind(self, survey: Survey) -> None:
        if any(event.kind == "survey-reminded" for event in await self._incidents.timeline(survey.id)):
            return
        try:
            await self._incidents.ask_survey(survey.id, reminder=True)
        except CommandRefusedError as refusal:
            if refusal.code is not RefusalCode.NOT_ALLOWED_NOW and refusal.code is not RefusalCode.NOT_FOUND:
                raise
            return  # it was reopened, or is gone: nobody is asked
        self._metrics.surveys.labels("reminded").inc()

    async def _save(self) -> None:
        self._dirty = False
        document = {"proposals": self.proposals.document(), "done_until": self._done_until}
        body = json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        await self._journal.save_state(STATE_NAME, body)

    # What people decided.

    async def on_record(self, problem: Problem, by: str) -> None:
        """Note that a problem was put on record; what was proposed about it is decided."""
        if problem.key and self.proposals.taken(problem.key, problem.id, self._clock.wall(), by):
            await self._save()

    async def dismissed(self) -> None:
        """Keep what was just decided of a proposal."""
        await self._save()
