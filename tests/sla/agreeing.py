"""Agreements for the tests of this folder."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from btimd.model.agreement import Agreement, AgreementKind
from btimd.model.calendar import ALWAYS, CalendarRule, ServiceCalendar
from btimd.model.incident import Priority
from btimd.model.units import Seconds

SHANGHAI = ZoneInfo("Asia/Shanghai")
OFFICE = ServiceCalendar(
    "office", CalendarRule(zone=SHANGHAI, weekdays=frozenset(range(5)), hours=((9 * 60, 18 * 60),))
)
HOUR = 3600.0
MINUTE = 60.0


def moment(text: str) -> float:
    """Return a moment of November 2026 in Shanghai, of "16 09:00" (a Monday)."""
    day, clock = text.split()
    return datetime.fromisoformat(f"2026-11-{int(day):02} {clock}").replace(tzinfo=SHANGHAI).timestamp()


def millis(text: str) -> int:
    """Return the same in milliseconds."""
    return round(moment(text) * 1000)


def agreement(name: str = "bank", **what: Any) -> Agreement:
    """Return an SLA of 99.9 % for the business "erp", every hour of every day, by the month in Shanghai."""
    plain: dict[str, Any] = {
        "kind": AgreementKind.SLA,
        "availability_percent": 99.9,
        "calendar": ALWAYS,
        "zone": SHANGHAI,
        "businesses": ("erp",),
    }
    return Agreement(name=name, **(plain | what))


def covering(name: str, *nodes: str, kind: AgreementKind = AgreementKind.OLA, **what: Any) -> Agreement:
    """Return an OLA or UC of 99.9 % over some nodes, promised by a provider with the name in capitals."""
    return agreement(name, **({"kind": kind, "businesses": (), "nodes": nodes, "provider": name.upper()} | what))


def targets(**minutes: float) -> Mapping[Priority, Seconds]:
    """Return targets of P1=10 and so on, in minutes."""
    return {Priority[name]: number * MINUTE for name, number in minutes.items()}
