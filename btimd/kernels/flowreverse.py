"""The other direction of bidirectional records (RFC 5103; a firewall's responder counters) as records of their own."""

from typing import Any

import numpy as np

from btimd.kernels import flowlayout as fl
from btimd.kernels._jit import inlined
from btimd.kernels.flowcolumns import check_counters, field
from btimd.kernels.flowtimes import record_times, settle_times


@inlined
def _mirror_extras(extra: Any, old: Any, new: Any) -> None:
    """Copy the extra columns of a record to its other direction: what belongs to an end changes sides."""
    for x in range(fl.EXTRAS):
        extra[x, new] = extra[x, old]
    extra[fl.X_POST_SOURCE_HI, new] = extra[fl.X_POST_DESTINATION_HI, old]
    extra[fl.X_POST_SOURCE_LO, new] = extra[fl.X_POST_DESTINATION_LO, old]
    extra[fl.X_POST_SOURCE_PORT, new] = extra[fl.X_POST_DESTINATION_PORT, old]
    extra[fl.X_POST_DESTINATION_HI, new] = extra[fl.X_POST_SOURCE_HI, old]
    extra[fl.X_POST_DESTINATION_LO, new] = extra[fl.X_POST_SOURCE_LO, old]
    extra[fl.X_POST_DESTINATION_PORT, new] = extra[fl.X_POST_SOURCE_PORT, old]
    extra[fl.X_INGRESS_VRF, new] = extra[fl.X_EGRESS_VRF, old]
    extra[fl.X_EGRESS_VRF, new] = extra[fl.X_INGRESS_VRF, old]
    extra[fl.X_SOURCE_MAC, new] = extra[fl.X_DESTINATION_MAC, old]
    extra[fl.X_DESTINATION_MAC, new] = extra[fl.X_SOURCE_MAC, old]
    extra[fl.X_LAYER2_OCTETS, new] = 0


@inlined
def write_reverse(slab: Any, starts: Any, n: Any, layout: Any, template: Any, source: Any, export: Any, uptime: Any,
                  init: Any, arrival: Any, counts: Any, at: Any, wide: Any, ids: Any, small: Any, words: Any,
                  octets: Any, extra: Any) -> Any:  # fmt: skip
    """Append the other direction of the n records written from row `at` on, unless it carried nothing; return how many.

    template: the row of templates. A record of a firewall's event whose counters do not count has no other direction.
    """
    written = 0
    for k in range(n):
        new = at + n + written
        old = at + k
        if template[fl.T_EVENTS] != 0 and words[fl.P_QUALITY, old] & fl.Q_NO_COUNTERS != 0:
            continue
        words[fl.P_QUALITY, new] = (np.int64(words[fl.P_QUALITY, old]) & ~(fl.Q_ABSURD | fl.Q_NO_COUNTERS)) | (
            fl.Q_REVERSE
        )
        wide[fl.W_OCTETS, new] = field(slab, starts, k, layout, np.int64(fl.S_REVERSE_OCTETS))
        wide[fl.W_PACKETS, new] = field(slab, starts, k, layout, np.int64(fl.S_REVERSE_PACKETS))
        check_counters(wide, np.int64(fl.W_OCTETS), new, np.int64(1), words, counts)
        check_counters(wide, np.int64(fl.W_PACKETS), new, np.int64(1), words, counts)
        if wide[fl.W_OCTETS, new] == 0 and wide[fl.W_PACKETS, new] == 0:
            continue
        written += 1
        wide[fl.W_START, new] = wide[fl.W_START, old]
        wide[fl.W_END, new] = wide[fl.W_END, old]
        if template[fl.T_REVERSE_START] != fl.TIME_NONE or template[fl.T_REVERSE_END] != fl.TIME_NONE:
            start, end = record_times(slab, starts, k, layout, np.int64(fl.S_REVERSE_START),
                                      np.int64(fl.S_REVERSE_END), template[fl.T_REVERSE_START],
                                      template[fl.T_REVERSE_END], export, uptime, init)  # fmt: skip
            if start >= 0 or end >= 0:
                # Where it tells only one of them, the other is that of the direction it answers.
                wide[fl.W_START, new] = start if start >= 0 else wide[fl.W_START, old]
                wide[fl.W_END, new] = end if end >= 0 else wide[fl.W_END, old]
                words[fl.P_QUALITY, new] = np.int64(words[fl.P_QUALITY, new]) & ~(fl.Q_CLAMPED | fl.Q_NO_TIME)
                settle_times(wide, words, new, source, export, arrival, counts)
        wide[fl.W_SOURCE_HI, new] = wide[fl.W_DESTINATION_HI, old]
        wide[fl.W_SOURCE_LO, new] = wide[fl.W_DESTINATION_LO, old]
        wide[fl.W_DESTINATION_HI, new] = wide[fl.W_SOURCE_HI, old]
        wide[fl.W_DESTINATION_LO, new] = wide[fl.W_SOURCE_LO, old]
        ids[fl.I_INGRESS, new] = ids[fl.I_EGRESS, old]
        ids[fl.I_EGRESS, new] = ids[fl.I_INGRESS, old]
        ids[fl.I_DOMAIN, new] = ids[fl.I_DOMAIN, old]
        small[fl.M_RATE, new] = small[fl.M_RATE, old]
        small[fl.M_EXPORTER, new] = small[fl.M_EXPORTER, old]
        words[fl.P_SOURCE, new] = words[fl.P_DESTINATION, old]
        words[fl.P_DESTINATION, new] = words[fl.P_SOURCE, old]
        words[fl.P_VLAN, new] = words[fl.P_VLAN, old]
        words[fl.P_FLAGS, new] = field(slab, starts, k, layout, np.int64(fl.S_REVERSE_FLAGS)) & 0xFFFF
        octets[fl.B_PROTOCOL, new] = octets[fl.B_PROTOCOL, old]
        octets[fl.B_DIRECTION, new] = octets[fl.B_DIRECTION, old]
        octets[fl.B_CLASS, new] = octets[fl.B_CLASS, old]
        if layout[1, fl.S_REVERSE_CLASS] != 0:
            octets[fl.B_CLASS, new] = field(slab, starts, k, layout, np.int64(fl.S_REVERSE_CLASS)) & 0xFF
        if extra.shape[1] != 0:
            _mirror_extras(extra, old, new)
    counts[fl.N_REVERSE] += written
    return written
