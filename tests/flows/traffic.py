"""A small network for the tests of flows: three places, two businesses, a server of both."""

from btimd.flows.attribution import Attribution
from btimd.flows.plan import PlanEntry, compile_plan
from btimd.model.address import Prefix, address_halves
from btimd.model.flowbatch import FlowBatch
from btimd.model.service import ServiceRule
from btimd.model.window import WindowBatch

T0 = 1_700_000_040_000
"""The start of an interval of 10 s and of one of 60 s."""

ERP, SHARED, NOBODY = "172.16.0.10", "172.16.0.20", "198.51.100.1"
EAST = PlanEntry("10.1.0.0/16", "east", "floor 1", "Wang", 2)
WEST = PlanEntry("10.2.0.0/16", "west", "floor 2", "", 3)
RULES = (
    ServiceRule("erp", ("erp",), Prefix.parse(f"{ERP}/32"), 6, 443, 443),
    ServiceRule("shared", ("erp", "hr"), Prefix.parse(f"{SHARED}/32"), 6, 5432, 5432),
)
PORTS = {ERP: 443, SHARED: 5432, NOBODY: 80}


def attribution(
    *entries: PlanEntry, businesses: tuple[str, ...] = ("erp", "hr"), generation: int = 1, rules: int = 2
) -> Attribution:
    plan, problems = compile_plan(entries or (EAST, WEST), generation)
    assert not problems
    return Attribution(plan, RULES[:rules], businesses, generation)


def flow(
    client: str, server: str = ERP, *, start: int = 0, end: int | None = None, octets: int = 1000, packets: int = 10,
    rate: int = 1, answer: bool = False,
) -> FlowBatch:  # fmt: skip
    """Return one record; start and end in ms after T0."""
    near, far = (address_halves(client), 40000), (address_halves(server), PORTS[server])
    (source, source_port), (destination, destination_port) = (far, near) if answer else (near, far)
    return FlowBatch.of(
        flow_start_milliseconds=[T0 + start],
        flow_end_milliseconds=[T0 + (start if end is None else end)],
        source_address_hi=[source[0]],
        source_address_lo=[source[1]],
        destination_address_hi=[destination[0]],
        destination_address_lo=[destination[1]],
        source_transport_port=[source_port],
        destination_transport_port=[destination_port],
        protocol_identifier=[6],
        octet_delta_count=[octets],
        packet_delta_count=[packets],
        sampling_rate=[rate],
    )


def cells(batch: WindowBatch) -> list[tuple[str, str, int, int, int, int, int, bool, bool]]:
    """Return business, region, octets to server and client, packets, flows, users, exact, sampled of each cell."""
    return [
        (row.business, row.region, row.octets_to_server, row.octets_to_client, row.packets, row.flows, row.users,
         row.users_exact, row.sampled)
        for row in batch.rows()
    ]  # fmt: skip


def stamps(batches: list[WindowBatch]) -> list[tuple[int, int, int]]:
    """Return start in s after T0, length in s and revision of each batch."""
    return [
        ((batch.interval_start_milliseconds - T0) // 1000, batch.interval_milliseconds // 1000, batch.revision)
        for batch in batches
    ]
