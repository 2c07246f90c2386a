"""Calls of AgreementsService, as seen by a caller."""

from collections.abc import Sequence

from btimd.api.client import Client, Page
from btimd.api.codec import timestamp_of_seconds
from btimd.api.convert_agreements import (
    AGREEMENT_INFO,
    AUDIT_ENTRY,
    CALENDAR_INFO,
    CONTRIBUTION,
    OUTAGE_CHANGE,
    PERIOD_FIGURES,
    STANDING_VIEW,
)
from btimd.api.pb import agreements_pb2 as pb
from btimd.model.agreement import AuditEntry, OutageChange, PeriodFigures
from btimd.model.levels import AgreementInfo, CalendarInfo, Contribution, StandingView
from btimd.model.units import UnixSeconds


def agreements(client: Client) -> Page[AgreementInfo]:
    """Return all agreements."""
    return client.page("ListAgreements", pb.ListAgreementsRequest(), "agreements", AGREEMENT_INFO.from_pb)


def standings(client: Client, agreement: str | None = None) -> Page[StandingView]:
    """Return how subjects stand."""
    request = pb.ListStandingsRequest(agreement=agreement)
    return client.page("ListStandings", request, "standings", STANDING_VIEW.from_pb)


def periods(client: Client, agreement: str, subject: str | None = None) -> Page[PeriodFigures]:
    """Return the periods of an agreement, the oldest first."""
    request = pb.ListPeriodsRequest(agreement=agreement, subject=subject)
    return client.page("ListPeriods", request, "periods", PERIOD_FIGURES.from_pb)


def contributions(
    client: Client, agreement: str, subject: str | None = None, periods_back: int = 0
) -> Page[Contribution]:
    """Return what each component took, the worst first."""
    request = pb.ListContributionsRequest(agreement=agreement, subject=subject, periods=periods_back)
    return client.page("ListContributions", request, "contributions", CONTRIBUTION.from_pb)


def statement(
    client: Client, agreement: str, language: str, *, subject: str | None = None, at: UnixSeconds | None = None
) -> str:
    """Return what was kept in words."""
    stamp = None if at is None else timestamp_of_seconds(at)
    request = pb.GetStatementRequest(agreement=agreement, subject=subject, at=stamp, language=language)
    return str(client.call("GetStatement", request).text)


def revisions(client: Client, business: str | None = None, limit: int = 0) -> Page[AuditEntry]:
    """Return corrections, the newest first."""
    request = pb.ListRevisionsRequest(business=business, limit=limit)
    return client.page("ListRevisions", request, "entries", AUDIT_ENTRY.from_pb)


def revise_account(
    client: Client, command_id: str, business: str, start: UnixSeconds, end: UnixSeconds, change: OutageChange, why: str
) -> AuditEntry:
    """Put a stretch of time right."""
    request = pb.ReviseAccountRequest(
        command_id=command_id,
        business=business,
        start=timestamp_of_seconds(start),
        end=timestamp_of_seconds(end),
        change=OUTAGE_CHANGE.to_pb(change),
        why=why,
    )
    return AUDIT_ENTRY.from_pb(client.call("ReviseAccount", request).entry)


def calendar(
    client: Client, name: str, at: UnixSeconds | None = None, days: int = 0
) -> tuple[CalendarInfo, Sequence[str]]:
    """Return a calendar, and the names of all."""
    stamp = None if at is None else timestamp_of_seconds(at)
    answer = client.call("GetCalendar", pb.GetCalendarRequest(name=name, at=stamp, days=days))
    return CALENDAR_INFO.from_pb(answer.calendar), tuple(answer.names)
