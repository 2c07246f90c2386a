"""Commands of btimctl: devices, interfaces and links, the path of a business, and what is reported twice."""

import argparse
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

from rich.table import Table
from rich.text import Text

from btimd.api import calls_topology as calls
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_tables import fill, new_table, state
from btimd.cli.ctl_text import moment, percent, quantity, span
from btimd.model.topology import (
    Device,
    DeviceInterface,
    DeviceState,
    DuplicationRow,
    FactSource,
    InterfaceLoad,
    Link,
    PathHop,
)

_MILLIS: Final = 1000
_SHOWN_SHARES: Final = 3
_LITTLE_COVERED: Final = 0.5
_TOO_MUCH_COVERED: Final = 1.1
_WARM, _FULL = 0.7, 0.9
_DEVICE_STATES: Final = {
    DeviceState.UP: "up",
    DeviceState.RESTARTED: "degraded",
    DeviceState.SILENT: "bad",
    DeviceState.UNKNOWN: "unknown",
}


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    _limit(add("devices", _devices, "which devices are known, and how they are"))
    interfaces = add("interfaces", _interfaces, "the interfaces of a device, or of all")
    interfaces.add_argument("device", nargs="?", metavar="DEVICE")
    _limit(interfaces)
    links = add("links", _links, "how full lines are and with what, fullest first")
    links.add_argument("end", nargs="?", metavar="DEVICE[:INTERFACE]", help="IPv6 addresses in brackets")
    links.add_argument("--business", metavar="ID", help="only lines that this business runs over")
    _limit(links)
    path = add("path", _path, "over which interfaces a business runs, and how they stand")
    path.add_argument("business", metavar="BUSINESS")
    _limit(path)
    duplication = add("duplication", _duplication, "how much of the traffic is reported more than once")
    duplication.add_argument("--business", metavar="ID", help='"*" = all together')
    duplication.add_argument("--exporter", metavar="NAME", help='name or address, "*" = all together')
    _limit(duplication)


def _limit(made: argparse.ArgumentParser) -> None:
    made.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many")


def split_end(text: str | None) -> tuple[str | None, str | None]:
    """Return device and interface of "core:Gi0/1", "core", "[2001:db8::1]:Gi0/1"."""
    if not text:
        return None, None
    if text.startswith("["):
        device, _, interface = text[1:].partition("]")
        return device, interface.removeprefix(":") or None
    device, _, interface = text.partition(":")
    return device, interface or None


def _devices(asking: Asking, args: argparse.Namespace) -> int:
    """Show the devices."""
    now = asking.clock.wall()
    asking.out.page(calls.devices(asking.client, limit=args.limit), partial(devices_table, now=now), "no devices")
    return 0


def _interfaces(asking: Asking, args: argparse.Namespace) -> int:
    """Show interfaces."""
    page = calls.interfaces(asking.client, device=args.device, limit=args.limit)
    asking.out.page(page, interfaces_table, "no interfaces")
    return 0


def _links(asking: Asking, args: argparse.Namespace) -> int:
    """Show links and lines."""
    device, interface = split_end(args.end)
    page = calls.links(asking.client, device=device, interface=interface, business=args.business, limit=args.limit)
    asking.out.page(page, partial(links_table, business=args.business), "no links")
    return 0


def _path(asking: Asking, args: argparse.Namespace) -> int:
    """Show where a business runs."""
    page = calls.business_path(asking.client, args.business, limit=args.limit)
    asking.out.page(page, path_table, f"no traffic of {args.business} was seen on any interface lately")
    return 0


def _duplication(asking: Asking, args: argparse.Namespace) -> int:
    """Show what was reported more than once."""
    page = calls.duplication(asking.client, business=args.business, exporter=args.exporter, limit=args.limit)
    asking.out.page(page, duplication_table, "no flow records lately")
    return 0


