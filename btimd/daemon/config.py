"""A configuration folder -> everything the daemon is built from, or every mistake in all of its files at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, TypeVar

from btimd.capture.settings import ExporterSettings, SpanSettings, repeated_addresses, repeated_interfaces
from btimd.daemon.settings import DaemonSettings, RootSettings
from btimd.flows.plan import PlanEntry, compile_plan
from btimd.model.address import address_halves
from btimd.model.agreement import Agreement
from btimd.model.calendar import ServiceCalendar
from btimd.model.duty import People, RotaRules
from btimd.model.ipplan import IpPlan
from btimd.probes import catalogue
from btimd.settings.calendars import build_calendars, special_days
from btimd.settings.fields import Section
from btimd.settings.load import CsvRow, TomlFile, read_csv, read_toml, salvage, validate
from btimd.settings.people import load_people
from btimd.settings.references import unknown_regions
from btimd.settings.report import Problem, SettingsError
from btimd.settings.rota import load_rota
from btimd.settings.services import Services, load_services
from btimd.settings.tables import CheckRules
from btimd.sla.agreements import agreement_problems, build_agreements

S = TypeVar("S", bound=Section)

CHECK_RULES = CheckRules(catalogue.defaults_for, catalogue.OPTIONS, catalogue.needs_port, catalogue.problem_of)
PLAN_COLUMNS = ("prefix", "region", "segment", "person")


@dataclass(frozen=True, slots=True)
class Config:
    """What an operator's files say, checked. generation grows with every reload."""

    folder: Path
    settings: RootSettings
    services: Services
    plan: IpPlan
    plan_entries: tuple[PlanEntry, ...]
    generation: int
    calendars: Mapping[str, ServiceCalendar]
    agreements: tuple[Agreement, ...]
    people: People
    rota: RotaRules

    @property
    def state_directory(self) -> Path:
        """Where the daemon keeps what must survive it."""
        return self.folder / self.settings.daemon.state_directory

    @property
    def rota_calendars(self) -> Path:
        """The only directory from which calendars are read."""
        return self.folder / self.settings.daemon.rota_calendars


def load_config(path: Path, generation: int = 1) -> Config:
    """Return the configuration of a folder or a btimd.toml; raises SettingsError with every mistake of all files."""
    if not path.exists():
        text = "is not there; name a folder with btimd.toml, services.toml and ipplan.csv, or a btimd.toml"
        raise SettingsError([Problem(str(path), 0, "", text)])
    file = path / "btimd.toml" if path.is_dir() else path
    folder = file.parent
    settings, daemon, problems = _load_settings(file)
    services: Services | None = None
    try:
        services = load_services(folder / daemon.services, CHECK_RULES, generation)
    except SettingsError as error:
        problems.extend(error.problems)
    plan, entries, plan_problems = _load_plan(folder / daemon.ip_plan, generation)
    problems.extend(plan_problems)
    people, rota, duty_problems = _load_duty(folder, daemon, settings, services)
    problems.extend(duty_problems)
    if problems or services is None:
        raise SettingsError(problems)
    regions = {place.region for place in plan.places if place.region}
    unknown = _unknown_businesses(file, settings, services)
    unknown += unknown_regions(folder / daemon.services, services.graph, regions)
    calendars = build_calendars(settings.calendar)
    unknown += agreement_problems(read_toml(file), settings.sla.agreement, calendars.keys(), services.graph)
    if unknown:
        raise SettingsError(unknown)
    agreements = build_agreements(settings.sla.agreement, calendars)
    return Config(folder, settings, services, plan, entries, generation, calendars, agreements, people, rota)


def _load_duty(
    folder: Path, daemon: DaemonSettings, settings: RootSettings, services: Services | None
) -> tuple[People, RotaRules, Sequence[Problem]]:
    """Return people and rota; both files may be missing. A rota is read against people that are right."""
    people = People()
    try:
        if (folder / daemon.people).exists():
            people = load_people(
                folder / daemon.people,
                agreements=settings.sla.agreement.keys(),
                nodes=None if services is None else services.graph.nodes.keys(),
                businesses=None if services is None else services.graph.businesses.keys(),
            )
        if (folder / daemon.rota).exists():
            return people, load_rota(folder / daemon.rota, people, _country_days), ()
    except SettingsError as error:
        return people, RotaRules(), error.problems
    return people, RotaRules(), ()


