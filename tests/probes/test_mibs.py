"""Which tables are asked for."""

from btimd.probes.mibs import GROUPS, IF_HC_IN_OCTETS, IF_OPER, RowBounds, counter_steps, full_steps
from btimd.probes.snmpsession import GetBulk, Readings, Table
from tests.probes.snmpdevices import agent, cisco, huawei, poll


def test_interfaces_are_always_read_the_rest_on_request() -> None:
    assert [step.name for step in full_steps((), RowBounds())] == [
        "system",
        "ifTable",
        "ifXTable",
        "ifXTable counters",
        "ifTable counters",
        "ifTable octets",
    ]
    assert len(full_steps(GROUPS, RowBounds())) == 20


def test_old_tables_are_asked_only_where_the_new_ones_are_empty() -> None:
    def rows(of: str) -> dict[str, int]:
        read = poll(agent(cisco() if of == "cisco" else huawei())).readings.rows
        return {name: count for name, count in read.items() if name.startswith(("ip", "inet", "dot1q", "dot1dTp"))}

    assert rows("cisco") == {
        "ipAddressTable": 0,
        "ipAddrTable": 1,
        "dot1qTpFdbTable": 0,
        "dot1dTpFdbTable": 41,
        "ipNetToPhysicalTable": 0,
        "ipNetToMediaTable": 1,
        "inetCidrRouteTable": 0,
        "ipCidrRouteTable": 1,
    }
    assert rows("huawei") == {
        "ipAddressTable": 1,
        "ipAddrTable": 0,
        "dot1qTpFdbTable": 300,
        "dot1dTpFdbTable": 0,
        "ipNetToPhysicalTable": 1,
        "ipNetToMediaTable": 0,
        "inetCidrRouteTable": 1,
        "ipCidrRouteTable": 0,
    }


def test_narrow_counters_are_asked_only_where_an_interface_lacks_wide_ones() -> None:
    narrow = counter_steps(RowBounds())[-1]
    assert isinstance(narrow, Table)

    assert not narrow.needed(Readings(columns={IF_OPER: {(1,): 1}, IF_HC_IN_OCTETS: {(1,): 7}}))
    assert narrow.needed(Readings(columns={IF_OPER: {(1,): 1, (2,): 1}, IF_HC_IN_OCTETS: {(1,): 7}}))


def test_a_counter_poll_asks_for_states_and_counters_only() -> None:
    of = agent(huawei())
    poll(of, counter_steps(RowBounds()))

    assert {oid[:10] for request in of.asked if isinstance(request, GetBulk) for oid in request.oids} == {
        (1, 3, 6, 1, 2, 1, 2, 2, 1, column) for column in (8, 13, 14, 19, 20)
    } | {(1, 3, 6, 1, 2, 1, 31, 1, 1, 1)}
