"""Pictures of exporters: who sends flow records, what was lost on the way, what to mend."""

from collections.abc import Iterator, Sequence
from datetime import tzinfo
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import moment, percent, quantity, span
from btimd.model.ports import Exporter, RefusedExporter

_MILLIS: Final = 1000
_IPFIX: Final = 10
_SFLOW: Final = 105
_SKEW_TOLERATED_MILLISECONDS: Final = 5000


def protocol_of_export(version: int) -> str:
    """Return what a protocol of flow export is called."""
    return {_IPFIX: "IPFIX", _SFLOW: "sFlow v5"}.get(version, f"NetFlow v{version}")


def loss_ratio(one: Exporter) -> float | None:
    """Return the share of its records that never came, None where its sequence numbers say nothing."""
    if one.lost_records is None:
        return None
    sent = one.records + one.lost_records
    return one.lost_records / sent if sent else 0.0


def remarks(one: Exporter) -> Iterator[tuple[str, str]]:
    """Yield, in a word and in a sentence, what an operator should know or mend, most urgent first."""
    if one.strict:
        yield "shared", "several exporters send from this address; they are told apart by their ports"
    if abs(one.clock_skew_milliseconds or 0) > _SKEW_TOLERATED_MILLISECONDS:
        yield "clock", "its clock is wrong: set it, or date its records by their arrival (time_source)"
    if not one.sampling_announced:
        yield "rate", "it announces no sampling rate: if it samples, set sampling_rate"
    if one.duplicates:
        share = percent(one.duplicates / max(one.records, 1))
        yield "doubles", f"{share} of its records had been reported elsewhere first and count once"
    if one.unconfirmed_templates:
        yield "unsent", f"{one.unconfirmed_templates} templates are remembered and not sent again yet"
    if one.restarts:
        yield "restarts", f"it started anew {one.restarts} times"
    if not one.name:
        yield "unknown", "the configuration does not know it"


def _loss(one: Exporter) -> Text:
    ratio = loss_ratio(one)
    if ratio is None:
        return Text("unknown", style="yellow")
    if not one.lost_records:
        return Text("0")
    return Text(f"{quantity(one.lost_records)} ({max(ratio * 100, 0.01):.2f} %)", style="red")


def _sampling(one: Exporter) -> str:
    rates = one.sampling_rates or (one.sampling_rate,)
    return ", ".join(f"1:{rate}" for rate in rates) + ("" if one.sampling_announced else "?")


def _skew(one: Exporter) -> Text:
    if one.clock_skew_milliseconds is None:
        return Text("-")
    wrong = abs(one.clock_skew_milliseconds) > _SKEW_TOLERATED_MILLISECONDS
    return Text(f"{-one.clock_skew_milliseconds / _MILLIS:+.1f} s", style="red" if wrong else "default")


def exporters_table(exporters: Sequence[Exporter], now: float) -> Table:
    """Show who exports, what was lost on the way, and what else one should know of it. now: seconds since 1970."""
    numbers = ("records/s", "records", "lost", "sampling", "clock", "silent")
    table = new_table("exporter", "protocol", *numbers, "remarks", right=numbers, wide="remarks")
    return fill(
        table,
        (
            (
                f"{one.name} {one.address}".lstrip(),
                protocol_of_export(one.version),
                quantity(one.records_per_second),
                quantity(one.records),
                _loss(one),
                _sampling(one),
                _skew(one),
                span(max(now - one.last_seen_milliseconds / _MILLIS, 0)),
                ", ".join(word for word, _ in remarks(one)),
            )
            for one in exporters
        ),
    )


def exporter_details(one: Exporter, zone: tzinfo | None = None) -> Group:
    """Show all that is known of one exporter."""
    table = new_table("", "", wide="")
    table.show_header = False
    domains = ", ".join(map(str, one.observation_domains))
    seen = [moment(at / _MILLIS, zone) for at in (one.first_seen_milliseconds, one.last_seen_milliseconds)]
    received = [
        f"{quantity(one.datagrams)} datagrams ({quantity(one.datagrams_per_second)}/s)",
        f"{quantity(one.records)} records ({quantity(one.records_per_second)}/s)",
    ]
    sequence = [
        one.counting or "not known yet how it counts",
        f"{one.lost} units missing",
        f"{one.reordered} datagrams late",
        f"{one.restarts} restarts",
    ]
    unconfirmed = f", of which {one.unconfirmed_templates} not sent again yet" if one.unconfirmed_templates else ""
    rows: list[tuple[str, str | Text]] = [
        ("exporter", f"{one.name} {one.address}".lstrip()),
        ("protocol", f"{protocol_of_export(one.version)}, observation domains {domains}"),
        ("seen", " to ".join(seen)),
        ("received", ", ".join(received)),
        ("lost records", _loss(one)),
        ("sequence", "; ".join(sequence)),
        ("sampling", _sampling(one)),
        ("clock", _skew(one)),
        ("templates", f"{one.templates}{unconfirmed}"),
    ]
    rows.extend(remarks(one))
    interfaces = new_table("ifIndex", "name", "description", "speed", right=("ifIndex", "speed"))
    fill(
        interfaces,
        (
            (str(port.index), port.name, port.description, quantity(port.speed, "bit/s") if port.speed else "-")
            for port in one.interfaces
        ),
    )
    return Group(fill(table, rows), *([interfaces] if one.interfaces else []))


def refused_table(refused: Sequence[RefusedExporter], zone: tzinfo | None = None) -> Table:
    """Show who sent without being allowed to."""
    table = new_table("address", "datagrams", "last seen", right=("datagrams",))
    return fill(
        table,
        ((one.address, quantity(one.datagrams), moment(one.last_seen_milliseconds / _MILLIS, zone)) for one in refused),
    )
