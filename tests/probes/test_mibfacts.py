"""DeviceFacts from what a poll has read."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from btimd.model.topology import DeviceFacts, FactSource, InterfaceFacts, NeighbourFacts
from btimd.probes import mibs
from btimd.probes.mibfacts import device_facts, interfaces_changed, speed_of, with_counters
from btimd.probes.mibs import RowBounds, counter_steps, full_steps
from btimd.probes.snmpsession import Oid, Readings, Table, Value
from tests.probes.snmpdevices import ALL, MIB_2, Agent, agent, cisco, huawei, mac, poll

AT = 1_700_000_000_000


def told(of: Agent) -> DeviceFacts:
    return device_facts("core", "10.0.0.2", AT, poll(of).readings)


def test_a_switch_tells_all_of_itself() -> None:
    facts = told(agent(huawei()))
    first = facts.interfaces[0]

    assert first == InterfaceFacts(
        index=5,
        name="XGigabitEthernet0/0/1",
        description="XGigabitEthernet0/0/1",
        type=6,
        speed=10_000_000_000,
        mac="02b100000000",
        admin_up=True,
        oper_up=True,
        addresses=("10.0.0.2/24",),
        in_octets=1 << 40,
        out_octets=1 << 41,
        in_errors=2,
        out_errors=4,
        in_discards=1,
        out_discards=3,
        hc=True,
        counters_at=first.counters_at,
        last_change=AT - 12_300_000,
    )
    assert replace(facts, interfaces=(), fdb=()) == DeviceFacts(
        name="core",
        address="10.0.0.2",
        at=AT,
        sys_name="core-1",
        sys_description="S6730-H24X6C Huawei Versatile Routing Platform",
        sys_object_id="1.3.6.1.4.1.2011.2.23.690",
        sys_location="Room 1 Rack 2",
        uptime_seconds=12_345.0,
        chassis="02b100000000",
        neighbours=(
            NeighbourFacts(
                FactSource.LLDP,
                interface=5,
                chassis="02c100000000",
                name="sw-access-1",
                port="Te1/1/1",
                port_description="description of Te1/1/1",
                addresses=("10.0.0.1",),
            ),
        ),
        arp=((5, "10.0.0.1", "02c100000000"),),
        routes=(("10.1.0.0/16", "10.0.0.1", 5),),
    )
    assert sorted(facts.fdb)[:2] == [(5, mac(station, 0xE1).hex()) for station in (8, 16)]


def test_older_tables_tell_the_same() -> None:
    facts = told(agent(cisco()))

    assert (facts.model, facts.serial) == ("WS-C2960X-24TS-L", "FOC1234X0AB")
    assert facts.interfaces[-1].addresses == ("10.0.0.1/24",)
    assert facts.arp == ((10125, "10.0.0.2", "02b100000000"),)
    assert facts.routes == (("0.0.0.0/0", "10.0.0.2", 10125),)
    assert len(facts.fdb) == 40  # without its own
    assert facts.interfaces[23].oper_up is False
    assert facts.partial == ()


def test_speeds() -> None:
    assert speed_of(1_000_000_000, 1000) == 1_000_000_000
    assert speed_of(1_544_000, 2) == 1_544_000
    assert speed_of(64_000, 0) == 64_000
    assert speed_of(0xFFFF_FFFF, 100_000) == 100_000_000_000
    assert speed_of(1_410_065_408, 10_000) == 10_000_000_000  # wrapped
    assert speed_of(None, 40) == 40_000_000
    assert [speed_of(*both) for both in ((None, None), (0xFFFF_FFFF, 0), (0xFFFF_FFFF, 2**32 - 1))] == [0, 0, 0]


def test_an_interface_without_wide_counters_has_narrow_ones() -> None:
    objects = {
        oid: value
        for oid, value in agent(huawei()).objects.items()
        if oid[:-1] not in {mibs.IF_HC_IN_OCTETS, mibs.IF_HC_OUT_OCTETS} or oid[-1] != 5
    }
    facts = told(Agent(objects))

    assert [(one.in_octets, one.out_octets, one.hc) for one in facts.interfaces[:2]] == [
        (20_000, 30_000, False),
        (1 << 40, 1 << 41, True),
    ]


def test_counters_are_refreshed_and_tables_stay() -> None:
    before = told(agent(huawei()))
    fresh = dict(agent(huawei()).objects)
    fresh[*mibs.IF_HC_IN_OCTETS, 5] = (1 << 40) + 999
    fresh[*mibs.IF_OPER, 6] = 2
    readings = poll(Agent(fresh), counter_steps(RowBounds())).readings
    after = with_counters(before, AT + 60_000, readings)

    expected = [
        replace(one, counters_at=200 if number < 5 else 300)  # the answers came after 0.2 and 0.3 s
        for number, one in enumerate(before.interfaces)
    ]
    expected[0] = replace(expected[0], in_octets=(1 << 40) + 999)
    expected[1] = replace(expected[1], oper_up=False)
    assert after == replace(before, at=AT + 60_000, interfaces=tuple(expected))


def test_counters_that_were_not_told_are_none_and_never_old() -> None:
    before = told(agent(huawei()))
    after = with_counters(before, AT + 60_000, Readings(partial=["ifXTable counters: no answer"]))

    assert {(one.in_octets, one.in_errors, one.oper_up) for one in after.interfaces} == {(None, None, True)}
    assert after.partial == ("ifXTable counters: no answer",)
    assert with_counters(after, AT, Readings()).partial == ()


def test_another_table_of_interfaces_is_noticed() -> None:
    facts = told(agent(huawei()))
    steps = counter_steps(RowBounds())
    more = {**agent(huawei()).objects, (*mibs.IF_OPER, 99): 1}
    changed = {**agent(huawei()).objects, mibs.IF_TABLE_LAST_CHANGE: 501}

    assert not interfaces_changed(facts, 500, poll(agent(huawei()), steps).readings)
    assert interfaces_changed(facts, 500, poll(Agent(more), steps).readings)
    assert interfaces_changed(facts, 500, poll(Agent(changed), steps).readings)


def test_rows_that_make_no_sense_are_left_out_and_counted() -> None:
    def oid(text: str) -> Oid:
        return tuple(map(int, f"{MIB_2}.{text}".split(".")))

    objects: dict[Oid, Value] = {
        **agent(huawei()).objects,
        oid("2.2.1.2.5.5"): b"index of two numbers",
        oid("4.34.1.3.1.4.10.0.0"): 5,
        oid("4.35.1.4.5.1.4.10.0.0.300"): b"123456",
        oid("4.24.7.1.7.1.4.10.1.0.0.99.2.0.0.1.4.10.0.0.1"): 5,
        oid("17.7.1.2.2.1.2.1.2.0.0.0.0.0.1"): 77,  # one number too many
        oid("17.7.1.2.2.1.2.1.2.0.0.0.0.9"): 999,  # no such port
    }
    facts = told(Agent(objects))

    assert facts.partial == (
        "dot1qTpFdbTable: 2 rows left out, made no sense",
        "ifTable: 1 row left out, made no sense",
        "inetCidrRouteTable: 1 row left out, made no sense",
        "ipAddressTable: 1 row left out, made no sense",
        "ipNetToPhysicalTable: 1 row left out, made no sense",
    )
    assert (len(facts.interfaces), len(facts.fdb), len(facts.arp), len(facts.routes)) == (8, 300, 1, 1)


COLUMNS = sorted(
    {
        value
        for name, value in vars(mibs).items()
        if name.isupper() and isinstance(value, tuple) and name != "GROUPS" and not name.startswith("_")
    }
)
INDEXES = st.lists(st.one_of(st.integers(0, 7), st.integers(-1, 300), st.integers(0, 2**32 - 1)), max_size=20).map(
    tuple
)
VALUES: st.SearchStrategy[Value] = st.one_of(
    st.none(), st.integers(-3, 2**64), st.binary(max_size=18), st.lists(st.integers(-1, 300), max_size=22).map(tuple)
)


@given(
    st.dictionaries(st.sampled_from(COLUMNS), st.dictionaries(INDEXES, VALUES, max_size=5)),
    st.dictionaries(st.sampled_from(COLUMNS), VALUES),
)
def test_no_reading_raises(columns: dict[Oid, dict[Oid, Value]], scalars: dict[Oid, Value]) -> None:
    readings = Readings(scalars=scalars, columns=columns)
    facts = device_facts("", "10.0.0.1", AT, readings)

    assert facts.name
    assert all(one.name.isprintable() for one in facts.interfaces)
    with_counters(facts, AT, readings)
    interfaces_changed(facts, 3, readings)


def test_all_steps_read_columns_that_are_understood() -> None:
    tables = [step for step in full_steps(ALL, RowBounds()) if isinstance(step, Table)]

    assert {(*step.entry, number) for step in tables for number in step.columns} - set(COLUMNS) == set()
