"""Flow records for the tests of the archive."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from btimd.model.address import Prefix, address_halves
from btimd.model.flowbatch import AttributedBatch, FlowBatch
from btimd.model.ipplan import IpPlan, PlanRow
from btimd.model.service import ServiceRule
from btimd.model.taps import Names

HOUR = 1_700_000_000_000 // 3_600_000 * 3_600_000
"""Begins at 2023-11-14 22:00 UTC."""

RULES = (
    ServiceRule("erp-web", ("erp",), Prefix.parse("10.2.0.10/32"), 6, 443, 443),
    ServiceRule("shared-db", ("erp", "hr"), Prefix.parse("10.2.0.20/32"), 6, 1521, 1521),
)
PLAN = IpPlan(
    np.zeros(2, np.uint64),
    np.array([address_halves("10.1.0.0")[1], address_halves("10.1.1.0")[1]], np.uint64),
    np.zeros(2, np.uint64),
    np.array([address_halves("10.1.0.255")[1], address_halves("10.1.1.255")[1]], np.uint64),
    np.array([0, 1], np.int32),
    (PlanRow("Shanghai", "office", ""), PlanRow("Beijing", "branch", "")),
)
NAMES = Names(1, ("erp", "hr"), RULES, np.array([0, 1, 3], np.int32), np.array([0, 0, 1], np.int32), PLAN)
EXPORTERS = {0: "core-1", 1: "10.9.9.9"}


def record(**given: Any) -> dict[str, Any]:
    """Return one record: a request of 10.1.0.5 to erp-web at the beginning of HOUR, with what is given instead."""
    usual: dict[str, Any] = {
        "start": HOUR, "end": HOUR + 1000, "source": "10.1.0.5", "destination": "10.2.0.10", "source_port": 40000,
        "destination_port": 443, "protocol": 6, "octets": 100, "packets": 2, "rate": 1, "exporter": 0, "ingress": 1,
        "egress": 2, "rule": 0, "place": 0, "from_client": True, "duplicate": False,
    }  # fmt: skip
    assert not given.keys() - usual.keys()
    return usual | given


def answer(one: Mapping[str, Any], **given: Any) -> dict[str, Any]:
    """Return the other direction of a record."""
    turned = dict(one)
    turned["source"], turned["destination"] = one["destination"], one["source"]
    turned["source_port"], turned["destination_port"] = one["destination_port"], one["source_port"]
    turned["from_client"] = not one["from_client"]
    return turned | given


def batch(*records: Mapping[str, Any]) -> tuple[AttributedBatch, np.ndarray[Any, np.dtype[np.bool_]]]:
    """Return records as a batch of NAMES' generation, and which are duplicates."""
    halves = {side: [address_halves(one[side]) for one in records] for side in ("source", "destination")}

    def of(name: str) -> Sequence[int]:
        return [one[name] for one in records]

    flows = FlowBatch.of(
        flow_start_milliseconds=of("start"), flow_end_milliseconds=of("end"),
        source_address_hi=np.array([hi for hi, _ in halves["source"]], np.uint64),
        source_address_lo=np.array([lo for _, lo in halves["source"]], np.uint64),
        destination_address_hi=np.array([hi for hi, _ in halves["destination"]], np.uint64),
        destination_address_lo=np.array([lo for _, lo in halves["destination"]], np.uint64),
        source_transport_port=of("source_port"), destination_transport_port=of("destination_port"),
        protocol_identifier=of("protocol"), octet_delta_count=of("octets"), packet_delta_count=of("packets"),
        sampling_rate=of("rate"), exporter_id=of("exporter"), ingress_interface=of("ingress"),
        egress_interface=of("egress"),
    )  # fmt: skip
    attributed = AttributedBatch(
        flows,
        np.array(of("rule"), np.int32),
        np.array(of("place"), np.int32),
        np.array(of("from_client"), np.uint8),
        NAMES.generation,
    )
    return attributed, np.array(of("duplicate"), np.bool_)
