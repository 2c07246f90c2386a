"""Tests of what an incident costs a business while it lasts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from btimd.daemon.losses import Loss, LossWatch, losses, sentence, traffic_losses, user_losses
from btimd.model.incident import IncidentState
from btimd.model.units import UnixSeconds
from btimd.model.users import ClientColumns
from btimd.runtime.clock import ManualClock
from tests.fakes.views import INCIDENT, WINDOW

MINUTE = 60_000
BEGAN = 1_790_000_040_000
NORTH, EAST = 0, 1


def clients(*rows: tuple[int, int, int, int]) -> ClientColumns:
    """Return clients of (business, plan row, first seen, last seen), times in ms after the begin."""
    columns = np.array(rows, np.int64).reshape(-1, 4)
    count = len(columns)
    return ClientColumns(
        businesses=("erp", "hr"),
        address_hi=np.zeros(count, np.uint64),
        address_lo=np.arange(count, dtype=np.uint64),
        business_id=columns[:, 0].astype(np.int32),
        plan_row=columns[:, 1].astype(np.int32),
        first_seen=BEGAN + columns[:, 2],
        last_seen=BEGAN + columns[:, 3],
        octets=np.zeros(count, np.int64),
    )


def test_users_on_line_at_the_begin_and_not_seen_since_are_lost_by_region() -> None:
    known = clients(
        (0, NORTH, -900_000, -10_000),  # lost
        (0, NORTH, -900_000, 30_000),  # its last flow ended while it began: lost
        (0, NORTH, -900_000, 150_000),  # still there
        (0, NORTH, -900_000, -400_000),  # had gone before
        (0, NORTH, 20_000, 150_000),  # came later
        (0, -1, -900_000, -10_000),  # lost, from nowhere known
        (1, NORTH, -900_000, -10_000),  # of another business
    )  # fmt: skip

    assert user_losses(known, ("north", "east"), "erp", BEGAN) == {"north": (3, 2), "": (1, 1)}
    assert user_losses(known, ("north", "east"), "crm", BEGAN) == {}


def test_traffic_before_is_the_mean_of_five_minutes_and_now_the_latest_whole_one() -> None:
    def minute(number: int, octets: int, region: str = "north") -> object:
        start = BEGAN // MINUTE * MINUTE + number * MINUTE
        return replace(
            WINDOW, interval_start_milliseconds=start, region=region, octets_to_server=0, octets_to_client=octets
        )

    began = BEGAN // MINUTE * MINUTE
    rows = [minute(-6, 9_000_000), minute(-2, 600_000), minute(-1, 1_200_000), minute(1, 60_000), minute(2, 30_000)]
    rows.append(minute(-1, 240_000, "east"))

    found = traffic_losses(rows, began, now=began + 2 * MINUTE + 5_000)  # type: ignore[arg-type]  # rows

    assert found == {"north": (15_000.0, 1_000.0), "east": (2_000.0, 0.0)}


def test_without_traffic_before_nothing_is_said_of_traffic() -> None:
    assert traffic_losses([], BEGAN, BEGAN + 5 * MINUTE) == {}


def test_the_sentence_names_the_regions_that_lost_most() -> None:
    found = losses({"north": (40, 30), "east": (80, 11), "": (2, 0)}, {"north": (10e6, 1e6), "east": (1e6, 1.25e6)})

    assert found[0] == Loss("", 122, 41, 11e6, 2.25e6)
    assert sentence(found, 1_790_000_040.0) == (
        "of 122 users on line at 14:14 UTC, 41 were not seen since (north 30 of 40, east 11 of 80); "
        "traffic is 18 Mbit/s instead of 88 Mbit/s"
    )


async def test_an_incident_is_looked_at_once_when_the_records_of_its_first_minutes_are_in() -> None:
    clock, asked, told = ManualClock(INCIDENT.began_at + 60), [], []

    def look(business: str, began: UnixSeconds) -> Sequence[Loss]:
        asked.append((business, began))
        return losses({"north": (40, 30)}, {}) if business == "erp" else losses({}, {})

    watch = LossWatch(look, lambda *words: told.append(words), clock)
    incident = replace(INCIDENT, assessment=replace(INCIDENT.assessment, businesses=("erp", "hr")))
    watch.incident_changed(incident)
    await watch.tick()
    early = list(asked)
    clock.advance(121)
    await watch.tick()
    watch.incident_changed(incident)
    await watch.tick()

    assert (early, asked) == ([], [("erp", incident.began_at), ("hr", incident.began_at)])
    assert [(business, notes["users_lost"]) for business, _, notes in told] == [("erp", "30")]


async def test_an_incident_that_is_over_before_is_not_looked_at() -> None:
    clock, asked = ManualClock(INCIDENT.began_at), []

    def look(business: str, began: UnixSeconds) -> Sequence[Loss]:
        asked.append((business, began))
        return ()

    watch = LossWatch(look, lambda *_: None, clock)
    watch.incident_changed(INCIDENT)
    watch.incident_changed(replace(INCIDENT, state=IncidentState.CANCELLED))
    clock.advance(1000)
    await watch.tick()

    assert asked == []
