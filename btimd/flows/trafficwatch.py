"""Listens to traffic on the flow thread, and tells within moments what it says of businesses, servers and regions."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from btimd.flows.attribution import Attribution
from btimd.flows.pulse import Pulse, PulseLimits
from btimd.flows.quality import attributed_connections
from btimd.flows.trafficsigns import LOOK_EVERY_MILLISECONDS, TrafficJudge
from btimd.model.flowbatch import AttributedBatch
from btimd.model.packets import SpanTraffic
from btimd.model.sign import Sign
from btimd.model.taps import Names, RecordTap
from btimd.model.units import UnixMillis
from btimd.runtime.metrics import Metrics


class TrafficWatch(RecordTap):
    """A tap of records and of packets. Every method but the constructor is called on the flow thread.

    points: how many observation points capture packets. tell: takes signs; must not block. names_of: what businesses
    are called by name.
    """

    def __init__(
        self,
        tell: Callable[[Sequence[Sign]], None],
        metrics: Metrics,
        *,
        points: int = 0,
        limits: PulseLimits | None = None,
        names_of: Callable[[], Mapping[str, str]] = dict,
    ) -> None:
        self._tell = tell
        self._names_of = names_of
        self._pulse = Pulse(points, limits)
        self._judge = TrafficJudge(self._pulse)
        self._looked_at: UnixMillis | None = None
        self._overflowed = metrics.counter(
            "btimd_flows_pulse_overflows_total",
            "Figures of a quarter of a second that diagnoses do not hear of, for want of room for rule and region",
        )
        self._stale = metrics.counter(
            "btimd_flows_pulse_stale_total",
            "Connections and durations that began too long ago, or in the future, for diagnoses to hear of them",
        )
        self._counted = (0, 0)

    @override
    def add(
        self, batch: AttributedBatch, duplicate: npt.NDArray[np.bool_] | None, names: Names, now: UnixMillis
    ) -> None:
        self._pulse.add_records(batch if duplicate is None else batch.select(~duplicate), names, now)

    def packets(self, traffic: SpanTraffic, attribution: Attribution, now: UnixMillis) -> None:
        """Take what was measured on packets."""
        quality = traffic.quality
        if not len(quality) and not len(quality.sample_kind):
            return
        self._pulse.add_quality(
            quality,
            attributed_connections(attribution, quality.addresses, quality.ports, quality.protocol),
            attributed_connections(
                attribution, quality.sample_addresses, quality.sample_ports, quality.sample_protocol
            ),
            attribution.names,
            now,
        )

    @override
    def tick(self, now: UnixMillis) -> None:
        if self._looked_at is not None and 0 <= now - self._looked_at < LOOK_EVERY_MILLISECONDS:
            return
        self._looked_at = now
        self._count()
        self._judge.names_of = self._names_of()
        signs = self._judge.look(now)
        if signs:
            self._tell(signs)

    @override
    def flush(self) -> None:
        """Count the rest; nothing is held that would be worth telling when btimd stops."""
        self._count()

    def _count(self) -> None:
        before, self._counted = self._counted, (self._pulse.overflowed, self._pulse.stale)
        for counter, had, has in zip((self._overflowed, self._stale), before, self._counted, strict=True):
            counter.inc(has - had)
