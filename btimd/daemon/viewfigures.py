"""The figures of a business now: what its traffic, connections, users and promises come to, by the names of FIGURES.

A figure that nothing measures is None with a note that says why, never 0.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from btimd.model.quality import QualityRow
from btimd.model.sla import SlaState
from btimd.model.units import UnixMillis
from btimd.model.view import FIGURES, BusinessMetric, Figure
from btimd.model.window import WindowRow

_BITS: Final = 8
_MILLIS: Final = 1000
_PER_MINUTE: Final = 60
FEWEST_CONNECTIONS: Final = 5
"""Of fewer attempts no share that failed is told."""
_NO_TRAFFIC: Final = "no traffic was seen in the last interval"
_NO_PACKETS: Final = "only packets that btimd captures itself tell it"
_NO_PROMISE: Final = "nothing was promised, or nothing is measured"


@dataclass(frozen=True, slots=True)
class UserCount:
    """Users of a business in a region, as they are on line."""

    region: str
    active: int
    idle: int


@dataclass(frozen=True, slots=True)
class Observed:
    """What is known of a business now. windows: rows of its latest closed interval, one per place.

    quality: of its latest closed interval, merged over all else; None = no connection was measured. users: by region;
    None = no flows are seen at all, so that nobody knows. components_bad: nodes it needs that are bad.
    """

    windows: Sequence[WindowRow] = ()
    quality: QualityRow | None = None
    users: Sequence[UserCount] | None = None
    sla: SlaState | None = None
    metrics: Sequence[BusinessMetric] = ()
    at: UnixMillis = 0
    components_bad: int = 0
    deviations: int = 0
    incidents: int = 0


def figures_of(seen: Observed) -> tuple[Figure, ...]:
    """Return every figure of FIGURES in its order, then those that others push."""
    values: dict[str, float | None] = {
        **_users(seen.users),
        **_traffic(seen.windows),
        **_quality(seen.quality),
        **_promises(seen.sla),
        "components_bad": seen.components_bad,
        "deviations": seen.deviations,
        "incidents": seen.incidents,
    }
    online, bits, requests = (
        values.get(name) for name in ("users_online", "traffic_bits_per_second", "requests_per_second")
    )
    values["bits_per_second_per_user"] = bits / online if bits is not None and online else None
    values["requests_per_user_per_minute"] = (
        requests * _PER_MINUTE / online if requests is not None and online else None
    )
    own = tuple(Figure(name, values.get(name), unit, note=_note(name, values)) for name, unit in FIGURES.items())
    return (*own, *(_pushed(one, seen.at) for one in seen.metrics))


def _pushed(metric: BusinessMetric, now: UnixMillis) -> Figure:
    age = (now - metric.at) / _MILLIS
    if age <= metric.valid_seconds:
        return Figure(f"kpi.{metric.name}", metric.value, metric.unit)
    return Figure(
        f"kpi.{metric.name}", None, metric.unit, note=f"pushed {age:.0f} s ago, valid for {metric.valid_seconds:g} s"
    )


def _note(name: str, values: Mapping[str, float | None]) -> str:
    if values.get(name) is not None:
        return ""
    if name.startswith(("users", "traffic", "packets", "flows", "bits")):
        return _NO_TRAFFIC
    return _NO_PROMISE if name.startswith(("availability", "error_budget")) else _NO_PACKETS


def _users(users: Iterable[UserCount] | None) -> Mapping[str, float | None]:
    if users is None:
        return {}
    counts = list(users)
    active, idle = sum(one.active for one in counts), sum(one.idle for one in counts)
    return {"users_active": active, "users_idle": idle, "users_online": active + idle}


def _traffic(windows: Sequence[WindowRow]) -> Mapping[str, float | None]:
    if not windows:
        return {}
    seconds = windows[0].interval_milliseconds / _MILLIS
    to_server, to_client = (sum(getattr(row, name) for row in windows) * _BITS / seconds for name in _OCTETS)
    return {
        "traffic_bits_per_second": to_server + to_client,
        "traffic_to_server_bits_per_second": to_server,
        "traffic_to_client_bits_per_second": to_client,
        "packets_per_second": sum(row.packets for row in windows) / seconds,
        "flows_per_second": sum(row.flows for row in windows) / seconds,
    }


_OCTETS: Final = ("octets_to_server", "octets_to_client")


def _quality(row: QualityRow | None) -> Mapping[str, float | None]:
    if row is None:
        return {}
    seconds = row.interval_milliseconds / _MILLIS
    attempted = row.connections_attempted
    failed = row.connections_refused + row.connections_unanswered
    segments = row.segments_to_server + row.segments_to_client
    again = row.segments_retransmitted_to_server + row.segments_retransmitted_to_client
    return {
        "connections_per_second": attempted / seconds,
        "connection_failure_ratio": min(failed / attempted, 1.0) if attempted >= FEWEST_CONNECTIONS else None,
        "client_network_seconds": row.client_leg.p50_seconds,
        "server_network_seconds": row.server_leg.p50_seconds,
        "response_p50_seconds": row.response.p50_seconds,
        "response_p95_seconds": row.response.p95_seconds,
        "retransmission_ratio": again / segments if segments else None,
        "requests_per_second": row.requests / seconds,
    }


def _promises(sla: SlaState | None) -> Mapping[str, float | None]:
    return {} if sla is None else {"availability_ratio": sla.availability, "error_budget_used_ratio": sla.burn_ratio}
