"""Flow records -> conversations: who is the client, who the server, how much went between them, and who began.

Which end is the server is told by the rule that a record matched. Elsewhere it is found over all connections of a
chunk of records, end point (address, protocol, port) by end point:

- who spoke first: the record of the client's direction starts earlier, counted only where one exporter reports both
  directions; a lone SYN is the client's. A port whose connections are begun by the others is a server's.
- how many others: a server's port is talked to from many ports, a port that a client takes is used once or twice.
- the name of the port: one that is registered for a service, or lies below 1024, is more likely a server's.

Where all that is even, and always with `by_evidence` False (as the archive does it), the lower port is the server's.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.flows.portnames import LINUX_EPHEMERAL, PORTS, WELL_KNOWN_END
from btimd.model.conversations import Conversations
from btimd.model.flowbatch import AttributedBatch
from btimd.model.units import UnixMillis

Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]

CHUNK_RECORDS: Final = 1 << 20
_ADDRESSES: Final = ("source_address_hi", "source_address_lo", "destination_address_hi", "destination_address_lo")
_SYN: Final = 0x02
_SYN_ACK: Final = 0x12
_TCP: Final = 6
_WITH_PORTS: Final = (6, 17, 33, 132, 136)
_NEVER: Final = np.iinfo(np.int64).max
_TIME_WEIGHT: Final = 2.0
_MOST_PEERS_BITS: Final = 4.0
_KNOWN_WEIGHT: Final = np.zeros(65_536)
_KNOWN_WEIGHT[:LINUX_EPHEMERAL] += 0.1  # what clients take by default lies above
_KNOWN_WEIGHT[:WELL_KNOWN_END] += 0.3
_KNOWN_WEIGHT[sorted(PORTS)] += 0.6
_KNOWN_WEIGHT[0] = 0.0
_NAMES: Final = (
    "client_hi", "client_lo", "server_hi", "server_lo", "server_port", "protocol", "rule_id",
    "flows", "octets", "packets", "first_seen", "last_seen", "answered",
)  # fmt: skip
_EXTRA: Final = ("connections", "answered_connections", "begun_by_client")
_SUMS: Final = ("flows", "octets", "packets", *_EXTRA)
_KEYS: Final = _NAMES[:7]


@dataclass(frozen=True, slots=True)
class Traffic:
    """Conversations, and what else their records told.

    connections: int64 distinct 5-tuples of each conversation; answered_connections: of these, with records of both
    directions; begun_by_client: connections that the client was seen to begin, less those that the server was. Counted
    per chunk: a connection that lasts longer counts in each. records: how many were looked at. oriented: who is the
    server was found from evidence, so that ports above a client's were found too.
    """

    conversations: Conversations
    connections: Ints
    answered_connections: Ints
    begun_by_client: Ints
    records: int
    oriented: bool

    def __len__(self) -> int:
        return len(self.conversations)


def traffic_of(conversations: Conversations) -> Traffic:
    """Return conversations of which nothing more is known: as many connections as records."""
    flows = conversations.flows
    answered = np.where(conversations.answered > 0, flows, 0)
    return Traffic(conversations, flows, answered, np.zeros(len(flows), np.int64), 0, oriented=False)


def address_ids(hi: npt.NDArray[np.uint64], lo: npt.NDArray[np.uint64]) -> tuple[Ints, Ints]:
    """Return a number for each address, equal for equal ones and in their order, and the first row of each number."""
    if not len(lo):
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    _, first, low = np.unique(lo, return_index=True, return_inverse=True)
    if not hi.any():
        return low.astype(np.int64), first.astype(np.int64)
    _, high = np.unique(hi, return_inverse=True)
    key = high.astype(np.int64) * (int(low.max()) + 1) + low
    _, first, ids = np.unique(key, return_index=True, return_inverse=True)
    return ids.astype(np.int64), first.astype(np.int64)


class ConversationBuilder:
    """Adds records up. `rules`: what their service_rule_id means. At most `limit` conversations are held.

    Memory: some 300 octets for each record of a chunk, twice 140 octets for each conversation.
    """

    def __init__(self, rules: Iterable[str], limit: int, *, by_evidence: bool = True) -> None:
        self._rules = tuple(rules)
        self._limit = limit
        self._by_evidence = by_evidence
        self._pending: list[AttributedBatch] = []
        self._pending_records = 0
        self._held: dict[str, npt.NDArray[Any]] | None = None
        self.records = 0
        self.truncated = False

    def add(self, batch: AttributedBatch) -> None:
        """Take records; duplicates are left out by the caller."""
        if not len(batch):
            return
        self._pending.append(batch)
        self._pending_records += len(batch)
        if self._pending_records >= CHUNK_RECORDS:
            self._work()

    @property
    def records_added(self) -> int:
        """How many records were taken."""
        return self.records + self._pending_records

    def traffic(self, from_milliseconds: UnixMillis, to_milliseconds: UnixMillis) -> Traffic:
        """Return what was added, those with the most flows first."""
        self._work()
        held = self._held if self._held is not None else _grouped(_empty())
        order = np.argsort(-held["flows"], kind="stable")[: self._limit]
        truncated = self.truncated or len(order) < len(held["flows"])
        columns = {name: np.ascontiguousarray(held[name][order]) for name in (*_NAMES, *_EXTRA)}
        extra = [columns.pop(name) for name in _EXTRA]
        found = Conversations(from_milliseconds, to_milliseconds, truncated, self._rules, **columns)
        return Traffic(found, extra[0], extra[1], extra[2], self.records, oriented=self._by_evidence)

    def _work(self) -> None:
        if not self._pending:
            return
        rows = _oriented(self._pending, by_evidence=self._by_evidence)
        self.records += self._pending_records
        self._pending, self._pending_records = [], 0
        if self._held is not None:
            rows = {name: np.concatenate((self._held[name], rows[name])) for name in rows}
        held = _grouped(rows)
        most = 2 * self._limit
        if len(held["flows"]) > most:
            keep = np.sort(np.argpartition(-held["flows"], most)[:most])
            held = {name: column[keep] for name, column in held.items()}
            self.truncated = True
        self._held = held


def build_traffic(
    batches: Iterable[AttributedBatch], rules: Iterable[str], limit: int, *, by_evidence: bool = True
) -> Traffic:
    """Return the conversations of records, from the first to the last of their times."""
    builder = ConversationBuilder(rules, limit, by_evidence=by_evidence)
    first, last = _NEVER, 0
    for batch in batches:
        if len(batch):
            first = min(first, int(batch.flows["flow_start_milliseconds"].min()))
            last = max(last, int(batch.flows["flow_end_milliseconds"].max()))
        builder.add(batch)
    return builder.traffic(min(first, last), last)


def joined(one: Traffic, other: Traffic) -> Traffic:
    """Return the traffic of two times that follow each other; a conversation may stand in two rows."""
    first, second = one.conversations, other.conversations
    columns = {name: np.concatenate((getattr(first, name), getattr(second, name))) for name in _NAMES}
    found = Conversations(
        min(first.from_milliseconds, second.from_milliseconds),
        max(first.to_milliseconds, second.to_milliseconds),
        first.truncated or second.truncated,
        second.rules,
        **columns,
    )
    return Traffic(
        found,
        np.concatenate((one.connections, other.connections)),
        np.concatenate((one.answered_connections, other.answered_connections)),
        np.concatenate((one.begun_by_client, other.begun_by_client)),
        one.records + other.records,
        oriented=one.oriented and other.oriented,
    )


def _empty() -> dict[str, npt.NDArray[Any]]:
    dtypes = dict.fromkeys((*_NAMES, *_EXTRA), np.int64)
    dtypes |= dict.fromkeys(_NAMES[:4], np.uint64)  # type: ignore[arg-type]
    dtypes |= {"server_port": np.uint16, "protocol": np.uint8, "rule_id": np.int32, "answered": np.uint8}  # type: ignore[dict-item]
    return {name: np.zeros(0, dtype) for name, dtype in dtypes.items()}


def _grouped(rows: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """Return one row for each client, server, port, protocol and rule."""
    length = len(rows["flows"])
    if not length:
        return rows
    client, _ = address_ids(rows["client_hi"], rows["client_lo"])
    server, _ = address_ids(rows["server_hi"], rows["server_lo"])
    port = rows["protocol"].astype(np.int64) << 16 | rows["server_port"]
    _, end = np.unique(server << 24 | port, return_inverse=True)
    # rule ids are few: with one bit more than they need, client and end point fit beside them
    bits = int(rows["rule_id"].max() + 2).bit_length()
    _, pair = np.unique(client << 32 | end, return_inverse=True)
    key = pair.astype(np.int64) << bits | (rows["rule_id"].astype(np.int64) + 1)
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    out = {name: rows[name][order][starts] for name in _KEYS}
    out |= {name: np.add.reduceat(rows[name][order], starts) for name in _SUMS}
    out["first_seen"] = np.minimum.reduceat(rows["first_seen"][order], starts)
    out["last_seen"] = np.maximum.reduceat(rows["last_seen"][order], starts)
    # bit 0: the client's direction was seen, bit 1: the server's; "answered" is both
    seen = np.bitwise_or.reduceat(rows["seen"][order], starts) if "seen" in rows else np.zeros(len(starts), np.uint8)
    out["seen"] = seen
    out["answered"] = (seen == 3).astype(np.uint8)  # noqa: PLR2004  both bits
    return out


def _oriented(batches: list[AttributedBatch], *, by_evidence: bool) -> dict[str, npt.NDArray[Any]]:
    """Return a row for each record with client and server told apart, and per connection what it is evidence of."""
    column = {
        name: np.concatenate([batch.flows[name] for batch in batches])
        for name in (
            *_ADDRESSES, "source_transport_port", "destination_transport_port", "protocol_identifier",
            "tcp_control_bits", "flow_start_milliseconds", "flow_end_milliseconds", "octet_delta_count",
            "packet_delta_count", "sampling_rate", "exporter_id",
        )
    }  # fmt: skip
    rule = np.concatenate([batch.service_rule_id for batch in batches])
    by_rule = np.concatenate([batch.client_is_source for batch in batches]).astype(bool)
    ends = _Ends(column)
    connections = _Connections(ends, column)
    source_port, destination_port = (column[f"{end}_transport_port"] for end in ("source", "destination"))
    # the lower port serves; where both are equal the lower address
    lower = (destination_port < source_port) | ((destination_port == source_port) & (ends.destination < ends.source))
    to_server = np.where(rule >= 0, by_rule, connections.source_is_client(ends) if by_evidence else lower)

    def pick(when: str, otherwise: str) -> npt.NDArray[Any]:
        return np.where(to_server, column[when], column[otherwise])

    rate = np.maximum(column["sampling_rate"], 1).astype(np.int64)
    first_of, answered, begun = connections.evidence(to_server)
    return {
        "client_hi": pick("source_address_hi", "destination_address_hi"),
        "client_lo": pick("source_address_lo", "destination_address_lo"),
        "server_hi": pick("destination_address_hi", "source_address_hi"),
        "server_lo": pick("destination_address_lo", "source_address_lo"),
        "server_port": np.where(
            (rule >= 0) | np.isin(column["protocol_identifier"], _WITH_PORTS),
            pick("destination_transport_port", "source_transport_port"),
            np.uint16(0),
        ),
        "protocol": column["protocol_identifier"],
        "rule_id": rule,
        "flows": to_server.astype(np.int64),
        "octets": column["octet_delta_count"] * rate,
        "packets": column["packet_delta_count"] * rate,
        "first_seen": column["flow_start_milliseconds"],
        "last_seen": column["flow_end_milliseconds"],
        "answered": np.zeros(len(rule), np.uint8),
        "seen": np.where(to_server, 1, 2).astype(np.uint8),
        "connections": first_of.astype(np.int64),
        "answered_connections": answered,
        "begun_by_client": begun,
    }


class _Ends:
    """The end points of records: source and destination as numbers below `count`, with their ports."""

    def __init__(self, column: dict[str, npt.NDArray[Any]]) -> None:
        length = len(column["protocol_identifier"])
        ids, _ = address_ids(
            np.concatenate((column["source_address_hi"], column["destination_address_hi"])),
            np.concatenate((column["source_address_lo"], column["destination_address_lo"])),
        )
        port = np.concatenate((column["source_transport_port"], column["destination_transport_port"])).astype(np.int64)
        protocol = np.tile(column["protocol_identifier"].astype(np.int64), 2)
        found, numbers = np.unique(ids << 24 | protocol << 16 | port, return_inverse=True)
        self.count = len(found)
        self.port = found & 0xFFFF
        self.source = numbers[:length].astype(np.int64)
        self.destination = numbers[length:].astype(np.int64)


class _Connections:
    """Records of the same two end points, either direction. `one` < `other` are the end points of each connection."""

    def __init__(self, ends: _Ends, column: dict[str, npt.NDArray[Any]]) -> None:
        self._forward: Bools = ends.source < ends.destination
        low, high = np.minimum(ends.source, ends.destination), np.maximum(ends.source, ends.destination)
        keys, self._of_record = np.unique(low << 32 | high, return_inverse=True)
        self.one, self.other = keys >> 32, keys & 0xFFFF_FFFF
        count = len(keys)
        start, flags = column["flow_start_milliseconds"], column["tcp_control_bits"]
        lone_syn = (column["protocol_identifier"] == _TCP) & ((flags & _SYN_ACK) == _SYN)
        order = np.lexsort((start, ~self._forward, self._of_record))
        side = self._of_record[order] * 2 + ~self._forward[order]
        begins = np.flatnonzero(np.concatenate(([True], side[1:] != side[:-1]))) if len(side) else np.zeros(0, np.int64)
        first = np.full(2 * count, _NEVER)
        exporter = np.full(2 * count, -1, np.int64)
        syn = np.zeros(2 * count, np.int64)
        if len(side):
            first[side[begins]] = start[order][begins]
            exporter[side[begins]] = column["exporter_id"][order][begins]
            syn[side[begins]] = np.maximum.reduceat(lone_syn[order].astype(np.int64), begins)
        one_first, other_first = first[::2], first[1::2]
        self.both: Bools = (one_first != _NEVER) & (other_first != _NEVER)
        # +1: `one` began, -1: `other` did, 0: not known
        alike = self.both & (exporter[::2] == exporter[1::2])
        by_time = np.where(alike, np.sign(other_first - one_first), 0)
        by_syn = syn[::2] - syn[1::2]
        alone = np.where(self.both, 0, np.where(one_first != _NEVER, 1, -1))
        self.began: Ints = np.where(by_syn != 0, by_syn, np.where(by_time != 0, by_time, 0)).astype(np.int64)
        self._alone: Ints = alone.astype(np.int64)

    def source_is_client(self, ends: _Ends) -> Bools:
        """Return for each record whether it goes from client to server, by the evidence on both end points."""
        peers = np.bincount(self.one, minlength=ends.count) + np.bincount(self.other, minlength=ends.count)
        votes = np.bincount(self.other, self.began, ends.count) - np.bincount(self.one, self.began, ends.count)
        told = np.bincount(self.one, self.began != 0, ends.count) + np.bincount(self.other, self.began != 0, ends.count)
        score = (
            _TIME_WEIGHT * votes / np.maximum(told, 1)
            + np.minimum(np.log2(np.maximum(peers, 1)), _MOST_PEERS_BITS) / _MOST_PEERS_BITS
            + _KNOWN_WEIGHT[ends.port]
        )
        lead = score[self.other] - score[self.one]
        # who alone spoke is more likely the client, unless only answers are reported: little weight
        lead += 0.25 * self._alone
        lower = np.sign(ends.port[self.one] - ends.port[self.other])
        other_serves = np.where(np.abs(lead) > 1e-9, lead > 0, lower >= 0)  # noqa: PLR2004  equal but for rounding
        forward = other_serves[self._of_record]
        return np.asarray(forward == self._forward)

    def evidence(self, to_server: Bools) -> tuple[Bools, Ints, Ints]:
        """Return, on one record of each connection: that it is the one, whether it was answered, who began."""
        first_of = np.zeros(len(self._of_record), bool)
        _, firsts = np.unique(self._of_record, return_index=True)
        first_of[firsts] = True
        answered = np.where(first_of, self.both[self._of_record], 0).astype(np.int64)
        one_is_client = to_server == self._forward
        began = np.where(one_is_client, 1, -1) * self.began[self._of_record]
        return first_of, answered, np.where(first_of, began, 0).astype(np.int64)
