"""TopologyDesk: devices, interfaces, links, paths and duplication as the API shows them, and points for the store.

Facts come when SNMP has asked, batches when intervals close; the topology is put together when somebody asks and
something has changed. Everything is passed in, time too. One thread owns it: the loop.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from typing_extensions import override

from btimd.flows.linkbatches import INTERVAL_MILLISECONDS, LinkBatch
from btimd.flows.linkrows import duplication_rows, points_of
from btimd.flows.pathorder import server_interfaces, towards_servers
from btimd.flows.projection import (
    DIRECTIONS,
    FlowSums,
    Measured,
    PortSide,
    Reading,
    load_of,
    measured_rates,
    speed_of,
    sums_of,
)
from btimd.flows.topology import Edge, Port, Topology, TopologyLimits, build_topology, short_port
from btimd.model.address import Prefix
from btimd.model.points import PointBlock
from btimd.model.ports import Exporter
from btimd.model.topology import (
    Device,
    DeviceFacts,
    DeviceInterface,
    DeviceState,
    DuplicationRow,
    FactSource,
    InterfaceLoad,
    Link,
    PathHop,
    TopologyView,
)
from btimd.model.units import UnixMillis

_INTERVAL: Final = INTERVAL_MILLISECONDS
_BITS: Final = 8
_MILLIS: Final = 1000


@dataclass(frozen=True, slots=True)
class TopologySettings:
    """How the network is shown. speeds: bit/s by "device:interface", against what devices say.

    full, warm: utilisation from which an interface is bad, and degraded. restarted_seconds: how long after a start a
    device is shown as restarted. kept_intervals: of 60 s. rebuild_seconds: how old the picture may be when only time
    has passed. max_devices: facts of further ones are left out and counted.
    """

    speeds: Mapping[str, int] = field(default_factory=dict)
    limits: TopologyLimits = field(default_factory=TopologyLimits)
    full: float = 0.9
    warm: float = 0.7
    restarted_seconds: float = 900.0
    kept_intervals: int = 10
    rebuild_seconds: float = 30.0
    max_devices: int = 5000


class TopologyDesk(TopologyView):
    """Joins what is told. exporters: who exports now; now: ms since 1970; servers: where those of a business are."""

    def __init__(
        self,
        exporters: Callable[[], Sequence[Exporter]],
        now: Callable[[], UnixMillis],
        settings: TopologySettings | None = None,
        servers: Callable[[str], Iterable[Prefix]] = lambda _: (),
    ) -> None:
        self._servers = servers
        self._exporters = exporters
        self._now = now
        self._settings = settings or TopologySettings()
        self._facts: dict[str, DeviceFacts] = {}
        self._errors: dict[str, DeviceFacts] = {}
        self._measured: dict[str, Mapping[int, Measured]] = {}
        self._intervals: OrderedDict[UnixMillis, dict[PortSide, FlowSums]] = OrderedDict()
        self._doubles: OrderedDict[UnixMillis, LinkBatch] = OrderedDict()
        self._seen: dict[tuple[int, int], UnixMillis] = {}
        self._built: tuple[UnixMillis, Topology] | None = None
        self._exporters_built: object = None
        self.refused_devices = 0
        """Facts that were left out because there were too many devices."""

    def reconfigure(self, settings: TopologySettings) -> None:
        """Go over to other settings; what is known stays."""
        self._settings, self._built = settings, None

    @property
    def left_out_links(self) -> int:
        """Links beyond the bound, in the topology as it was last put together."""
        return self._built[1].left_out if self._built is not None else 0

    def take_facts(self, facts: DeviceFacts) -> None:
        """Take what a device told, or why it told nothing: then what it had told before stays, and grows old."""
        if facts.name not in self._facts and len(self._facts) >= self._settings.max_devices:
            self.refused_devices += 1
            return
        self._built = None
        before = self._facts.get(facts.name)
        if facts.error:
            self._errors[facts.name] = facts
            self._facts.setdefault(facts.name, facts)
            return
        self._errors.pop(facts.name, None)
        if before is not None and not before.error:
            self._measured[facts.name] = measured_rates(before, facts)
        self._facts[facts.name] = facts

    def forget(self, names: Sequence[str]) -> None:
        """Forget devices that are not asked any more."""
        for name in names:
            for known in (self._facts, self._errors, self._measured):
                known.pop(name, None)
        self._built = None

    def take(self, batch: LinkBatch) -> PointBlock | None:
        """Take what windows of links emit; return points for the store, None where nothing changed."""
        start = batch.interval_start_milliseconds
        sums = sums_of(batch)
        self._intervals.setdefault(start, {}).update(sums)
        self._doubles[start] = batch
        for kept in (self._intervals, self._doubles):
            while len(kept) > self._settings.kept_intervals:
                del kept[min(kept)]
        fresh = {(exporter, interface): start for exporter, interface, _ in sums}
        if fresh.keys() - self._seen.keys():
            self._built = None
        self._seen.update(fresh)
        oldest = self._now() - round(self._settings.limits.max_age_seconds * _MILLIS)
        self._seen = {port: at for port, at in self._seen.items() if at >= oldest}
        return self._points(batch) if len(batch) else None

    @override
    def devices(self, *, limit: int) -> Sequence[Device]:
        """Return the devices by name."""
        topology, addresses = self._topology(), {one.id: one.address for one in self._exporters()}
        counts: dict[str, int] = {}
        for name, index in topology.ports:
            counts[name] = counts.get(name, 0) + (index > 0)
        names = sorted(topology.facts.keys() | topology.exporters.keys())
        return [
            self._device(name, tuple(addresses.get(one, "") for one in topology.exporters.get(name, ())), counts)
            for name in names[:limit]
        ]

    @override
    def interfaces(self, *, device: str | None, limit: int) -> Sequence[DeviceInterface]:
        """Return the interfaces of a device, or of all."""
        topology = self._topology()
        self._must_know(topology, device)
        neighbours: dict[tuple[str, int], list[str]] = {}
        for edge in topology.edges:
            far = topology.ports.get((edge.far_device, edge.far_index))
            text = f"{edge.far_device} {far.name if far else edge.far_name}".rstrip()
            neighbours.setdefault((edge.device, edge.index), []).append(text)
            near = topology.ports.get((edge.device, edge.index))
            if edge.far_index:
                back = f"{edge.device} {near.name if near else ''}".rstrip()
                neighbours.setdefault((edge.far_device, edge.far_index), []).append(back)
        keys = sorted(key for key in topology.ports if device is None or key[0] == device)[:limit]
        return [self._interface(topology, topology.ports[key], tuple(neighbours.get(key, ()))) for key in keys]

    @override
    def links(self, *, device: str | None, interface: str | None, business: str | None, limit: int) -> Sequence[Link]:
        """Return links and lines, fullest first: every link that is told of, and every interface with a load."""
        topology = self._topology()
        self._must_know(topology, device)
        start = self._latest()
        loads = {key: self._loads(topology, port, start) for key, port in topology.ports.items()}
        found = [self._link(topology, edge, loads) for edge in topology.edges]
        told = {(link.device, link.interface) for link in found} | {
            (link.far_device, link.far_interface) for link in found
        }
        found += [
            self._line(topology, topology.ports[key], two)
            for key, two in loads.items()
            if two and key not in told and key[1] and self._is_carried(two)
        ]
        wanted = [
            link
            for link in found
            if (device is None or _touches(link, device, interface))
            and (interface is None or device is not None or _named(link.interface, link.interface_name, interface))
            and (business is None or any(one.business == business for load in link.loads for one in load.shares))
        ]
        return sorted(wanted, key=_fullness)[:limit]

    @override
    def business_path(self, business: str, *, limit: int) -> Sequence[PathHop]:
        """Return where a business runs in the latest interval, from users to servers as far as lines tell."""
        topology, start = self._topology(), self._latest()
        if start is None:
            return ()
        beyond: dict[tuple[str, int], tuple[str, str]] = {}
        for edge in topology.edges:
            far = topology.ports.get((edge.far_device, edge.far_index))
            beyond.setdefault((edge.device, edge.index), (edge.far_device, far.name if far else edge.far_name))
            near = topology.ports.get((edge.device, edge.index))
            beyond.setdefault((edge.far_device, edge.far_index), (edge.device, near.name if near else ""))
        hops = []
        for (name, index), port in topology.ports.items():
            for load in self._loads(topology, port, start) if index else ():
                side = DIRECTIONS.index(load.direction)
                flows = self._flows(topology, port, side, start)
                if flows is not None and business in flows.businesses:
                    hops.append(self._hop(port, load, flows, business, beyond.get((name, index), ("", ""))))
        fresh = {name: one for name, one in topology.facts.items() if not self._is_old(one)}
        return towards_servers(hops, topology.edges, server_interfaces(fresh, self._servers(business)))[:limit]

    @override
    def duplication(self, *, business: str | None, exporter: str | None, limit: int) -> Sequence[DuplicationRow]:
        """Return how much was reported more than once, newest first; all exporters and businesses together too."""
        names = {one.id: one.name or one.address for one in self._exporters()}
        rows: list[DuplicationRow] = []
        for start in sorted(self._doubles, reverse=True):
            rows.extend(
                row
                for row in duplication_rows(self._doubles[start], names)
                if business in {None, row.business} and exporter in {None, row.exporter}
            )
            if len(rows) >= limit:
                break
        return rows[:limit]

    def _topology(self) -> Topology:
        """Return the topology of now; put together anew where something changed or it is old."""
        now, exporters = self._now(), self._exporters()
        known = tuple((one.id, one.address, one.name, one.interfaces) for one in exporters)
        if self._built is not None and known == self._exporters_built:
            at, topology = self._built
            if now - at < self._settings.rebuild_seconds * _MILLIS:
                return topology
        topology = build_topology(self._facts, exporters, self._seen, now, self._settings.limits)
        self._built, self._exporters_built = (now, topology), known
        return topology

    def _latest(self) -> UnixMillis | None:
        return max(self._intervals, default=None)

    @staticmethod
    def _must_know(topology: Topology, device: str | None) -> None:
        if device is not None and device not in topology.facts and device not in topology.exporters:
            raise KeyError(f"no device {device!r}")

    def _device(self, name: str, exporters: tuple[str, ...], counts: Mapping[str, int]) -> Device:
        facts = self._facts.get(name)
        count = counts.get(name, 0)
        if facts is None:
            return Device(name, exporters, DeviceState.UNKNOWN, exporters=exporters, interfaces=count)
        addresses = dict.fromkeys(
            [facts.address, *(one.split("/")[0] for p in facts.interfaces for one in p.addresses)]
        )
        failed = self._errors.get(name)
        return Device(
            name=name,
            addresses=tuple(addresses),
            state=self._state(name),
            sys_name=facts.sys_name,
            sys_description=facts.sys_description,
            sys_location=facts.sys_location,
            model=facts.model,
            serial=facts.serial,
            uptime_seconds=facts.uptime_seconds,
            exporters=exporters,
            interfaces=count,
            error=failed.error if failed else "",
            partial=facts.partial,
            told_milliseconds=None if facts.error else facts.at,
        )

    def _state(self, name: str) -> DeviceState:
        """Return what is known of a device's health now."""
        facts = self._facts.get(name)
        if name in self._errors:
            return DeviceState.SILENT
        if facts is None or self._is_old(facts):
            return DeviceState.UNKNOWN
        if facts.uptime_seconds is not None and facts.uptime_seconds < self._settings.restarted_seconds:
            return DeviceState.RESTARTED
        return DeviceState.UP

    def _is_old(self, facts: DeviceFacts) -> bool:
        return self._now() - facts.at > self._settings.limits.max_age_seconds * _MILLIS

    def _is_told(self, port: Port) -> bool:
        """Tell whether what SNMP told of an interface holds now."""
        return port.facts is not None and self._state(port.device) in {DeviceState.UP, DeviceState.RESTARTED}

    def _interface(self, topology: Topology, port: Port, neighbours: tuple[str, ...]) -> DeviceInterface:
        facts = port.facts
        speed, source = speed_of(port, self._override(port))
        carried = any((number, port.index) in self._seen for number in topology.exporters.get(port.device, ()))
        return DeviceInterface(
            device=port.device,
            index=port.index,
            name=port.name,
            description=facts.description if facts else port.description,
            alias=facts.alias if facts else "",
            mac=facts.mac if facts else "",
            addresses=facts.addresses if facts else (),
            speed=speed,
            speed_source=source,
            admin_up=facts.admin_up if facts and self._is_told(port) else None,
            oper_up=self._oper_up(port),
            sources=(*(("snmp",) if facts else ()), *(("exporter",) if port.exporter_speed or port.description else ()),
                     *(("flow",) if carried else ())),
            neighbours=neighbours,
            loads=self._loads(topology, port, self._latest()),
        )  # fmt: skip

    def _oper_up(self, port: Port) -> bool | None:
        return port.facts.oper_up if port.facts is not None and self._is_told(port) else None

    def _override(self, port: Port) -> int | None:
        speeds = self._settings.speeds
        return speeds.get(f"{port.device}:{port.name}") or speeds.get(f"{port.device}:{port.index}")

    def _flows(self, topology: Topology, port: Port, side: int, start: UnixMillis | None) -> FlowSums | None:
        """Return what flow records put on a direction; of several exporters of one device, the one that tells most."""
        told = self._intervals.get(start, {}) if start is not None else {}
        found = [told.get((number, port.index, side)) for number in topology.exporters.get(port.device, ())]
        return max((one for one in found if one is not None), key=lambda one: one.octets, default=None)

    def _loads(self, topology: Topology, port: Port, start: UnixMillis | None) -> tuple[InterfaceLoad, ...]:
        """Return both directions of an interface, none where nothing was measured."""
        measured = self._measured.get(port.device, {}).get(port.index) if self._is_told(port) else None
        flows = [self._flows(topology, port, side, start) for side in range(len(DIRECTIONS))]
        if measured is None and flows == [None, None]:
            return ()
        speed, _ = speed_of(port, self._override(port))
        loads = []
        for side, direction in enumerate(DIRECTIONS):
            covered = self._covered(topology, port, side, measured)
            loads.append(
                load_of(
                    Reading(
                        port, direction, start or 0, _INTERVAL, flows[side],
                        measured.of(direction) if measured else None, speed, *covered,
                    )
                )
            )  # fmt: skip
        return tuple(loads)

    def _covered(self, topology: Topology, port: Port, side: int, measured: Measured | None) -> tuple[int | None, int]:
        """Return the octets and length of the intervals that lie within the measured time."""
        if measured is None:
            return None, 0
        within = [at for at in self._intervals if measured.since <= at and at + _INTERVAL <= measured.until]
        found = [self._flows(topology, port, side, at) for at in within]
        return sum(one.octets for one in found if one is not None), len(within) * _INTERVAL

    @staticmethod
    def _is_carried(loads: Sequence[InterfaceLoad]) -> bool:
        return any(load.flow_bits_per_second or load.measured_bits_per_second for load in loads)

    def _link(self, topology: Topology, edge: Edge, loads: Mapping[tuple[str, int], tuple[InterfaceLoad, ...]]) -> Link:
        """Return a link as the end sees it that is measured best: by flow records, else by counters."""
        ends = [(edge.device, edge.index), (edge.far_device, edge.far_index)]
        names = [port.name if (port := topology.ports.get(end)) else "" for end in ends]
        names[1] = names[1] or edge.far_name

        def known(end: tuple[str, int]) -> int:
            two = loads.get(end, ())
            return 2 * any(load.flow_bits_per_second for load in two) + bool(two)

        label = "--".join(f"{end[0]}:{name}" if name else end[0] for end, name in zip(ends, names, strict=True))
        if edge.far_index and known(ends[1]) > known(ends[0]):
            ends.reverse()
            names.reverse()
        port = topology.ports.get(ends[0])
        other = topology.ports.get(ends[1]) if edge.far_index else None
        speeds = [speed_of(one, self._override(one))[0] for one in (port, other) if one is not None]
        states = [self._oper_up(one) for one in (port, other) if one is not None]
        return Link(
            id=label,
            device=ends[0][0],
            interface=ends[0][1],
            interface_name=names[0],
            far_device=ends[1][0],
            far_interface=ends[1][1],
            far_interface_name=names[1],
            sources=edge.sources,
            speed=next((speed for speed in speeds if speed), 0),
            oper_up=False if False in states else True if True in states else None,
            ambiguous=edge.ambiguous,
            last_seen_milliseconds=edge.seen_at,
            loads=loads.get(ends[0], ()),
        )

    def _line(self, topology: Topology, port: Port, loads: tuple[InterfaceLoad, ...]) -> Link:
        """Return an interface that carries something to nobody knows whom."""
        numbers = topology.exporters.get(port.device, ())
        at = max((self._seen.get((number, port.index), 0) for number in numbers), default=0)
        return Link(
            id=f"{port.device}:{port.name}--?",
            device=port.device,
            interface=port.index,
            interface_name=port.name,
            far_device="",
            far_interface=0,
            far_interface_name="",
            sources=(FactSource.FLOW,) if at else (),
            speed=speed_of(port, self._override(port))[0],
            oper_up=self._oper_up(port),
            last_seen_milliseconds=at,
            loads=loads,
        )

    def _hop(self, port: Port, load: InterfaceLoad, flows: FlowSums, business: str, far: tuple[str, str]) -> PathHop:
        octets = flows.businesses[business]
        device_state, up = self._state(port.device), self._oper_up(port)
        state, remarks = self._judged(device_state, load, up=up)
        failed = self._errors.get(port.device)
        if failed is not None:
            remarks = (failed.error, *remarks[1:])
        return PathHop(
            device=port.device,
            device_state=device_state,
            interface=port.index,
            interface_name=port.name,
            direction=load.direction,
            interval_start_milliseconds=load.interval_start_milliseconds,
            interval_milliseconds=load.interval_milliseconds,
            octets=octets,
            bits_per_second=octets * _BITS * _MILLIS / load.interval_milliseconds,
            share=octets / flows.octets if flows.octets else 0.0,
            sampled=flows.sampled,
            derived=flows.derived,
            utilisation=load.utilisation,
            oper_up=up,
            far_device=far[0],
            far_interface_name=far[1],
            state=state,
            remarks=remarks,
        )

    def _judged(self, device: DeviceState, load: InterfaceLoad, *, up: bool | None) -> tuple[str, tuple[str, ...]]:
        """Return how a hop stands, and why: the worst of device, interface and line, and what nobody knows."""
        found: list[tuple[int, str]] = []
        if device is DeviceState.SILENT:
            found.append((2, "the device does not answer"))
        if device is DeviceState.RESTARTED:
            found.append((1, "the device restarted lately"))
        if device is DeviceState.UNKNOWN:
            found.append((0, "nothing is known of the device's health"))
        if up is False:
            found.append((2, "the interface is down"))
        use = load.utilisation
        if use is None:
            found.append((0, "speed or load not known"))
        elif use >= self._settings.warm:
            found.append((2 if use >= self._settings.full else 1, f"{use:.0%} full"))
        found.sort(key=lambda one: -one[0])
        worst = found[0][0] if found else None
        return {None: "good", 0: "unknown", 1: "degraded", 2: "bad"}[worst], tuple(text for _, text in found)

    def _points(self, batch: LinkBatch) -> PointBlock:
        """Return the rows of a batch as points, under the names of now."""
        topology = self._topology()

        def named(exporter: int, interface: int) -> tuple[str, int]:
            port = topology.ports.get((topology.device_of_exporter.get(exporter, ""), interface))
            return (port.name, speed_of(port, self._override(port))[0]) if port else ("", 0)

        return points_of(batch, {one.id: one.name or one.address for one in self._exporters()}, named)


def _named(index: int, name: str, word: str) -> bool:
    """Tell whether a word means an interface: its name, however short, or its ifIndex."""
    return short_port(name) == short_port(word) or word == str(index)


def _touches(link: Link, device: str, interface: str | None) -> bool:
    """Tell whether a link ends at a device, or at one of its interfaces."""
    ends = (
        (link.device, link.interface, link.interface_name),
        (link.far_device, link.far_interface, link.far_interface_name),
    )
    return any(name == device and (interface is None or _named(index, port, interface)) for name, index, port in ends)


def _fullness(link: Link) -> tuple[float, float, str]:
    """Return the sort key of links: fullest first, then most traffic."""
    uses = [load.utilisation for load in link.loads if load.utilisation is not None]
    rates = [max(load.measured_bits_per_second or 0.0, load.flow_bits_per_second) for load in link.loads]
    return -max(uses, default=-1.0), -max(rates, default=-1.0), link.id
