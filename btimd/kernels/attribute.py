"""Which service rule a flow falls under, and which of its ends is the client."""

from typing import Any

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel


@inlined
def has_ports(protocol: Any) -> Any:
    """Tell whether a protocol has ports: TCP, UDP, DCCP, SCTP, UDP-Lite."""
    return protocol == 6 or protocol == 17 or protocol == 33 or protocol == 132 or protocol == 136  # noqa: PLR1714  compiled: five comparisons, no tuple


@inlined
def first_match(
    candidates: Any,
    protocol: Any,
    port: Any,
    client_hi: Any,
    client_lo: Any,
    candidate_offsets: npt.NDArray[np.int32],
    candidate_rule: npt.NDArray[np.int32],
    rules: npt.NDArray[np.int64],
    clients: npt.NDArray[np.int64],
) -> Any:
    """Return the first rule of a candidate list that a flow meets, -1 if none; see `match` for the shapes."""
    flip = ~0x7FFFFFFFFFFFFFFF
    if candidates < 0:
        return -1
    for at in range(candidate_offsets[candidates], candidate_offsets[candidates + 1]):
        rule = np.int64(candidate_rule[at])
        if port < rules[rule, 1] or port > rules[rule, 2]:
            continue
        if rules[rule, 0] >= 0 and rules[rule, 0] != protocol:
            continue
        if rules[rule, 3] != 0 and not has_ports(protocol):
            continue
        if rules[rule, 4] != 0:
            hi = client_hi ^ flip
            lo = client_lo ^ flip
            if hi < clients[rule, 0] or (hi == clients[rule, 0] and lo < clients[rule, 1]):
                continue
            if hi > clients[rule, 2] or (hi == clients[rule, 2] and lo > clients[rule, 3]):
                continue
            if (client_hi == 0 and (client_lo >> 32) == 0xFFFF) != (rules[rule, 4] == 4):
                continue
        return rule
    return -1


@kernel
def match(
    source_hi: npt.NDArray[np.int64],
    source_lo: npt.NDArray[np.int64],
    destination_hi: npt.NDArray[np.int64],
    destination_lo: npt.NDArray[np.int64],
    source_port: npt.NDArray[np.uint16],
    destination_port: npt.NDArray[np.uint16],
    protocol: npt.NDArray[np.uint8],
    source_segment: npt.NDArray[np.int32],
    destination_segment: npt.NDArray[np.int32],
    segment_row: npt.NDArray[np.int32],
    segment_candidates: npt.NDArray[np.int32],
    candidate_offsets: npt.NDArray[np.int32],
    candidate_rule: npt.NDArray[np.int32],
    rules: npt.NDArray[np.int64],
    clients: npt.NDArray[np.int64],
    rule_id: npt.NDArray[np.int32],
    client_row: npt.NDArray[np.int32],
    client_is_source: npt.NDArray[np.uint8],
) -> int:
    """Write the winning rule, the client's plan row and the client's side of each flow; return how many had a rule.

    The first nine arrays are columns of n flows; segments are those of `prefix.locate`. segment_row,
    segment_candidates: int32 per segment, the plan row and the candidate list, -1 = none. candidate_offsets,
    candidate_rule: the lists one behind the other, best rule first. rules: int64[r, 6]: protocol (-1 any), lowest
    port, highest port, 1 = only for protocols with ports, family of the client prefix (0 none, 4, 6), specificity
    (lower is more specific, equal for rules that differ in nothing but their line). clients: int64[r, 4], first and
    last client address as halves with flipped top bits. The last three arrays, of length n, are written.

    Without a rule the client is the source, unless the source port is the lower one and looks like a service: below
    1024, or facing a port of the ephemeral range (32768 and above) from below that range.
    The caller guarantees lengths and that every number points into its table.
    """
    attributed = 0
    for i in range(len(rule_id)):
        kind = np.int64(protocol[i])
        source_end = np.int64(source_port[i])
        destination_end = np.int64(destination_port[i])
        to_destination = first_match(
            segment_candidates[destination_segment[i]], kind, destination_end, source_hi[i], source_lo[i],
            candidate_offsets, candidate_rule, rules, clients,
        )  # fmt: skip
        to_source = first_match(
            segment_candidates[source_segment[i]], kind, source_end, destination_hi[i], destination_lo[i],
            candidate_offsets, candidate_rule, rules, clients,
        )  # fmt: skip
        winner = to_destination
        from_source = True
        if to_source >= 0 and (to_destination < 0 or rules[to_source, 5] < rules[to_destination, 5]):
            winner = to_source
            from_source = False
        elif to_destination < 0 and 0 < source_end < destination_end and has_ports(kind):
            from_source = not (source_end < 1024 or source_end < 32768 <= destination_end)
        if winner >= 0:
            attributed += 1
        rule_id[i] = winner
        client_is_source[i] = 1 if from_source else 0
        client_row[i] = segment_row[source_segment[i]] if from_source else segment_row[destination_segment[i]]
    return attributed
