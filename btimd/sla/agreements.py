"""[sla.agreement.NAME] -> agreements, and every name in them that is not there."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from btimd.model.agreement import Agreement, Maintenance
from btimd.model.calendar import CalendarRule, ServiceCalendar
from btimd.model.incident import Priority
from btimd.model.service import ServiceGraph
from btimd.model.units import UnixSeconds
from btimd.settings.calendars import pick_calendar
from btimd.settings.load import TomlFile
from btimd.settings.positions import KeyPath
from btimd.settings.report import Problem, did_you_mean
from btimd.sla.chain import chain_notes
from btimd.sla.providers import Needs
from btimd.sla.settings import AgreementTable, MaintenanceTable

_WEEKDAYS: Final = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}


def build_agreements(
    tables: Mapping[str, AgreementTable], calendars: Mapping[str, ServiceCalendar]
) -> tuple[Agreement, ...]:
    """Return the agreements in the order of the file; raises ValueError for a calendar that is not there."""
    return tuple(_agreement(name, table, calendars) for name, table in tables.items())


def agreement_problems(
    file: TomlFile,
    tables: Mapping[str, AgreementTable],
    calendars: Collection[str],
    graph: ServiceGraph,
) -> list[Problem]:
    """Return every name in the agreements that nothing has: of calendars, businesses and nodes."""
    return [
        file.problem(("sla", "agreement", name, *path), text)
        for name, table in tables.items()
        for path, text in _problems(table, calendars, graph)
    ]


def _problems(table: AgreementTable, calendars: Collection[str], graph: ServiceGraph) -> Iterator[tuple[KeyPath, str]]:
    if table.calendar and table.calendar not in calendars:
        yield ("calendar",), f"no calendar '{table.calendar}'" + did_you_mean(table.calendar, calendars)
    for index, business in enumerate(table.businesses):
        if business not in graph.businesses:
            yield ("businesses", index), f"no business '{business}'" + did_you_mean(business, graph.businesses)
    for index, node in enumerate(table.nodes):
        if node not in graph.nodes:
            yield ("nodes", index), f"no node '{node}'" + did_you_mean(node, graph.nodes)


def review_notes(agreements: Collection[Agreement], now: UnixSeconds) -> list[str]:
    """Return which agreements are to be reviewed, or have run out."""
    notes = []
    for one in agreements:
        today = datetime.fromtimestamp(now, one.zone).date()
        if one.valid_until is not None and one.valid_until < today:
            notes.append(f"agreement {one.name} ran out on {one.valid_until}; renew it or take it away")
        elif one.review_on is not None and one.review_on <= today:
            notes.append(f"agreement {one.name} was to be reviewed on {one.review_on}; set the next date")
    return notes


def needs_of(graph: ServiceGraph) -> Needs:
    """Return what every node needs."""
    return {name: node.needs for name, node in graph.nodes.items()}


def agreement_notes(agreements: Sequence[Agreement], graph: ServiceGraph, now: UnixSeconds) -> list[str]:
    """Return what is allowed but does not add up, or is to be talked about, one line each."""
    lines = [
        f"{'gap: ' if note.is_gap else ''}agreement {note.agreement}: {note.text}"
        for note in chain_notes(agreements, graph, now)
    ]
    return lines + review_notes(agreements, now)


def _agreement(name: str, table: AgreementTable, calendars: Mapping[str, ServiceCalendar]) -> Agreement:
    calendar = pick_calendar(table.calendar, calendars)
    zone = _zone(table, calendar)
    weekly = [one for one in table.maintenance if one.from_ is None]
    return Agreement(
        name=name,
        kind=table.kind,
        availability_percent=table.availability_percent,
        calendar=calendar,
        zone=zone,
        title=table.title,
        title_zh=table.title_zh,
        provider=table.provider,
        customer=table.customer,
        businesses=tuple(dict.fromkeys(table.businesses)),
        nodes=tuple(dict.fromkeys(table.nodes)),
        period=table.period,
        response=MappingProxyType({Priority[one]: seconds for one, seconds in table.response.items()}),
        resolve=MappingProxyType({Priority[one]: seconds for one, seconds in table.resolve.items()}),
        maintenance_calendars=tuple(_weekly(f"{name} maintenance", one, zone) for one in weekly),
        maintenance=tuple(_once(one, zone) for one in table.maintenance if one.from_ is not None),
        exclude_planned=table.exclude_planned,
        draft=table.draft,
        valid_from=table.valid_from,
        valid_until=table.valid_until,
        review_on=table.review_on,
    )


def _zone(table: AgreementTable, calendar: ServiceCalendar) -> tzinfo:
    if table.timezone:
        return ZoneInfo(table.timezone)
    return UTC if calendar.rule is None else calendar.rule.zone


def _weekly(name: str, table: MaintenanceTable, zone: tzinfo) -> ServiceCalendar:
    days = frozenset(_WEEKDAYS[day] for day in table.days)
    return ServiceCalendar(name, CalendarRule(zone=zone, weekdays=days, hours=table.hours))


def _once(table: MaintenanceTable, zone: tzinfo) -> Maintenance:
    start, end = (
        moment.timestamp() if moment.tzinfo is not None else moment.replace(tzinfo=zone).timestamp()
        for moment in (table.from_, table.to)
        if moment is not None
    )
    return Maintenance(start, end, table.reason, table.reference)
