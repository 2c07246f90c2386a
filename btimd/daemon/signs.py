"""The desk of signs: carries what was heard without asking to the diagnosis, and keeps a list of it for people."""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from typing_extensions import override

from btimd.daemon.findingsigns import finding_signs
from btimd.daemon.whose import Whose
from btimd.model.evidence import Finding
from btimd.model.heard import EventsView, Heard, HeardAs, Sender, Told
from btimd.model.probe import ErrorClass, Health
from btimd.model.service import Closure, ServiceGraph
from btimd.model.sign import Change, Sign, SignSource
from btimd.model.symptom import Symptom
from btimd.model.units import UnixSeconds
from btimd.runtime.clock import Clock
from btimd.runtime.metrics import Metrics

_HEARD_KEPT: Final = 2000
_SENDERS_KEPT: Final = 1000
_MOST_TEXT: Final = 500
_IDS_KEPT: Final = 20_000
_NAMES_SECONDS: Final = 60.0
_PREFIXES_TOLD: Final = 5
_QUIET_SECONDS: Final = 20.0
"""So often it is told that all is well while there is no trouble: it must be known that users are watched."""
_BAD_SECONDS: Final = 5.0
_RETURN_SECONDS: Final = 600.0
_RETURNING_SECONDS: Final = 0.5
_PACKETS_COUNT_SECONDS: Final = 60.0
_CONTRADICTABLE: Final = frozenset({
    ErrorClass.REFUSED, ErrorClass.TIMEOUT, ErrorClass.UNREACHABLE, ErrorClass.RESET, ErrorClass.NO_ANSWER,
    ErrorClass.NAME_ERROR, ErrorClass.SLOW,
})  # fmt: skip
"""What users' connections can contradict: that one cannot connect, or gets no answer. A connection that succeeds does
not say that the answer is right."""


class Diagnosis(Protocol):
    """Who weighs signs."""

    def signed(self, sign: Sign) -> None:
        """Take a sign."""
        ...

    def changed(self, change: Change) -> None:
        """Take a change."""
        ...

    def symptoms(self) -> Sequence[Symptom]:
        """Return the open symptoms."""
        ...


@dataclass(slots=True)
class _Counts:
    matched: int = 0
    no_rule: int = 0
    no_node: int = 0
    last_at: UnixSeconds = 0.0
    last_unmatched: str = ""