def devices_table(devices: Sequence[Device], now: float) -> Table:
    """Show how devices are. now: seconds since 1970."""
    table = new_table(
        "device", "state", "model", "up for", "interfaces", "told", "remarks", right=("up for", "interfaces", "told"),
        wide="remarks",
    )  # fmt: skip
    return fill(
        table,
        (
            (
                one.name,
                _device_state(one.state),
                one.model or "-",
                "-" if one.uptime_seconds is None else span(one.uptime_seconds),
                str(one.interfaces),
                "-" if one.told_milliseconds is None else span(max(now - one.told_milliseconds / _MILLIS, 0.0)),
                "; ".join(_device_remarks(one)),
            )
            for one in devices
        ),
    )


def _device_state(found: DeviceState) -> Text:
    """Return a device's state with the shape and colour of what it means."""
    shown = state(_DEVICE_STATES[found])
    return Text(f"{shown.plain.split(' ', 1)[0]} {found.value}", style=shown.style)


def _device_remarks(one: Device) -> Iterator[str]:
    if one.error:
        yield one.error
    if one.told_milliseconds is None and not one.error:
        yield "SNMP does not ask it: known from flow records only"
    if one.partial:
        yield f"not told whole: {', '.join(one.partial)}"
    if one.exporters:
        yield f"exports from {', '.join(one.exporters)}"


def interfaces_table(interfaces: Sequence[DeviceInterface]) -> Table:
    """Show interfaces: speed, state, load both ways, and what hangs on them."""
    table = new_table(
        "device", "#", "interface", "state", "speed", "in", "out", "neighbours", "alias",
        right=("#", "speed", "in", "out"), wide="neighbours",
    )  # fmt: skip
    return fill(
        table,
        (
            (
                one.device,
                str(one.index),
                one.name or "(none)",
                _up(oper=one.oper_up, admin=one.admin_up),
                quantity(one.speed, "bit/s") if one.speed else "-",
                *(_rate(load) for load in one.loads or (None, None)),
                " or ".join(one.neighbours) or "-",
                one.alias,
            )
            for one in interfaces
        ),
    )


def _up(*, oper: bool | None, admin: bool | None) -> Text:
    if admin is False:
        return Text("off", style="bright_black")
    return state("unknown" if oper is None else "up" if oper else "down")


def _rate(load: InterfaceLoad | None) -> Text:
    if load is None:
        return Text("-")
    measured = load.measured_bits_per_second
    bits = load.flow_bits_per_second if measured is None else measured
    text = ("~" if measured is None and load.sampled else "") + quantity(bits, "bit/s")
    return Text(text) if load.utilisation is None else Text(f"{text} {load.utilisation:.0%}", _heat(load.utilisation))


def _heat(use: float) -> str:
    return "red" if use >= _FULL else "yellow" if use >= _WARM else "default"


def _fuller(link: Link) -> InterfaceLoad | None:
    """Return the direction that is fuller, or carries more."""
    return max(
        link.loads,
        key=lambda load: (load.utilisation or 0.0, load.measured_bits_per_second or load.flow_bits_per_second),
        default=None,
    )


def links_table(links: Sequence[Link], business: str | None = None) -> Table:
    """Show how full lines are, in the fuller direction, and with what: the largest businesses, and the one asked for.

    "~": estimated from samples. Shares are of the flow records.
    """
    table = new_table("line", "speed", "full", "carries", "businesses", "remarks", right=("speed", "full", "carries"),
                      wide="remarks")  # fmt: skip

    def row(link: Link) -> tuple[str | Text, ...]:
        load = _fuller(link)
        far = f"{link.far_device} {link.far_interface_name}".strip() or "?"
        use = load.utilisation if load else None
        return (
            f"{link.device} {link.interface_name} > {far}",
            quantity(link.speed, "bit/s") if link.speed else "?",
            Text("?") if use is None or load is None else Text(f"{use:.0%} {load.direction}", style=_heat(use)),
            _rate_only(load),
            _shares(load, business),
            "; ".join(_link_remarks(link, load)),
        )

    return fill(table, map(row, links))


