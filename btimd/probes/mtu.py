"""Finds the longest packet that reaches a host whole: some sizes at a time, none of them ever fragmented."""

import asyncio
from typing import Final

from btimd.model.units import MonotonicSeconds, Octets, Seconds
from btimd.probes.errorqueue import never_fragment
from btimd.probes.packetsizes import LEAST_V4, LEAST_V6, SizeSearch, judge_size
from btimd.probes.path import Flow, address_of, flow_to, local_outcome
from btimd.probes.transport import SystemResolver
from btimd.probes.walks import MtuErrand, WalkMethod, tagged_echo, tagged_payload
from btimd.probes.wire.dialogue import Outcome, join_host_port
from btimd.probes.wire.icmperror import Told

_TRIES: Final = 2
_WAIT_SECONDS: Final = 0.25
_LEAST_WAIT_SECONDS: Final = 0.1
_PACE_SECONDS: Final = 0.002
_USUAL: Final = 1500


class MtuRunner:
    """Carries mtu checks out (errands.Runner)."""

    def __init__(self) -> None:
        self._resolver = SystemResolver()

    async def run(self, errand: MtuErrand, within_seconds: Seconds) -> Outcome:
        """Search, within the time; what is not known by then is not good."""
        deadline = asyncio.get_running_loop().time() + 0.95 * within_seconds
        address = await address_of(errand.host, self._resolver)
        if isinstance(address, Outcome):
            return address
        v6 = ":" in address
        wanted = errand.least or _USUAL
        lowest = LEAST_V6 if v6 else LEAST_V4
        search = SizeSearch(passed=min(lowest, wanted - 1), failed=wanted + 1)
        try:
            async with flow_to(address, errand.port, errand.method, errand.token & 0xFFFF) as flow:
                never_fragment(flow.opened)
                await _search(flow, search, deadline)
        except OSError as error:
            return local_outcome(error)
        found = judge_size(join_host_port(errand.host, errand.port), search, errand.least, wanted)
        return Outcome(found.health, found.error, found.detail, {**found.values, "octets": float(flow.octets)})


async def _search(flow: Flow, search: SizeSearch, deadline: MonotonicSeconds) -> None:
    tags: dict[int, Octets] = {}
    patience = _WAIT_SECONDS
    while flow.now() < deadline and (sizes := search.sizes()):
        answered: set[Octets] = set()
        tried: list[Octets] = []
        began = flow.now()
        for _ in range(_TRIES):
            tried += await _send(flow, search, [size for size in sizes if size not in answered], tags, answered)
            sent = flow.now()
            if answered and not search.confirmed:
                patience = min(patience, max(_LEAST_WAIT_SECONDS, 4.0 * (sent - began)))
            until = min(deadline, sent + patience)
            while not _is_clear(sizes, answered, search) and (left := until - flow.now()) > 0:
                await flow.wait(left)
                if _take(flow, search, tags, answered) and not search.confirmed:
                    patience = min(patience, max(_LEAST_WAIT_SECONDS, 4.0 * (flow.now() - began)))
            if _is_clear(sizes, answered, search):
                break
        search.learn(answered, tried)
        if not search.confirmed:
            return


def _is_clear(sizes: list[Octets], answered: set[Octets], search: SizeSearch) -> bool:
    """Tell whether waiting on would tell nothing new: the longest passed, or somebody said why it does not."""
    return sizes[0] in answered or (bool(answered) and (search.told is not None or search.local > 0))


async def _send(
    flow: Flow, search: SizeSearch, sizes: list[Octets], tags: dict[int, Octets], answered: set[Octets]
) -> list[Octets]:
    """Send packets of these sizes; return those that this machine could send, and what its own link refuses."""
    tried: list[Octets] = []
    for size in sizes:
        tag = len(tags) + 1
        tags[tag] = size
        flow.send(tag, filler=size - _overhead(flow))
        tried.append(size)
        await flow.wait(_PACE_SECONDS)
        _take(flow, search, tags, answered)
    return tried


def _take(flow: Flow, search: SizeSearch, tags: dict[int, Octets], answered: set[Octets]) -> bool:
    heard, flow.heard = flow.heard, []
    for one in heard:
        if one.error is not None and one.error.told is not Told.PORT:
            search.hear(one.error)
        elif one.tag in tags:
            answered.add(tags[one.tag])
    return bool(heard)


def _overhead(flow: Flow) -> int:
    """Return what a packet has beside its filler."""
    v6 = flow.is_v6
    empty = len(tagged_payload(0)) + 8 if flow.method is WalkMethod.UDP else len(tagged_echo(v6, 0, 0))
    return empty + (40 if v6 else 20)
