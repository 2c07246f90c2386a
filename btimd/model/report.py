"""Report: what somebody or something said is wrong (or well again), before it is known which incident it belongs to."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from btimd.model.incident import Impact, Urgency
from btimd.model.units import UnixSeconds

UNCLASSIFIED: Final = "unclassified"
"""The class of a report that no row of the classification fits."""


class ReportChannel(StrEnum):
    """The way a report came in."""

    DIAGNOSIS = "diagnosis"
    MANUAL = "manual"
    """Over gRPC, by somebody who saw it or typed in what was said on the phone."""
    EMAIL = "email"
    WEBHOOK = "webhook"
    TRAP = "trap"
    SYSLOG = "syslog"


class ReportSignal(StrEnum):
    """What a report says of its subject."""

    PROBLEM = "problem"
    CLEAR = "clear"
    INFO = "info"
    """Neither: it is added where it belongs, and opens nothing by itself."""


class ReportSeverity(StrEnum):
    """How bad the sender calls it."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Report:
    """One report. Two with the same key are the same report, sent again; two with the same fingerprint are one cause.

    id: of the key, the same whenever it is sent. source: system or person it comes from; reporter: who is told how it
    went on, "" = nobody. key: Message-ID, CloudEvents source and id, ... . node, business: of the model, "" = not
    known. host, check: as the sender calls them. origin_id: the sender's own number of the problem, the same in the
    report that clears it. count: how many reports it stands for; more than 1 for a summary. urgency, impact: None where
    the classification leaves them to the engine. path: the flow or group that takes it, "" = the usual one.
    template: which one read it. occurred_at: as the sender says, in its own words. cut: characters that were left out.
    opens: it may open an incident; else it only adds to one that is open for its cause.
    """

    id: str
    channel: ReportChannel
    source: str
    reporter: str
    received_at: UnixSeconds
    key: str
    signal: ReportSignal
    title: str
    text: str
    node: str = ""
    business: str = ""
    severity: ReportSeverity = ReportSeverity.UNKNOWN
    class_: str = UNCLASSIFIED
    fingerprint: str = ""
    host: str = ""
    check: str = ""
    origin_id: str = ""
    count: int = 1
    urgency: Urgency | None = None
    impact: Impact | None = None
    path: str = ""
    template: str = ""
    occurred_at: str = ""
    attachments: int = 0
    cut: int = 0
    opens: bool = True

    @property
    def is_summary(self) -> bool:
        """Tell whether it stands for others, which are kept under its id."""
        return self.id.startswith("S")


def report_id(channel: ReportChannel, key: str) -> str:
    """Return the id of the report with that key; another channel's keys are others."""
    return "R-" + hashlib.sha256(f"{channel}\n{key}".encode("utf-8", "surrogateescape")).hexdigest()[:24]


class ReportState(StrEnum):
    """What became of a report that is kept."""

    WAITING = "waiting"
    """Nobody has dealt with it yet."""
    HANDED = "handed"
    FOLDED = "folded"
    """It is one of many, and its summary is still to be written."""
    SUMMED = "summed"
    """It is part of a summary."""
    STUCK = "stuck"
    """It could not be dealt with several times; it is tried again every hour."""


@dataclass(frozen=True, slots=True)
class StoredReport:
    """A report as it is kept. is_new: False where it was kept before. folded_into: id of its summary, or ""."""

    report: Report
    state: ReportState
    incident_id: str = ""
    folded_into: str = ""
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Unsummed:
    """Folded reports whose summary was never written, as the process ended."""

    summary_id: str
    count: int
    first: Report
    last: Report


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Which reports to list; None = any."""

    channel: ReportChannel | None = None
    source: str | None = None
    state: ReportState | None = None
    incident_id: str | None = None
    folded_into: str | None = None


@dataclass(frozen=True, slots=True)
class ReportCount:
    """How many reports of a channel and state are kept."""

    channel: ReportChannel
    state: ReportState
    count: int
    newest_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class ReportStorm:
    """Reports that are being folded now. is_one_cause: else they are more causes than their source may bring."""

    summary_id: str
    channel: ReportChannel
    source: str
    title: str
    is_one_cause: bool
    count: int
    ends_at: UnixSeconds


@dataclass(frozen=True, slots=True)
class ReportReceipt:
    """What the sender of a report may be told. incident_id: "" where none is known yet."""

    report_id: str
    is_new: bool
    folded_into: str = ""
    incident_id: str = ""


class IntakeBusyError(Exception):
    """The report is not kept, as too much is on its way or the disk is slow: send it again later."""


class ReportsView(Protocol):
    """Reports as people see and make them."""

    async def reports(self, wanted: ReportFilter, limit: int) -> Sequence[StoredReport]:
        """Return reports, the newest first."""
        ...

    async def report(self, report_id: str) -> StoredReport | None:
        """Return one."""
        ...

    async def create(
        self,
        *,
        command_id: str,
        reporter: str,
        title: str,
        text: str,
        node: str,
        business: str,
        severity: ReportSeverity,
    ) -> ReportReceipt:
        """Take what a person tells; raises IntakeBusyError. Waits until the incident is known."""
        ...

    async def counts(self) -> Sequence[ReportCount]:
        """Return how many are kept."""
        ...

    def storms(self) -> Sequence[ReportStorm]:
        """Return what is being folded now, the largest first."""
        ...


class ReportStore(Protocol):
    """Keeps reports. What a method returned from survives the end of the process and of the machine."""

    async def add(self, report: Report, folded_into: str = "") -> StoredReport:
        """Keep a report, or return the one that was kept with its key; a summary ends the wait of what it sums up."""
        ...

    async def waiting(self, limit: int) -> Sequence[Report]:
        """Return those nobody has dealt with, in the order in which they came."""
        ...

    async def handed(self, report_id: str, incident_id: str) -> None:
        """Note that it was dealt with; "" where it belongs to no incident. Raises KeyError."""
        ...

    async def stuck(self, report_id: str) -> None:
        """Note that it cannot be dealt with for now."""
        ...

    async def again(self) -> int:
        """Let those that were stuck wait again; return how many."""
        ...

    async def unsummed(self) -> Sequence[Unsummed]:
        """Return groups of folded reports without a summary."""
        ...

    async def find(self, report_id: str) -> StoredReport | None:
        """Return one."""
        ...

    async def of_incident(self, incident_id: str, limit: int) -> Sequence[StoredReport]:
        """Return an incident's reports, the newest first."""
        ...

    async def newest(self, limit: int) -> Sequence[StoredReport]:
        """Return the newest first."""
        ...

    async def listed(self, wanted: ReportFilter, limit: int) -> Sequence[StoredReport]:
        """Return those that were asked for, the newest first."""
        ...

    async def counts(self) -> Sequence[ReportCount]:
        """Return how many are kept, by channel and state."""
        ...

    async def forget_unused(self, before: UnixSeconds, limit: int) -> int:
        """Remove up to so many that came before that and neither opened nor belong to an incident; return how many."""
        ...

    async def forget(self, before: UnixSeconds, limit: int) -> int:
        """Remove up to so many that were dealt with and came before that; return how many."""
        ...
