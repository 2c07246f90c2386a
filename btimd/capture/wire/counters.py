"""What a decoder counts: everything it took, gave, or could not use."""

from dataclasses import dataclass


@dataclass(slots=True)
class DecodeCounters:
    """Totals since the decoder was made. Each datagram and each record lands in one of them.

    records: flow records given out for a record received; reverse_records: further ones for the other direction of
    bidirectional records. skipped_records: data without addresses and counters. short, truncated: datagrams cut off
    (a NetFlow v5 count beyond the end); bad_sets: sets and records that cannot be walked; reserved_sets: set ids
    nobody uses; empty_records: sets of records of length 0. buffered_sets: came before their template; replayed_sets:
    decoded when it came; dropped_sets: given up. clamped: times out of [arrival - 1 day, arrival + 1 hour];
    no_time: records stamped with their arrival. refused_*: beyond the configured bounds.
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