def _rate_only(load: InterfaceLoad | None) -> str:
    if load is None:
        return "-"
    if load.measured_bits_per_second is not None:
        return quantity(load.measured_bits_per_second, "bit/s")
    return ("~" if load.sampled else "") + quantity(load.flow_bits_per_second, "bit/s")


def _shares(load: InterfaceLoad | None, business: str | None) -> str:
    shares = load.shares if load else ()
    shown = [one for at, one in enumerate(shares) if at < _SHOWN_SHARES or one.business == business]
    return ", ".join(f"{one.business or '(none)'} {percent(one.share, 0)}" for one in shown) or "-"


def _link_remarks(link: Link, load: InterfaceLoad | None) -> Iterator[str]:
    """Yield what to know before believing the line."""
    if link.oper_up is False:
        yield "down"
    if link.ambiguous:
        yield "ambiguous: several devices are seen behind it"
    if load is None:
        yield "nothing is measured here"
    elif load.measured_bits_per_second is None:
        yield "load from flow records only"
    elif load.flow_coverage is not None and load.flow_coverage < _LITTLE_COVERED:
        yield f"flow records tell {load.flow_coverage:.0%} of it"
    elif load.flow_coverage is not None and load.flow_coverage > _TOO_MUCH_COVERED:
        yield f"flow records tell {load.flow_coverage:.0%} of it: counted twice, or a wrong sampling rate"
    if load is not None and load.sampled:
        yield "sampled"
    if link.sources and set(link.sources) != {FactSource.FLOW}:
        yield "by " + ", ".join(link.sources)


def path_table(hops: Sequence[PathHop]) -> Table:
    """Show where a business runs and how each hop stands. "~": estimated. to go: lines to the servers' network."""
    table = new_table(
        "to go", "state", "device", "interface", "way", "carries", "share", "full", "towards", "remarks",
        right=("to go", "carries", "share", "full"), wide="remarks",
    )  # fmt: skip
    return fill(
        table,
        (
            (
                "?" if hop.lines_to_servers is None else str(hop.lines_to_servers),
                state(hop.state),
                hop.device,
                hop.interface_name,
                hop.direction,
                ("~" if hop.sampled or hop.derived else "") + quantity(hop.bits_per_second, "bit/s"),
                percent(hop.share, 0),
                Text("?") if hop.utilisation is None else Text(f"{hop.utilisation:.0%}", _heat(hop.utilisation)),
                f"{hop.far_device} {hop.far_interface_name}".strip() or "?",
                "; ".join(hop.remarks),
            )
            for hop in hops
        ),
    )


def duplication_table(rows: Sequence[DuplicationRow]) -> Table:
    """Show how often traffic is reported. "all others'": every record had been reported elsewhere first."""
    numbers = ("factor", "counted", "twice", "octets counted", "octets twice")
    table = new_table("from", "exporter", "business", *numbers, "remarks", right=numbers, wide="remarks")
    return fill(
        table,
        (
            (
                moment(row.interval_start_milliseconds / _MILLIS),
                "(all)" if row.exporter == "*" else row.exporter,
                "(all)" if row.business == "*" else row.business or "(none)",
                _factor(row),
                *(
                    ("~" if row.compared < 1 else "") + quantity(value, unit)
                    for value, unit in (
                        (row.counted_records, ""),
                        (row.duplicate_records, ""),
                        (row.counted_octets, "B"),
                        (row.duplicate_octets, "B"),
                    )
                ),
                _how_sure(row),
            )
            for row in rows
        ),
    )


def _factor(row: DuplicationRow) -> str:
    if row.compared <= 0:
        return "?"
    if row.duplication_factor is None:
        return "all others'"
    return ("~" if row.compared < 1 else "") + f"{row.duplication_factor:.2f}"


def _how_sure(row: DuplicationRow) -> str:
    """Return what to know before believing the row."""
    if row.compared <= 0:
        return "not known: duplicates are not looked for, or not all the time alike"
    if row.compared >= 1:
        return ""
    found = "none found" if row.relative_error is None else f"error of twice at least {row.relative_error:.0%}"
    return f"estimate: {row.compared:.1%} of flows looked at, {found}"
