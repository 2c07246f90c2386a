from dataclasses import replace

import numpy as np
import pytest

from btimd.flows.linktables import LinkLimits
from btimd.flows.linkwindows import LinkWindows
from btimd.flows.projection import FlowSums, Measured, Reading, load_of, measured_rates, speed_of, sums_of
from btimd.flows.topology import Port
from btimd.model.topology import BusinessShare, DeviceFacts, InterfaceFacts, InterfaceLoad
from tests.flows.linkcrafting import NOW, names_of, records

PORT = InterfaceFacts(1, "Gi0/1", speed=1_000_000_000, in_octets=1000, out_octets=5000)
BEFORE = DeviceFacts("core", "10.0.0.1", NOW, uptime_seconds=1000.0, interfaces=(PORT,))


def after(seconds: float = 60.0, **port: object) -> DeviceFacts:
    """Return the next reading."""
    return DeviceFacts(
        "core", "10.0.0.1", NOW + round(seconds * 1000), uptime_seconds=1000.0 + seconds,
        interfaces=(replace(PORT, **port),),  # type: ignore[arg-type]  # fields by name
    )  # fmt: skip


def test_two_readings_make_a_rate() -> None:
    assert measured_rates(BEFORE, after(in_octets=7_501_000, out_octets=5000)) == {
        1: Measured(NOW, NOW + 60_000, 1_000_000.0, 0.0)
    }


def test_counters_are_dated_by_their_own_reading() -> None:
    before = replace(BEFORE, interfaces=(replace(PORT, counters_at=NOW - 10_000),))
    assert measured_rates(before, after(in_octets=2000, counters_at=NOW + 70_000)) == {
        1: Measured(NOW - 10_000, NOW + 70_000, 100.0, 0.0)
    }


def test_a_counter_of_32_bits_may_go_round_once() -> None:
    before = replace(BEFORE, interfaces=(replace(PORT, hc=False, speed=100_000_000, in_octets=2**32 - 1000),))
    assert measured_rates(before, after(hc=False, speed=100_000_000, in_octets=500)) == {
        1: Measured(NOW, NOW + 60_000, 200.0, 0.0)
    }
    unknown_speed = replace(BEFORE, interfaces=(replace(PORT, hc=False, speed=0, in_octets=2**32 - 1000),))
    assert measured_rates(unknown_speed, after(hc=False, speed=0, in_octets=500))[1].into == 200.0


@pytest.mark.parametrize(
    "reading",
    [
        after(in_octets=999, out_octets=4999),  # 64 bits do not go round
        replace(after(in_octets=2000), uptime_seconds=30.0),  # it restarted
        replace(after(in_octets=2000), uptime_seconds=3.0),
        after(name="Gi0/9", in_octets=2000),  # the ifIndex is another interface now
        after(hc=False, in_octets=2000),  # other counters are read now
        after(seconds=0.0, in_octets=2000),
        after(in_octets=None, out_octets=None),
        replace(after(), interfaces=(replace(PORT, index=2),)),
    ],
)
def test_what_readings_do_not_tell_is_unknown_and_never_negative(reading: DeviceFacts) -> None:
    assert measured_rates(BEFORE, reading) == {}


def test_counters_of_32_bits_that_may_have_gone_round_twice_or_began_anew_tell_nothing() -> None:
    fast = replace(BEFORE, interfaces=(replace(PORT, hc=False),))
    assert measured_rates(fast, after(hc=False, in_octets=2000)) == {}  # 1 Gbit/s goes round in 34 s
    slow = replace(BEFORE, interfaces=(replace(PORT, hc=False, speed=10_000_000, in_octets=2_000_000_000),))
    found = measured_rates(slow, after(hc=False, speed=10_000_000, in_octets=5))
    assert found == {1: Measured(NOW, NOW + 60_000, None, 0.0)}


def test_a_device_without_uptime_is_believed() -> None:
    silent = replace(after(in_octets=8500), uptime_seconds=None)
    assert measured_rates(BEFORE, silent)[1].into == 1000.0


def test_speed_is_what_the_configuration_else_snmp_else_the_exporter_says() -> None:
    port = Port("core", 1, "Gi0/1", PORT, "", 7)
    assert speed_of(port, 5) == (5, "config")
    assert speed_of(port, None) == (1_000_000_000, "snmp")
    assert speed_of(replace(port, facts=replace(PORT, speed=0)), None) == (7, "exporter")
    assert (speed_of(Port("core", 1, "1"), None), speed_of(None, None)) == ((0, ""), (0, ""))


def test_a_batch_is_told_by_direction() -> None:
    windows = LinkWindows(LinkLimits(max_interfaces=8, max_cells=16))
    batch = records(0, 1, -1, sampling_rate=[2, 1, 1], octet_delta_count=[100, 70, 30], packet_delta_count=1)
    windows.add(batch, np.zeros(3, np.bool_), names_of(["erp"], ["erp", "backup"]), NOW + 2000)
    found = sums_of(windows.close(NOW + 70_000)[-1])
    assert found == {
        (0, 1, 0): FlowSums(300, 4, 3, True, False, {"erp": 270, "backup": 70, "": 30}),
        (0, 2, 1): FlowSums(300, 4, 3, True, True, {"erp": 270, "backup": 70, "": 30}),
    }


READING = Reading(
    Port("core", 1, "Gi0/1", PORT), "out", NOW, 60_000,
    FlowSums(6_000_000, 10, 2, sampled=True, derived=False, businesses={"erp": 1_500_000, "backup": 4_500_000}),
    1_000_000.0, 10_000_000,
)  # fmt: skip


def test_a_line_is_so_full_with_these_businesses() -> None:
    assert load_of(READING) == InterfaceLoad(
        device="core", interface=1, interface_name="Gi0/1", direction="out", interval_start_milliseconds=NOW,
        interval_milliseconds=60_000, speed=10_000_000, utilisation=0.1, measured_bits_per_second=1_000_000.0,
        flow_bits_per_second=800_000.0, flow_coverage=0.8, sampled=True,
        shares=(BusinessShare("backup", 4_500_000, 600_000.0, 0.75), BusinessShare("erp", 1_500_000, 200_000.0, 0.25)),
    )  # fmt: skip


def test_without_counters_the_flows_tell_and_without_either_nothing_is_told() -> None:
    assert load_of(replace(READING, measured=None)).utilisation == 0.08
    assert load_of(replace(READING, speed=0)).utilisation is None
    nothing = load_of(replace(READING, measured=None, flows=None))
    assert (nothing.utilisation, nothing.flow_coverage, nothing.shares) == (None, None, ())
    idle = load_of(replace(READING, measured=0.0, flows=None))
    assert (idle.utilisation, idle.flow_coverage) == (0.0, None)


def test_coverage_compares_the_same_time() -> None:
    covered = load_of(replace(READING, coverage_octets=15_000_000, coverage_milliseconds=120_000))
    assert covered.flow_coverage == 1.0
