"""Clients and plans in a few words, for the tests of the IP plan in use."""

import csv
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from btimd.flows.attribution import Attribution
from btimd.flows.plan import PlanEntry, compile_plan
from btimd.model.address import address_halves
from btimd.model.ipplan import IpPlan
from btimd.model.users import ClientColumns

BUSINESSES = ("erp", "hr")


@dataclass(frozen=True)
class Clients(ClientColumns):
    """Columns that can be asked for themselves."""

    @property
    def columns(self) -> ClientColumns:
        return self

    def pair(self) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64]]:
        return self.address_hi, self.address_lo


def entries(*lines: str) -> list[PlanEntry]:
    """Return the lines of a plan, counted from 2 as below a header."""
    return [PlanEntry(row[0], row[1], row[2], row[3], line) for line, row in enumerate(csv.reader(lines), start=2)]


def plan_of(*lines: str) -> IpPlan:
    plan, problems = compile_plan(entries(*lines), 1)
    assert not problems
    return plan


def clients(*rows: tuple[str, str, int, int], now: int, plan: IpPlan | None = None) -> Clients:
    """Return columns of (address, business, seconds since it was seen, octets); first seen 100 s before."""
    halves = [address_halves(row[0]) for row in rows]
    hi = np.array([half[0] for half in halves], np.uint64)
    lo = np.array([half[1] for half in halves], np.uint64)
    last = np.array([now - row[2] * 1000 for row in rows], np.int64)
    plan_row = np.full(len(rows), -1, np.int32)
    if plan is not None:
        segments = Attribution(plan, (), BUSINESSES, 1).segments
        plan_row = segments.row[segments.locate(hi, lo)]
    return Clients(
        businesses=BUSINESSES,
        address_hi=hi,
        address_lo=lo,
        business_id=np.array([BUSINESSES.index(row[1]) if row[1] else -1 for row in rows], np.int32),
        plan_row=plan_row,
        first_seen=last - 100_000,
        last_seen=last,
        octets=np.array([row[3] for row in rows], np.int64),
    )