def _country_days(code: str) -> tuple[frozenset[date], frozenset[date]]:
    """Return holidays and make-up workdays of a country, from last year to the year after next."""
    of_year, year = special_days(code), datetime.now(UTC).year
    years = [of_year(one) for one in range(year - 1, year + 3)]
    return frozenset().union(*(one.off for one in years)), frozenset().union(*(one.working for one in years))


def _unknown_businesses(file: Path, settings: RootSettings, services: Services) -> list[Problem]:
    """Return which businesses are to be kept with payload that services.toml does not know."""
    unknown = [one for one in settings.capture.evidence.payload if one not in services.graph.businesses]
    known = ", ".join(sorted(services.graph.businesses)) or "none"
    return [
        read_toml(file).problem(("capture", "evidence", "payload"), f"no business '{one}'; known: {known}")
        for one in unknown
    ]


def _load_settings(file: Path) -> tuple[RootSettings, DaemonSettings, list[Problem]]:
    """Return the settings, what they say of the other files even where something else is wrong, and the mistakes."""
    written: TomlFile | None = None
    try:
        written = read_toml(file)
        settings = validate(written, RootSettings)
    except SettingsError as error:
        daemon = salvage(written, DaemonSettings, ("daemon",)) if written and "daemon" in written.data else None
        problems = [*error.problems, *(_table_problems(written) if written else ())]
        return RootSettings(), daemon or DaemonSettings(), problems
    found = [*_table_problems(written), *_preference_problems(written, settings)]
    return settings, settings.daemon, found


def _table_problems(written: TomlFile) -> list[Problem]:
    """Return what does not go together in the named tables of [capture], each with its line, whatever else is wrong."""
    capture = written.data.get("capture")
    tables = capture if isinstance(capture, dict) else {}
    exporters = _right_tables(written, tables, "exporter", ExporterSettings)
    spans = _right_tables(written, tables, "span", SpanSettings)
    found: list[tuple[tuple[str, ...], str]] = [
        (("exporter", name, "address"), text) for name, text in repeated_addresses(exporters)
    ]
    found += [(("span", name, "interface"), text) for name, text in repeated_interfaces(spans)]
    found += [
        (("span", name), f"'{name}' is the name of an exporter too; rename one of them")
        for name in spans
        if name in exporters
    ]
    return [written.problem(("capture", *path), text) for path, text in found]


def _right_tables(written: TomlFile, capture: Mapping[str, Any], kind: str, model: type[S]) -> dict[str, S]:
    """Return the tables [capture.kind.NAME] in which nothing is wrong."""
    tables = capture.get(kind)
    named = {
        name: salvage(written, model, ("capture", kind, name)) for name in (tables if isinstance(tables, dict) else ())
    }
    return {name: table for name, table in named.items() if table is not None}


def _preference_problems(written: TomlFile, settings: RootSettings) -> list[Problem]:
    """Return which of flows.duplicates.prefer is neither an address nor the name of an exporter or a span."""
    found = []
    for one in settings.flows.duplicates.prefer:
        try:
            address_halves(one)
        except ValueError:
            if one not in settings.capture.exporter and one not in settings.capture.span:
                text = (
                    f"'{one}' is neither an address nor the name of a table [capture.exporter.NAME] or "
                    "[capture.span.NAME]; name one of them"
                )
                found.append(written.problem(("flows", "duplicates", "prefer"), text))
    return found


def plan_entries(rows: Iterable[CsvRow]) -> tuple[PlanEntry, ...]:
    """Return the lines of an IP plan that name a prefix, as written."""
    return tuple(
        PlanEntry(
            row.cells["prefix"],
            row.cells.get("region", ""),
            row.cells.get("segment", ""),
            row.cells.get("person", ""),
            row.line,
        )
        for row in rows
        if "prefix" in row.cells
    )


def _load_plan(path: Path, generation: int) -> tuple[IpPlan, tuple[PlanEntry, ...], Sequence[Problem]]:
    try:
        rows, problems = read_csv(path, PLAN_COLUMNS, ("prefix", "region"))
    except SettingsError as error:
        return IpPlan.empty(), (), error.problems
    entries = plan_entries(rows)
    plan, found = compile_plan(entries, generation)
    return plan, entries, [*problems, *(Problem(path.name, problem.line, "", problem.text) for problem in found)]
