from btimd.probes.meter import Meter
from btimd.probes.wire.dialogue import Line


def test_headers_are_estimated() -> None:
    tcp, udp = Meter(), Meter()
    tcp.opened(Line.TCP)
    assert tcp.octets == 364, "handshake and close"
    tcp.moved(Line.TCP, sent=100)
    tcp.moved(Line.TCP, received=1000)
    assert tcp.octets == 364 + 1100 + 4 * 52
    udp.opened(Line.UDP)
    udp.moved(Line.UDP, sent=40)
    assert udp.octets == 68
