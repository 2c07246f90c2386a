"""The kinds of checks for the network: paths, packet sizes, datagrams."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check, CheckKind, Closure
from btimd.probes import options
from btimd.probes.hops import PathLimits
from btimd.probes.kinds import Errand, KindSpec, Secrets
from btimd.probes.packetsizes import MOST
from btimd.probes.walks import MtuErrand, PathErrand, WalkMethod
from btimd.probes.wire.dialogue import Dialogue
from btimd.probes.wire.udp import UdpDialogue

_MOST_PAYLOAD: Final = 1400
_TRACEROUTE_PORT: Final = 33_434
_LEAST: Final = 68  # RFC 791: every link takes it


def _method(check: Check, known: tuple[WalkMethod, ...]) -> tuple[WalkMethod, int]:
    """Return how to walk, and the port: TCP where there is a port to connect to, echoes where there is none."""
    usual = WalkMethod.TCP if check.port and WalkMethod.TCP in known else WalkMethod.ICMP
    method = WalkMethod(options.one_of(check.options, "method", usual, tuple(one.value for one in known)))
    if method is WalkMethod.TCP and not check.port:
        raise ValueError('a walk with TCP needs a port; write it, or method = "icmp"')
    return method, 0 if method is WalkMethod.ICMP else check.port or _TRACEROUTE_PORT


def _path(check: Check, token: int, secrets: Secrets) -> Errand:
    del secrets
    method, port = _method(check, tuple(WalkMethod))
    return PathErrand(
        host=check.host,
        port=port,
        method=method,
        token=token,
        packets=options.whole(check.options, "packets", 5, low=1, high=20),
        max_hops=options.whole(check.options, "max_hops", 30, low=1, high=64),
        limits=PathLimits(
            options.share(check.options, "max_loss_percent", 20.0), options.seconds(check.options, "max_rtt", None)
        ),
    )


def _mtu(check: Check, token: int, secrets: Secrets) -> Errand:
    del secrets
    method, port = _method(check, (WalkMethod.ICMP, WalkMethod.UDP))
    least = options.whole(check.options, "min_octets", 0, low=_LEAST, high=MOST) or None
    return MtuErrand(check.host, port, method, token, least)


def _udp(check: Check, token: int, secrets: Secrets) -> Dialogue:
    del token, secrets
    if not check.port:
        raise ValueError("a udp check needs a port")
    payload, expect = options.octets(check.options, "payload"), options.octets(check.options, "expect")
    if len(payload) > _MOST_PAYLOAD:
        raise ValueError(f"payload has {len(payload)} octets; at most {_MOST_PAYLOAD} fit into a packet everywhere")
    silence = options.one_of(check.options, "silence", "bad", ("good", "bad"))
    return UdpDialogue(check.host, check.port, payload=payload, expect=expect, silence_is_good=silence == "good")


KINDS: Final[Mapping[CheckKind, KindSpec]] = MappingProxyType({
    CheckKind.PATH: KindSpec(
        4.0,
        Closure.LOCAL,
        _path,
        options={
            "method": 'what is sent: `"icmp"`, `"udp"` or `"tcp"`; default: `"tcp"` with a port, else `"icmp"`',
            "packets": "per hop; default `5`, at most 20",
            "max_hops": "the longest path; default `30`",
            "max_loss_percent": "how much may be lost at the target; default `20`",
            "max_rtt": 'how long the target may take (median), such as `"80ms"`; default: any time',
        },
        outcomes={
            "timeout": "the target is silent, or packets are lost: the detail names the hop where it begins",
            "unreachable": "somebody on the way says so: no route, or a filter; or packets run in a circle",
            "slow": "the round trip is too long: the detail names the hop where it grows",
        },
    ),
    CheckKind.MTU: KindSpec(
        3.0,
        Closure.LOCAL,
        _mtu,
        options={
            "method": 'what is sent: `"icmp"` (default) or `"udp"` to a port that answers or is closed',
            "min_octets": "what must pass at least; default: what this machine's own link takes, at most 1500",
        },
        outcomes={
            "wrong-answer": "long packets do not pass, and somebody says so: the detail names who",
            "timeout": "the target is silent, or long packets vanish and nobody says so (a black hole)",
        },
    ),
    CheckKind.UDP: KindSpec(
        1.0,
        Closure.LOCAL,
        _udp,
        needs_port=True,
        options={
            "payload": 'what is sent: text, or octets as `"hex:0a0b"`; default: nothing, an empty datagram',
            "expect": "must stand in the answer, text or `hex:`; default: any answer",
            "silence": '`"good"` where no answer is as it should be, else `"bad"` (default)',
        },
        outcomes={"timeout": "lost on the way, or nobody answers: whether the port is open is not known"},
    ),
})  # fmt: skip
