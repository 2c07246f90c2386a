"""AgreementsService: what was promised to whom, what was kept of it, and what was put right."""

from collections.abc import Mapping
from typing import Final

from btimd.api.auth import Caller
from btimd.api.codec import seconds_of_timestamp
from btimd.api.convert_agreements import (
    AGREEMENT_INFO,
    AUDIT_ENTRY,
    CALENDAR_INFO,
    CONTRIBUTION,
    OUTAGE_CHANGE,
    PERIOD_FIGURES,
    STANDING_VIEW,
)
from btimd.api.errors import invalid, not_found
from btimd.api.pb import agreements_pb2 as pb
from btimd.api.requests import bounded, command_id, in_range, named, optional_name, page_limit, page_of
from btimd.api.rpc import Service
from btimd.model.agreement import AuditEntry, OutageChange
from btimd.model.levels import AgreementInfo, LevelsView

MOST_PERIODS: Final = 1000
MOST_DAYS: Final = 400
_USUAL_PERIODS: Final = 12
_USUAL_DAYS: Final = 14
_LANGUAGES: Final = ("en", "zh")
_MOST_LETTERS: Final = 1000


class AgreementsServicer:
    """Serves a LevelsView."""

    def __init__(self, view: LevelsView) -> None:
        self._view = view

    async def list_agreements(self, _request: pb.ListAgreementsRequest, caller: Caller) -> pb.ListAgreementsResponse:
        """Return all agreements."""
        seen = self._seen(caller).values()
        return pb.ListAgreementsResponse(agreements=[AGREEMENT_INFO.to_pb(one) for one in seen])

    async def list_standings(self, request: pb.ListStandingsRequest, caller: Caller) -> pb.ListStandingsResponse:
        """Return how subjects stand."""
        name = optional_name(request, "agreement")
        seen = self._seen(caller)
        if name is not None and name not in seen:
            raise not_found("agreement", name)
        standings = [
            STANDING_VIEW.to_pb(one)
            for one in await self._view.standings(name)
            if one.standing.figures.agreement in seen and _is_inside(one.standing.figures.subject, caller, seen)
        ]
        return pb.ListStandingsResponse(standings=standings)

    async def list_periods(self, request: pb.ListPeriodsRequest, caller: Caller) -> pb.ListPeriodsResponse:
        """Return all periods of an agreement."""
        name, subject = self._asked(request, caller)
        seen = self._seen(caller)
        periods = [
            PERIOD_FIGURES.to_pb(one)
            for one in self._view.periods(name)
            if subject in {None, one.subject} and _is_inside(one.subject, caller, seen)
        ]
        return pb.ListPeriodsResponse(periods=periods)

    async def list_contributions(
        self, request: pb.ListContributionsRequest, caller: Caller
    ) -> pb.ListContributionsResponse:
        """Return what each component took."""
        name, subject = self._asked(request, caller)
        periods = in_range("periods", request.periods, MOST_PERIODS) or _USUAL_PERIODS
        try:
            found = self._view.contributions(name, self._subject(name, subject, caller), periods)
        except KeyError as error:
            raise not_found("subject", str(error.args[0])) from error
        return pb.ListContributionsResponse(contributions=[CONTRIBUTION.to_pb(one) for one in found])

    async def get_statement(self, request: pb.GetStatementRequest, caller: Caller) -> pb.GetStatementResponse:
        """Return what was kept in words."""
        name, subject = self._asked(request, caller)
        if request.language not in _LANGUAGES:
            raise invalid("language", f"{request.language[:20]!r} is none of {', '.join(_LANGUAGES)}")
        at = seconds_of_timestamp(request.at) if request.HasField("at") else None
        try:
            text = self._view.statement(name, self._subject(name, subject, caller), at, request.language)
        except KeyError as error:
            raise not_found("subject or period", str(error.args[0])) from error
        return pb.GetStatementResponse(text=text)

    async def list_revisions(self, request: pb.ListRevisionsRequest, caller: Caller) -> pb.ListRevisionsResponse:
        """Return corrections, the newest first."""
        limit = page_limit(request.limit)
        business = optional_name(request, "business")
        seen = self._seen(caller)
        entries = [
            one
            for one in reversed(self._view.audit())
            if business in {None, one.revision.subject} and caller.scope.has_business(one.revision.subject)
        ]
        page, more = page_of(entries, limit)
        return pb.ListRevisionsResponse(entries=[_entry(one, caller, seen) for one in page], more=more)

    async def revise_account(self, request: pb.ReviseAccountRequest, caller: Caller) -> pb.ReviseAccountResponse:
        """Put a stretch of time right."""
        command_id(request)
        business = named(request, "business")
        if not caller.scope.has_business(business):
            raise not_found("business", business)
        why = bounded("why", request.why, _MOST_LETTERS)
        if not why.strip():
            raise invalid("why", "must be given")
        for field in ("start", "end"):
            if not request.HasField(field):
                raise invalid(field, "must be given")
        change = OUTAGE_CHANGE.from_pb(request.change)
        if change == OutageChange():
            raise invalid("change", "says nothing; give a condition, cause, supplier, planned or users")
        for field in ("cause", "supplier"):
            bounded(f"change.{field}", getattr(request.change, field), _MOST_LETTERS)
        if change.users is not None and change.users < 0:
            raise invalid("change.users", f"{change.users} is less than nobody")
        start, end = seconds_of_timestamp(request.start), seconds_of_timestamp(request.end)
        try:
            entry = self._view.revise(business, start, end, change, by=caller.person, why=why)
        except ValueError as error:
            raise invalid("start, end, business", str(error)) from error
        return pb.ReviseAccountResponse(entry=_entry(entry, caller, self._seen(caller)))

    async def get_calendar(self, request: pb.GetCalendarRequest, _caller: Caller) -> pb.GetCalendarResponse:
        """Return a calendar."""
        names = self._view.calendars()
        name = named(request, "name")
        days = in_range("days", request.days, MOST_DAYS) or _USUAL_DAYS
        at = seconds_of_timestamp(request.at) if request.HasField("at") else None
        try:
            found = self._view.calendar(name, at, days)
        except KeyError as error:
            raise not_found("calendar", name) from error
        except ValueError as error:
            raise invalid("at", str(error)) from error
        return pb.GetCalendarResponse(calendar=CALENDAR_INFO.to_pb(found), names=names)

    # -- what a caller may see

    def _seen(self, caller: Caller) -> Mapping[str, AgreementInfo]:
        """Return the agreements that touch a caller's part; a promise holds everywhere, regions leave nothing out."""
        return {one.name: one for one in self._view.agreements() if _touches(one, caller)}

    def _asked(
        self, request: "pb.ListPeriodsRequest | pb.ListContributionsRequest | pb.GetStatementRequest", caller: Caller
    ) -> tuple[str, str | None]:
        name, subject = named(request, "agreement"), optional_name(request, "subject")
        seen = self._seen(caller)
        if name not in seen:
            raise not_found("agreement", name)
        if subject is not None and not _is_inside(subject, caller, seen):
            raise not_found("subject", subject)
        return name, subject

    def _subject(self, name: str, subject: str | None, caller: Caller) -> str | None:
        """Return the first subject that a caller may see, where none is named."""
        if subject is not None:
            return subject
        seen = self._seen(caller)
        return next((one for one in seen[name].businesses if _is_inside(one, caller, seen)), None)


def _touches(one: AgreementInfo, caller: Caller) -> bool:
    return caller.scope.is_all or caller.scope.allows(one.touches)


def _is_inside(subject: str, caller: Caller, seen: Mapping[str, AgreementInfo]) -> bool:
    return subject in seen or caller.scope.has_business(subject)


def _entry(entry: AuditEntry, caller: Caller, seen: Mapping[str, AgreementInfo]) -> pb.AuditEntry:
    message = AUDIT_ENTRY.to_pb(entry)
    if not caller.scope.is_all:
        inside = [one for one in message.effects if one.agreement in seen and _is_inside(one.subject, caller, seen)]
        del message.effects[:]
        message.effects.extend(inside)
    return message


def agreements_service(view: LevelsView) -> Service:
    """Return the service to be served."""
    return Service(pb.DESCRIPTOR.services_by_name["AgreementsService"], AgreementsServicer(view), ("sla",))
