"""Exporter: the data centre router's flow cache, sending what the meters counted to the collector over UDP."""

import asyncio
import contextlib
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from btimd.lab.ipfix import RECORDS_PER_MESSAGE, encode_message
from btimd.lab.meter import FlowRecord
from btimd.lab.topology import GATEWAY_ADDRESS
from btimd.model.units import MonotonicSeconds, Octets, Seconds
from btimd.runtime.clock import Clock

DOMAIN: Final = 20
_MAX_WAITING: Final = 50_000


@dataclass(slots=True)
class Totals:
    """What was exported of one business, or of all traffic."""

    octets: Octets = 0
    packets: int = 0
    flows: int = 0

    def add(self, flow: FlowRecord) -> None:
        """Count a record."""
        self.octets += flow.octets
        self.packets += flow.packets
        self.flows += 1


class Exporter:
    """Collects flow records and sends them in IPFIX messages.

    `totals` are of records that were handed to the kernel, per business; the key "" holds what belongs to no business
    (name lookups). `dropped` counts records that were not sent: no room while waiting, or refused by the kernel.
    """

    def __init__(
        self, collector: tuple[str, int], *, clock: Clock, flush_seconds: Seconds, template_refresh_seconds: Seconds
    ) -> None:
        self.totals: dict[str, Totals] = {}
        self.messages = 0
        self.sequence = 0
        self.dropped = 0
        self._collector = collector
        self._clock = clock
        self._flush_seconds = flush_seconds
        self._template_refresh_seconds = template_refresh_seconds
        self._template_due: MonotonicSeconds = float("-inf")
        self._waiting: list[FlowRecord] = []
        self._socket: socket.socket | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def exported(self) -> dict[str, Octets]:
        """Octets sent per business."""
        return {business: totals.octets for business, totals in self.totals.items()}

    async def start(self) -> None:
        """Open the socket and send the template at once."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0.0)
        self._socket.bind((GATEWAY_ADDRESS, 0))
        self._send([])
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Send what waits and close. May be called twice."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None
        if self._socket is not None:
            self.flush()
            self._socket.close()
            self._socket = None

    def add(self, flows: Iterable[FlowRecord]) -> None:
        """Take records of ended flows; they go out with the next flush."""
        for flow in flows:
            if len(self._waiting) >= _MAX_WAITING:
                self.dropped += 1
            else:
                self._waiting.append(flow)

    def flush(self) -> None:
        """Send everything that waits, and the template when it is due."""
        waiting, self._waiting = self._waiting, []
        for start in range(0, len(waiting), RECORDS_PER_MESSAGE):
            self._send(waiting[start : start + RECORDS_PER_MESSAGE])
        self._send([])

    def _send(self, flows: list[FlowRecord]) -> None:
        if self._socket is None:
            self.dropped += len(flows)
            return
        now = self._clock.monotonic()
        with_template = now >= self._template_due
        if not flows and not with_template:
            return
        message = encode_message(
            flows,
            export_seconds=int(self._clock.wall()),
            sequence=self.sequence,
            domain=DOMAIN,
            with_template=with_template,
        )
        # The sequence moves even when the kernel refuses: that is how a collector learns of the loss.
        self.sequence += len(flows)
        try:
            self._socket.sendto(message, self._collector)
        except OSError:
            self.dropped += len(flows)
            return
        self.messages += 1
        if with_template:
            self._template_due = now + self._template_refresh_seconds
        for flow in flows:
            self.totals.setdefault(flow.business, Totals()).add(flow)

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._flush_seconds)
            self.flush()
