import pytest

from btimd.model.service import CheckKind
from btimd.probes.catalogue import problem_of, work_for
from btimd.probes.hops import PathLimits
from btimd.probes.kinds_network import KINDS
from btimd.probes.walks import MtuErrand, PathErrand, WalkMethod
from tests.probes.samples import check


def test_every_kind_says_what_its_options_mean() -> None:
    assert {kind: spec.options for kind, spec in KINDS.items() if not all(spec.options.values())} == {}
    assert set(KINDS) <= set(CheckKind)


def test_walks_go_by_tcp_where_there_is_a_port_and_by_echoes_where_there_is_none() -> None:
    asked = work_for(check(kind=CheckKind.PATH, port=443), 7)
    assert asked == PathErrand("127.0.0.1", 443, WalkMethod.TCP, 7)
    limits = PathLimits(0.05, 0.08)
    options = {"method": "udp", "packets": "3", "max_hops": "9", "max_loss_percent": "5", "max_rtt": "80ms"}
    assert work_for(check(kind=CheckKind.PATH, port=0, options=options), 7) == PathErrand(
        "127.0.0.1", 33_434, WalkMethod.UDP, 7, packets=3, max_hops=9, limits=limits
    )
    assert work_for(check(kind=CheckKind.MTU, port=0, options={"min_octets": "1400"}), 7) == MtuErrand(
        "127.0.0.1", 0, WalkMethod.ICMP, 7, 1400
    )


@pytest.mark.parametrize(
    ("kind", "port", "options", "problem"),
    [
        (CheckKind.PATH, 0, {"method": "tcp"}, "a walk with TCP needs a port"),
        (CheckKind.PATH, 0, {"method": "pigeon"}, "method 'pigeon' is unknown; write one of icmp, udp, tcp"),
        (CheckKind.MTU, 9, {"method": "tcp"}, "write one of icmp, udp"),
        (CheckKind.UDP, 0, {}, "a udp check needs a port"),
        (CheckKind.UDP, 9, {"silence": "golden"}, "write one of good, bad"),
        (CheckKind.UDP, 9, {"payload": "x" * 1401}, "payload has 1401 octets"),
        (CheckKind.ICMP, 0, {"count": "20", "interval": "1s"}, "20 echoes 1 s apart do not fit into the time-out"),
        (CheckKind.TCP, 9, {"attempts": "0"}, "attempts '0' is no whole number from 1 to 20"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    kind: CheckKind, port: int, options: dict[str, str], problem: str
) -> None:
    assert problem in problem_of(check(kind=kind, port=port, options=options))
