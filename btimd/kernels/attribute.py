"""Which service rule a flow falls under, and which of its ends is the client."""

from typing import Any, Final

import numpy as np
import numpy.typing as npt

from btimd.kernels._jit import inlined, kernel
from btimd.kernels.prefix import segment_of

BLOCK: Final = 256
# labels: int32[segments, 4]: plan row (-1 none), first and one behind the last of its candidates.
L_ROW, L_FIRST, L_END, LABEL_SIZE = 0, 1, 2, 4
# candidates: int64[c, 2]: what a flow must be, and rule | specificity << 32 (lower is more specific, equal for rules
# that differ in nothing but their line). The first: lowest port, highest port << 16, protocol + 1 << 32 (0 = any), from
# bit 48 on: 1 = only for protocols with ports, from bit 49 on: family of the client prefix (0 none, 4, 6).
PORTS_SHIFT, PROTOCOL_SHIFT, PORTED_SHIFT, FAMILY_SHIFT, SPECIFIC_SHIFT = 16, 32, 48, 49, 32


@inlined
def has_ports(protocol: Any) -> Any:
    """Tell whether a protocol has ports: TCP, UDP, DCCP, SCTP, UDP-Lite."""
    return protocol == 6 or protocol == 17 or protocol == 33 or protocol == 132 or protocol == 136  # noqa: PLR1714  compiled: five comparisons, no tuple


@inlined
def first_match(
    first: Any,
    end: Any,
    protocol: Any,
    port: Any,
    client_hi: Any,
    client_lo: Any,
    candidates: npt.NDArray[np.int64],
    clients: npt.NDArray[np.int64],
) -> Any:
    """Return rule | specificity << 32 of the first candidate that a flow meets, -1 if none; see `match`."""
    for at in range(first, end):
        terms = candidates[at, 0]
        if port < terms & 0xFFFF or port > (terms >> PORTS_SHIFT) & 0xFFFF:
            continue
        wanted = (terms >> PROTOCOL_SHIFT) & 0x1FF
        if wanted != 0 and wanted != protocol + 1:
            continue
        if terms >> PORTED_SHIFT != 0:
            if (terms >> PORTED_SHIFT) & 1 != 0 and not has_ports(protocol):
                continue
            family = terms >> FAMILY_SHIFT
            if family != 0:
                flip = ~0x7FFFFFFFFFFFFFFF
                hi = client_hi ^ flip
                lo = client_lo ^ flip
                rule = candidates[at, 1] & 0xFFFFFFFF
                if hi < clients[rule, 0] or (hi == clients[rule, 0] and lo < clients[rule, 1]):
                    continue
                if hi > clients[rule, 2] or (hi == clients[rule, 2] and lo > clients[rule, 3]):
                    continue
                if (client_hi == 0 and (client_lo >> 32) == 0xFFFF) != (family == 4):
                    continue
        return candidates[at, 1]
    return np.int64(-1)


@kernel
def match(
    source_hi: npt.NDArray[np.int64],
    source_lo: npt.NDArray[np.int64],
    destination_hi: npt.NDArray[np.int64],
    destination_lo: npt.NDArray[np.int64],
    source_port: npt.NDArray[np.uint16],
    destination_port: npt.NDArray[np.uint16],
    protocol: npt.NDArray[np.uint8],
    tree4: npt.NDArray[np.int32],
    start4: npt.NDArray[np.int64],
    sites6: npt.NDArray[np.int64],
    start6_hi: npt.NDArray[np.int64],
    start6_lo: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int32],
    candidates: npt.NDArray[np.int64],
    clients: npt.NDArray[np.int64],
    scratch: npt.NDArray[np.int64],
    rule_id: npt.NDArray[np.int32],
    client_row: npt.NDArray[np.int32],
    client_is_source: npt.NDArray[np.uint8],
) -> int:
    """Write the winning rule, the client's plan row and the client's side of each flow; return how many had a rule.

    The first seven arrays are columns of n flows, the next five those of `prefix.locate`, labels and candidates as
    above, the candidates of a segment best rule first. clients: int64[r, 4], first and last client address as halves
    with flipped top bits. scratch: int64[2, BLOCK]. The last three arrays, of length n, are written.

    Without a rule the client is the source, unless the source port is the lower one and looks like a service: below
    1024, or facing a port of the ephemeral range (32768 and above) from below that range.
    The caller guarantees lengths and that every number points into its table.
    """
    attributed = 0
    for block in range(0, len(rule_id), BLOCK):
        length = min(BLOCK, len(rule_id) - block)
        for k in range(length):
            i = block + k
            scratch[0, k] = segment_of(source_hi[i], source_lo[i], tree4, start4, sites6, start6_hi, start6_lo)
        for k in range(length):
            i = block + k
            scratch[1, k] = segment_of(
                destination_hi[i], destination_lo[i], tree4, start4, sites6, start6_hi, start6_lo
            )
        for k in range(length):
            i = block + k
            source = scratch[0, k]
            destination = scratch[1, k]
            kind = np.int64(protocol[i])
            source_end = np.int64(source_port[i])
            destination_end = np.int64(destination_port[i])
            serves_source = labels[source, L_FIRST] < labels[source, L_END]
            serves_destination = labels[destination, L_FIRST] < labels[destination, L_END]
            winner = np.int64(-1)
            from_source = True
            if serves_source != serves_destination:
                # The usual case, without a branch on which of them it is: nobody can predict requests and answers.
                server = source if serves_source else destination
                port = source_end if serves_source else destination_end
                one, other = destination_hi[i], source_hi[i]
                hi = one if serves_source else other
                one, other = destination_lo[i], source_lo[i]
                lo = one if serves_source else other
                winner = first_match(
                    np.int64(labels[server, L_FIRST]), np.int64(labels[server, L_END]), kind, port, hi, lo,
                    candidates, clients,
                )  # fmt: skip
                from_source = not serves_source
            elif serves_source:
                winner = first_match(
                    np.int64(labels[destination, L_FIRST]), np.int64(labels[destination, L_END]), kind,
                    destination_end, source_hi[i], source_lo[i], candidates, clients,
                )  # fmt: skip
                to_source = first_match(
                    np.int64(labels[source, L_FIRST]), np.int64(labels[source, L_END]), kind,
                    source_end, destination_hi[i], destination_lo[i], candidates, clients,
                )  # fmt: skip
                if to_source >= 0 and (winner < 0 or to_source >> SPECIFIC_SHIFT < winner >> SPECIFIC_SHIFT):
                    winner = to_source
                    from_source = False
            if winner < 0:
                from_source = not (
                    0 < source_end < destination_end
                    and has_ports(kind)
                    and (source_end < 1024 or source_end < 32768 <= destination_end)
                )
                rule_id[i] = -1
            else:
                attributed += 1
                rule_id[i] = winner & 0x7FFFFFFF
            client_is_source[i] = 1 if from_source else 0
            client = source if from_source else destination
            client_row[i] = labels[client, L_ROW]
    return attributed
