"""The longest packet along real routers in network namespaces."""

import pytest

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import CheckKind
from btimd.probes.catalogue import work_for
from btimd.probes.mtu import MtuRunner
from btimd.probes.walks import MtuErrand
from btimd.probes.wire.dialogue import Outcome
from tests.probes.chain import ROUTERS, ROUTERS6, SERVER, SERVER6, Chain
from tests.probes.samples import check

pytestmark = [pytest.mark.net, pytest.mark.slow]
NARROW = "ip link set dev d mtu 1400", "ip link set dev d mtu 1500"
SILENT = (
    "iptables-legacy -A OUTPUT -p icmp -j DROP;"
    "ip6tables-legacy -A OUTPUT -p icmpv6 --icmpv6-type packet-too-big -j DROP"
)
FLUSH = "iptables-legacy -F; ip6tables-legacy -F"
BOTH = ((SERVER, ROUTERS, "fragmentation needed"), (SERVER6, ROUTERS6, "packet too big"))


async def size(host: str, port: int = 0, **options: str) -> Outcome:
    errand = work_for(check(kind=CheckKind.MTU, host=host, port=port, options=options), 0xBEEF_1234)
    assert isinstance(errand, MtuErrand)
    return await MtuRunner().run(errand, 4.0)


def test_full_packets_pass(routers: Chain) -> None:
    for host, name in ((SERVER, SERVER), (SERVER6, SERVER6)):
        found = routers.run(size(host))
        assert (found.health, found.detail) == (Health.GOOD, f"packets of 1500 octets pass to {name}")
        assert found.values["mtu_octets"] == 1500
    assert routers.run(size(SERVER, 9, method="udp")).health is Health.GOOD


@pytest.mark.parametrize(("host", "hops", "words"), BOTH)
def test_a_narrow_line_is_found_and_who_says_so(routers: Chain, host: str, hops: tuple[str, ...], words: str) -> None:
    with routers.fault("r2", *NARROW):
        found = routers.run(size(host))
        enough = routers.run(size(host, min_octets="1400"))
    assert (found.health, found.error, found.values["mtu_octets"]) == (Health.BAD, ErrorClass.WRONG_ANSWER, 1400)
    assert found.detail == (
        f"only packets of up to 1400 octets pass to {host}, not 1500: {hops[1]} says: {words}, 1400 octets"
    )
    assert enough.health is Health.GOOD


@pytest.mark.parametrize("host", [SERVER, SERVER6])
def test_a_black_hole_is_found_although_nobody_says_so(routers: Chain, host: str) -> None:
    with routers.fault("r2", *NARROW), routers.fault("r2", SILENT, FLUSH):
        found = routers.run(size(host))
    assert (found.error, found.values["mtu_octets"], found.values["told"]) == (ErrorClass.TIMEOUT, 1400, 0)
    assert found.detail.endswith("longer ones vanish (black hole)")


def test_what_this_machines_own_link_takes_is_all_that_is_asked_for(routers: Chain) -> None:
    with routers.fault("c", "ip link set dev d mtu 1450", "ip link set dev d mtu 1500"):
        found = routers.run(size(SERVER))
        asked = routers.run(size(SERVER, min_octets="1500"))
    assert (found.health, found.values["mtu_octets"]) == (Health.GOOD, 1450)
    assert asked.detail.endswith("this machine's own link takes no more")


def test_a_silent_target_is_a_timeout(routers: Chain) -> None:
    with routers.fault("r2", "iptables-legacy -A FORWARD -j DROP", FLUSH):
        found = routers.run(size(SERVER))
    assert (found.error, found.detail) == (
        ErrorClass.TIMEOUT,
        f"{SERVER} does not answer, not even packets of 576 octets",
    )
