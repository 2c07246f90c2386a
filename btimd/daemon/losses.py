"""What an incident costs a business while it lasts: users that are gone since it began, and traffic before and now.

Some minutes after an incident has begun, when the flow records of that time have arrived, its timeline is told once.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from btimd.model.incident import Incident
from btimd.model.units import UNKNOWN_ID, UnixMillis, UnixSeconds
from btimd.model.users import ClientColumns
from btimd.model.window import WindowRow
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import ComponentHealth

LOOK_AFTER_SECONDS: Final = 180.0
"""So long after its begin an incident is looked at: exporters report long flows within two minutes."""
_ON_LINE_MILLISECONDS: Final = 300_000
_INTERVAL_MILLISECONDS: Final = 60_000
_BEFORE: Final = 5
"""Intervals before the begin that are averaged."""
_LOOK_EVERY_SECONDS: Final = 5.0
_MOST_WAITING: Final = 1000
_MOST_REGIONS: Final = 5
_BITS: Final = 8


@dataclass(frozen=True, slots=True)
class Loss:
    """What is missing of a region, or of all ("") where a business is told of as a whole.

    users_before: on line when it began; users_lost: of those, not seen since. octets_*: per second, both ways.
    """

    region: str
    users_before: int
    users_lost: int
    octets_before: float
    octets_now: float


def user_losses(
    clients: ClientColumns, regions: Sequence[str], business: str, began: UnixMillis
) -> dict[str, tuple[int, int]]:
    """Return who was on line when it began and who of them was not seen since, by region.

    regions: by row of the IP plan. On line is who was seen in the five minutes before.
    """
    if business not in clients.businesses:
        return {}
    ours = clients.business_id == clients.businesses.index(business)
    there = ours & (clients.first_seen <= began) & (clients.last_seen > began - _ON_LINE_MILLISECONDS)
    gone = there & (clients.last_seen <= began + _INTERVAL_MILLISECONDS)
    names = np.array([*regions, ""], object)  # the last one stands for row -1
    found: dict[str, tuple[int, int]] = {}
    for row in np.unique(clients.plan_row[there]).tolist():
        of_row = clients.plan_row == row
        region = str(names[row if row != UNKNOWN_ID else len(regions)])
        before, lost = found.get(region, (0, 0))
        found[region] = (before + int((there & of_row).sum()), lost + int((gone & of_row).sum()))
    return found


def traffic_losses(rows: Sequence[WindowRow], began: UnixMillis, now: UnixMillis) -> dict[str, tuple[float, float]]:
    """Return octets per second before and in the latest whole interval since, by region; {} where none is known.

    rows: of one business, intervals of a minute.
    """
    before: dict[int, dict[str, int]] = {}
    after: dict[int, dict[str, int]] = {}
    for row in rows:
        start = row.interval_start_milliseconds
        side = before if start + _INTERVAL_MILLISECONDS <= began else after if start >= began else None
        if side is not None and start + _INTERVAL_MILLISECONDS <= now:
            regions = side.setdefault(start, {})
            regions[row.region] = regions.get(row.region, 0) + row.octets_to_server + row.octets_to_client
    first = began // _INTERVAL_MILLISECONDS * _INTERVAL_MILLISECONDS - _BEFORE * _INTERVAL_MILLISECONDS
    averaged = {start: regions for start, regions in before.items() if start >= first}
    if not averaged:
        return {}
    seconds = _INTERVAL_MILLISECONDS / 1000
    latest = after[max(after)] if after else {}
    names = {name for regions in averaged.values() for name in regions} | latest.keys()
    return {
        name: (
            sum(regions.get(name, 0) for regions in averaged.values()) / len(averaged) / seconds,
            latest.get(name, 0) / seconds,
        )
        for name in names
    }


def losses(users: dict[str, tuple[int, int]], traffic: dict[str, tuple[float, float]]) -> tuple[Loss, ...]:
    """Return the loss of the whole business, then of the regions, those that lost most users first."""
    regions = [
        Loss(name, *users.get(name, (0, 0)), *traffic.get(name, (0.0, 0.0))) for name in users.keys() | traffic.keys()
    ]
    regions.sort(key=lambda one: (-one.users_lost, one.octets_now - one.octets_before, one.region))
    return (
        Loss(
            "",
            sum(one.users_before for one in regions),
            sum(one.users_lost for one in regions),
            sum(one.octets_before for one in regions),
            sum(one.octets_now for one in regions),
        ),
        *regions,
    )


def sentence(found: Sequence[Loss], began: UnixSeconds) -> str:
    """Return what is lost in a sentence for a timeline."""
    whole, *regions = found
    since = datetime.fromtimestamp(began, UTC).strftime("%H:%M UTC")
    parts = [f"of {whole.users_before} users on line at {since}, {whole.users_lost} were not seen since"]
    named = [one for one in regions if one.users_lost][:_MOST_REGIONS]
    if named:
        told = ", ".join(f"{one.region or '(unknown region)'} {one.users_lost} of {one.users_before}" for one in named)
        parts[0] += f" ({told})"
    if whole.octets_before:
        parts.append(f"traffic is {_rate(whole.octets_now)} instead of {_rate(whole.octets_before)}")
    return "; ".join(parts)


def _rate(octets_per_second: float) -> str:
    bits = octets_per_second * _BITS
    for unit, size in (("Gbit/s", 1e9), ("Mbit/s", 1e6), ("kbit/s", 1e3)):
        if bits >= size:
            return f"{bits / size:.3g} {unit}"
    return f"{bits:.3g} bit/s"


class LossWatch:
    """Looks at each incident once, when the records of its first minutes are in; a Component, used on the loop.

    look: returns the losses of a business since a time; called in a thread. tell: puts a sentence on the timelines of a
    business's incidents.
    """

    def __init__(
        self,
        look: Callable[[str, UnixSeconds], Sequence[Loss]],
        tell: Callable[[str, str, dict[str, str]], None],
        clock: Clock,
    ) -> None:
        self._look = look
        self._tell = tell
        self._clock = clock
        self._waiting: dict[str, tuple[UnixSeconds, UnixSeconds, tuple[str, ...]]] = {}
        self._done: dict[str, None] = {}

    @property
    def name(self) -> str:
        """Name for logs and metrics."""
        return "losses"

    async def start(self) -> None:
        """Take nothing."""

    async def run(self) -> None:
        """Look when it is time."""
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            await self.tick()

    async def stop(self) -> None:
        """Give nothing back."""

    def health(self) -> ComponentHealth:
        """There is nothing that could be wrong."""
        return ComponentHealth()

    def incident_changed(self, incident: Incident) -> None:
        """Take note of an incident; one that ends before it is looked at is not."""
        if not incident.state.is_open:
            self._waiting.pop(incident.id, None)
        elif incident.id not in self._done and incident.assessment.businesses:
            due = max(incident.began_at, incident.opened_at - LOOK_AFTER_SECONDS) + LOOK_AFTER_SECONDS
            self._waiting[incident.id] = (due, incident.began_at, incident.assessment.businesses)
            while len(self._waiting) > _MOST_WAITING:
                del self._waiting[next(iter(self._waiting))]

    async def tick(self) -> None:
        """Look at what is due."""
        now = self._clock.wall()
        for incident, (due, began, businesses) in list(self._waiting.items()):
            if due > now:
                continue
            del self._waiting[incident]
            self._done[incident] = None
            if len(self._done) > _MOST_WAITING:
                del self._done[next(iter(self._done))]
            for business in businesses:
                found = await asyncio.to_thread(self._look, business, began)
                if found and (found[0].users_before or found[0].octets_before):
                    self._tell(business, f"{business}: {sentence(found, began)}", _notes(found))


def _notes(found: Sequence[Loss]) -> dict[str, str]:
    whole = found[0]
    return {
        "users_before": str(whole.users_before),
        "users_lost": str(whole.users_lost),
        "octets_per_second_before": f"{whole.octets_before:.0f}",
        "octets_per_second_now": f"{whole.octets_now:.0f}",
        "users_lost_by_region": ", ".join(
            f"{one.region or '(unknown)'}: {one.users_lost}/{one.users_before}" for one in found[1 : _MOST_REGIONS + 1]
        ),
    }
