from btimd.flows.portnames import Use, is_ephemeral, port_name, ports_text
from btimd.model.service import NodeKind


def test_a_port_by_itself_goes_before_a_range_that_holds_it() -> None:
    assert (port_name(3306).name, port_name(3389).name, port_name(3305).name) == ("mysql", "rdp", "sap-gateway")


def test_what_a_port_says_of_who_needs_whom() -> None:
    assert [(port_name(port).kind, port_name(port).use) for port in (1521, 53, 123, 22, 21, 4711)] == [
        (NodeKind.DATABASE, Use.WORK),
        (NodeKind.SHARED, Use.SHARED),
        (NodeKind.SHARED, Use.BACKGROUND),
        (NodeKind.APPLICATION, Use.MANAGEMENT),
        (NodeKind.APPLICATION, Use.DYNAMIC_CONTROL),
        (NodeKind.APPLICATION, Use.WORK),
    ]


def test_ports_that_clients_take_are_those_above_32768_without_a_name() -> None:
    assert [is_ephemeral(port) for port in (443, 32_767, 32_768, 50_051, 60_000)] == [False, False, True, False, True]


def test_ports_are_written_as_services_toml_writes_them() -> None:
    assert (ports_text(443, 443), ports_text(8000, 8010)) == ("443", "8000-8010")
