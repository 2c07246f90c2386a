"""What a decoder counts: everything it took, gave, or could not use; and what it tells of each exporter.

The views may be asked for by any thread while another one decodes: they copy what they read in one step each.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from btimd.capture.wire.enrichment import Enrichment
from btimd.capture.wire.sampling import MAX_RATES_SHOWN, SamplingBook
from btimd.capture.wire.tables import ExporterRow, Tables
from btimd.capture.wire.templates import TemplateStore
from btimd.kernels import flowlayout as fl
from btimd.kernels.sequence import RULE_CONSTANT, RULE_UNSEEN, RULES
from btimd.model.ports import Exporter


@dataclass(slots=True)
class DecodeCounters:
    """Totals since the decoder was made. Each datagram and each record lands in one of them.

    records: flow records given out for a record received; reverse_records: further ones for the other direction of
    bidirectional records. skipped_records: data without addresses and counters. short, truncated: datagrams cut off
    (a NetFlow v5 count beyond the end); bad_sets: sets and records that cannot be walked; reserved_sets: set ids
    nobody uses; empty_records: sets of records of length 0. buffered_sets: came before their template; replayed_sets:
    decoded when it came; dropped_sets: given up. clamped: times out of [arrival - 1 day, arrival + 1 hour];
    no_time: records stamped with their arrival. refused_*: beyond the configured bounds; refused_exporters: datagrams
    of senders that may not export. strict_exporters: observation domains of which several exporters at one address
    were told apart. withdrawn_templates, stream_redefinitions: over TCP. expired_templates: neither used nor defined
    for long, given up. unconfirmed_templates: in force from an earlier run; misfit_templates: of those the ones that
    did not fit the data.
    """

    datagrams: int = 0
    octets: int = 0
    records: int = 0
    reverse_records: int = 0
    skipped_records: int = 0
    options_records: int = 0
    short_datagrams: int = 0
    unknown_version_datagrams: int = 0
    sflow_datagrams: int = 0
    truncated_datagrams: int = 0
    refused_datagrams: int = 0
    bad_sets: int = 0
    reserved_sets: int = 0
    empty_records: int = 0
    templates: int = 0
    template_changes: int = 0
    bad_templates: int = 0
    refused_templates: int = 0
    ignored_withdrawals: int = 0
    sets_without_template: int = 0
    buffered_sets: int = 0
    replayed_sets: int = 0
    dropped_sets: int = 0
    no_time: int = 0
    clamped: int = 0
    absurd_counters: int = 0
    absurd_rates: int = 0
    lost_units: int = 0
    restarts: int = 0
    reordered_datagrams: int = 0
    refused_exporters: int = 0
    strict_exporters: int = 0
    withdrawn_templates: int = 0
    stream_redefinitions: int = 0
    expired_templates: int = 0
    unconfirmed_templates: int = 0
    misfit_templates: int = 0
    refused_names: int = 0


def count_all(more: DecodeCounters, counts: npt.NDArray[np.int64], tables: Tables) -> DecodeCounters:
    """Return what a decoder counted in `more` together with what the kernel counted."""
    retired = [row.retired for row in tuple(tables.exporters)]
    sequences = tables.sequences[: tables.domain_count].sum(axis=0) + np.sum(retired, axis=0, dtype=np.int64)
    return replace(
        more,
        datagrams=int(counts[fl.N_DATAGRAMS]),
        octets=int(counts[fl.N_OCTETS]),
        records=int(counts[fl.N_RECORDS]),
        reverse_records=int(counts[fl.N_REVERSE]),
        skipped_records=int(counts[fl.N_SKIPPED_RECORDS]),
        options_records=int(counts[fl.N_OPTIONS_RECORDS]) + more.options_records,
        short_datagrams=int(counts[fl.N_SHORT]),
        unknown_version_datagrams=int(counts[fl.N_UNKNOWN_VERSION]),
        sflow_datagrams=int(counts[fl.N_SFLOW]),
        truncated_datagrams=int(counts[fl.N_TRUNCATED]),
        bad_sets=int(counts[fl.N_BAD_SETS]) + more.bad_sets,
        reserved_sets=int(counts[fl.N_RESERVED_SETS]),
        empty_records=int(counts[fl.N_EMPTY_RECORDS]),
        no_time=int(counts[fl.N_NO_TIME]),
        clamped=int(counts[fl.N_CLAMPED]),
        absurd_counters=int(counts[fl.N_ABSURD_COUNTERS]),
        absurd_rates=int(counts[fl.N_ABSURD_RATES]),
        lost_units=int(sequences[fl.E_LOST]),
        restarts=int(sequences[fl.E_RESTARTS]),
        reordered_datagrams=int(sequences[fl.E_REORDERED]),
    )


def export_counts(tables: Tables) -> npt.NDArray[np.int64]:
    """Return what each exporter sent so far, int64[exporters, 2]: flow records received, flow records lost (estimated).

    The order is that of exporter_id. Estimates may sink when something comes late.
    """
    exporters = tuple(tables.exporters)
    retired = [(row.retired_records, int(row.retired[fl.E_LOST_RECORDS])) for row in exporters]
    counts = np.array(retired, np.int64).reshape(len(exporters), 2)
    used = tables.domain_count
    domains, sequences = tables.domains[:used], tables.sequences[:used]
    known = domains[:, fl.D_EXPORTER] < len(exporters)
    owners = domains[known, fl.D_EXPORTER]
    np.add.at(counts[:, 0], owners, domains[known, fl.D_RECORDS])
    np.add.at(counts[:, 1], owners, sequences[known, fl.E_LOST_RECORDS])
    return counts


def view_exporter(
    row: ExporterRow, tables: Tables, store: TemplateStore, sampling: SamplingBook, names: Enrichment
) -> Exporter:
    """Return what is known of an exporter."""
    rows = list(row.domains)  # before the tables: they have every row that it names
    domains, sequences = tables.domains[rows], tables.sequences[rows]
    sums = sequences.sum(axis=0) + row.retired
    rules = sequences[:, fl.E_RULE]
    first_seen = [int(at) for at in (*sequences[:, fl.E_FIRST_SEEN], row.retired_first_seen) if at]
    latest = int(sequences[:, fl.E_LAST_SEEN].argmax()) if rows else -1
    rule = int(rules[latest]) if rows else RULE_UNSEEN
    header_rate = int(domains[latest, fl.D_HEADER_RATE]) if rows else 0
    told = {int(rate) for rate in domains[:, fl.D_HEADER_RATE]} - {0} | set(row.seen_rates)
    forced = row.rule is not None and row.rule.sampling_rate is not None
    rates = set() if forced else told
    if forced or not told or sampling.is_announced(row):
        rates = rates | set(sampling.rates_in_use(row))
    return Exporter(
        id=row.id,
        address=row.address,
        version=int(domains[latest, fl.D_VERSION]) if rows else 0,
        observation_domains=tuple(sorted({int(domain) for domain in domains[:, fl.D_ID]})),
        datagrams=int(sums[fl.E_DATAGRAMS]),
        records=int(domains[:, fl.D_RECORDS].sum()) + row.retired_records,
        lost=int(sums[fl.E_LOST]),
        templates=store.count(row.address),
        sampling_rate=header_rate if header_rate and not forced else sampling.rate_of_exporter(row),
        first_seen_milliseconds=min(first_seen, default=0),
        last_seen_milliseconds=max(int(sequences[latest, fl.E_LAST_SEEN]) if rows else 0, row.retired_last_seen),
        name=row.rule.name if row.rule else "",
        lost_records=int(sums[fl.E_LOST_RECORDS]) if not rows or (rules < RULE_CONSTANT).any() else None,
        restarts=int(sums[fl.E_RESTARTS]),
        reordered=int(sums[fl.E_REORDERED]),
        counting="" if rule == RULE_UNSEEN else RULES[rule],
        clock_skew_milliseconds=_skew(domains, sequences, latest),
        sampling_rates=tuple(sorted(rates - {0})[:MAX_RATES_SHOWN]),
        sampling_announced=sampling.is_announced(row) or bool(told),
        unconfirmed_templates=store.unconfirmed(row.address),
        strict=bool(domains[:, fl.D_STRICT].any()),
        interfaces=names.interfaces(row.id),
    )


def _skew(domains: npt.NDArray[np.int64], sequences: npt.NDArray[np.int64], latest: int) -> int | None:
    """Return how far an exporter's clock is behind ours, as the domain heard last tells; sFlow tells no time."""
    if latest < 0 or domains[latest, fl.D_VERSION] == fl.SFLOW_VERSION or not sequences[latest, fl.E_DATAGRAMS]:
        return None
    return int(sequences[latest, fl.E_SKEW])