class SignDesk(EventsView):
    """Everything is called on the loop. devices: other names and addresses of devices, by name, as SNMP told them."""

    def __init__(
        self,
        *,
        graph: ServiceGraph,
        rca: Diagnosis,
        clock: Clock,
        metrics: Metrics,
        devices: Callable[[], Mapping[str, Iterable[str]]] = dict,
        on_change: Callable[[Change], None] = lambda _change: None,
    ) -> None:
        self._graph = graph
        self._rca = rca
        self._clock = clock
        self._devices = devices
        self._on_change = on_change
        self._names: Whose | None = None
        self._names_at: UnixSeconds = 0.0
        self._heard: deque[Heard] = deque(maxlen=_HEARD_KEPT)
        self._senders: dict[tuple[str, str], _Counts] = {}
        self._sent: dict[str, Sign] = {}
        self._sent_at: dict[str, UnixSeconds] = {}
        self._bad_at: dict[str, UnixSeconds] = {}
        self._bad_packets: dict[str, UnixSeconds] = {}
        self._count = metrics.counter(
            "btimd_signs_total", "What was seen or told without asking, by source and what became of it.",
            ("source", "heard_as"),
        )  # fmt: skip

    # -- the model

    def swap(self, graph: ServiceGraph) -> None:
        """Go on with another model; what of it is new or otherwise is a change on those nodes."""
        before, self._graph = self._graph, graph
        self._names = None
        now = self._clock.wall()
        for node in graph.nodes.values():
            earlier = before.nodes.get(node.id)
            if earlier is not None and (earlier.checks, earlier.needs) != (node.checks, node.needs):
                what = " and ".join(
                    name
                    for name, differs in (
                        ("checks", earlier.checks != node.checks),
                        ("needs", earlier.needs != node.needs),
                    )
                    if differs
                )
                self._take_change(
                    Change(node.id, f"its {what} in the model were changed", now, "model"), "services.toml"
                )

    def plan_changed(self, before: Mapping[str, frozenset[str]], after: Mapping[str, frozenset[str]]) -> None:
        """Take another IP plan: prefixes by region. It is a change on the nodes of those regions' users."""
        now = self._clock.wall()
        for region in sorted(before.keys() | after.keys()):
            user = self._graph.user_node(region)
            differs = before.get(region, frozenset()) ^ after.get(region, frozenset())
            if user is not None and differs:
                text = f"the IP plan of {region} was changed: {', '.join(sorted(differs)[:_PREFIXES_TOLD])}"
                self._take_change(Change(user.id, text, now, "model"), "ipplan.csv")

    @property
    def _whose(self) -> Whose:
        """Whose names and addresses are whose; devices are asked what they are called, so it is made anew at times."""
        now = self._clock.monotonic()
        if self._names is None or now - self._names_at > _NAMES_SECONDS:
            self._names, self._names_at = Whose(self._graph, self._devices()), now
        return self._names

    # -- traffic and packets

    def traffic(self, signs: Sequence[Sign]) -> None:
        """Take what users' connections came to; what was told already is told again only from time to time."""
        now = self._clock.wall()
        symptoms = self._rca.symptoms()
        doubted = {one.node for one in symptoms if one.error not in _CONTRADICTABLE}
        for given in signs:
            sign = self._placed(given)
            if sign is None or (sign.health is Health.GOOD and self._doubted(sign.node, doubted, now)):
                continue
            before = self._sent.get(sign.id)
            if before is not None and before.health is sign.health:
                pause = 0.0 if symptoms else _BAD_SECONDS if sign.health is Health.BAD else self._pause(sign.id, now)
                if sign.at <= before.at or now - self._sent_at[sign.id] < pause:
                    continue
            elif before is not None and sign.at < before.at:
                continue  # it came late, of a time that is known already
            self._remember(sign, now)
            self._count.labels(sign.source.value, sign.health.value).inc()
            if before is None or before.health is not sign.health:
                self._note(sign.source.value, "traffic", HeardAs(sign.health.value), sign.node, sign.id, sign.text)
            self._rca.signed(sign)

    def _pause(self, sign_id: str, now: UnixSeconds) -> float:
        """Return how long not to repeat that all is well: after trouble it is waited for that users return."""
        was_bad = now - self._bad_at.get(sign_id, float("-inf")) < _RETURN_SECONDS
        return _RETURNING_SECONDS if was_bad else _QUIET_SECONDS

    def _placed(self, sign: Sign) -> Sign | None:
        """Return a sign about a region as one about the node of its users; None where the model knows no such node."""
        if sign.id.startswith("flows:region:"):
            user = self._graph.user_node(sign.region)
            return None if user is None else replace(sign, node=user.id)
        return sign if sign.node in self._graph.nodes else None

    def _doubted(self, node: str, doubted: set[str], now: UnixSeconds) -> bool:
        """Tell whether users who get answers prove nothing: the answers are wrong, by a probe or by their packets."""
        return node in doubted or now - self._bad_packets.get(node, float("-inf")) < _PACKETS_COUNT_SECONDS

    def _remember(self, sign: Sign, now: UnixSeconds) -> None:
        self._sent.pop(sign.id, None)
        self._sent[sign.id] = sign
        self._sent_at[sign.id] = now
        if sign.health is Health.BAD:
            self._bad_at[sign.id] = now
            if len(self._bad_at) > _IDS_KEPT:
                del self._bad_at[next(iter(self._bad_at))]
        if len(self._sent) > _IDS_KEPT:
            oldest = next(iter(self._sent))
            del self._sent[oldest], self._sent_at[oldest]

    def found(self, finding: Finding) -> None:
        """Take what the packets of a business in trouble said."""
        signs = finding_signs(finding, self._whose)
        if signs:
            self._bad_packets[finding.business] = self._clock.wall()
        for sign in signs:
            self._sign(sign, "packets")

    # -- messages

    def take(self, told: Told) -> Heard:
        """Take a message that a rule has understood; returns what became of it."""
        node = told.node or self._whose.node_of(told.hosts, told.kinds, told.interface)
        if node not in self._graph.nodes:
            about = ", ".join(dict.fromkeys(told.hosts)) or told.node
            self._counts(told.source.value, told.sender).no_node += 1
            text = f"{told.text} (no node stands for {about})"
            return self._unmatched(told.source.value, told.sender, HeardAs.NO_NODE, told.rule, text)
        self._counts(told.source.value, told.sender).matched += 1
        if told.health is None:
            return self._take_change(Change(node, told.text, told.at, told.source.value), told.sender, told.rule)
        sign = Sign(
            id=f"{told.source.value}:{node}:{told.subject or told.rule}",
            node=node,
            health=told.health,
            error=told.error if told.health is Health.BAD else ErrorClass.NONE,
            text=told.text[:_MOST_TEXT],
            source=told.source,
            at=told.at,
            scope=Closure.OWN,
            weight=told.weight,
            lasts_seconds=told.lasts_seconds,
        )
        return self._sign(sign, told.sender, told.rule)

    def not_understood(self, source: SignSource, sender: str, text: str) -> None:
        """Take note of a message that no rule understood."""
        self._counts(source.value, sender).no_rule += 1
        self._unmatched(source.value, sender, HeardAs.NO_RULE, "", text)

    def device_changed(self, device: str, text: str) -> None:
        """Take a change that was seen on a device that is asked by SNMP."""
        nodes = self._whose.nodes_of((device, *self._devices().get(device, ())))
        now = self._clock.wall()
        for node in nodes:
            self._take_change(Change(node, text, now, SignSource.SNMP.value), device)
        if not nodes:
            self._counts(SignSource.SNMP.value, device).no_node += 1
            self._unmatched(SignSource.SNMP.value, device, HeardAs.NO_NODE, "", text)

    @override
    def record_change(self, node: str, text: str, actor: str) -> Heard:
        if node not in self._graph.nodes:
            raise KeyError(node)
        return self._take_change(Change(node, text[:_MOST_TEXT], self._clock.wall(), "person"), actor)

    # -- the list

    @override
    def heard(self, *, limit: int, node: str | None = None, heard_as: HeardAs | None = None) -> Sequence[Heard]:
        found: list[Heard] = []
        for one in reversed(self._heard):
            if (node is None or one.node == node) and (heard_as is None or one.heard_as is heard_as):
                found.append(one)
                if len(found) >= limit:
                    break
        return found

    @override
    def senders(self) -> Sequence[Sender]:
        found = [
            Sender(source, sender, one.matched, one.no_rule, one.no_node, one.last_at, one.last_unmatched)
            for (source, sender), one in self._senders.items()
        ]
        return sorted(found, key=lambda one: (-(one.no_rule + one.no_node), one.source, one.sender))

    def _counts(self, source: str, sender: str) -> _Counts:
        found = self._senders.pop((source, sender), None) or _Counts()
        self._senders[source, sender] = found
        if len(self._senders) > _SENDERS_KEPT:
            del self._senders[next(iter(self._senders))]
        found.last_at = self._clock.wall()
        return found

    def _sign(self, sign: Sign, sender: str, rule: str = "") -> Heard:
        heard_as = HeardAs.OVER if sign.health is Health.UNKNOWN else HeardAs(sign.health.value)
        self._count.labels(sign.source.value, heard_as.value).inc()
        self._rca.signed(sign)
        return self._note(sign.source.value, sender, heard_as, sign.node, rule, sign.text)

    def _take_change(self, change: Change, sender: str, rule: str = "") -> Heard:
        self._count.labels(change.source, HeardAs.CHANGE.value).inc()
        self._rca.changed(change)
        self._on_change(change)
        return self._note(change.source, sender, HeardAs.CHANGE, change.node, rule, change.text)

    def _unmatched(self, source: str, sender: str, heard_as: HeardAs, rule: str, text: str) -> Heard:
        self._count.labels(source, heard_as.value).inc()
        if (source, sender) in self._senders:
            self._senders[source, sender].last_unmatched = text[:_MOST_TEXT]
        return self._note(source, sender, heard_as, "", rule, text)

    def _note(self, source: str, sender: str, heard_as: HeardAs, node: str, rule: str, text: str) -> Heard:
        heard = Heard(self._clock.wall(), source, sender, heard_as, node, rule, text[:_MOST_TEXT])
        self._heard.append(heard)
        return heard
