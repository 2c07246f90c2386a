"""Records that tell a translation of addresses: they are attributed as the inside of the network sees them.

Inside, the source is the one before the translation and the destination the one after it (RFC 8158; IANA elements 225
to 228, 281, 282). The record's own addresses come first; where they match no rule, the inside ones are tried. In both
cases a client that is the destination is the inside address, not the public one many share.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import numpy.typing as npt

from btimd.model.address import IPV4_MAPPED_LO
from btimd.model.flowbatch import AttributedBatch, FlowBatch

_HI, _LO = "post_nat_destination_address_hi", "post_nat_destination_address_lo"
_PORT: Final = "post_napt_destination_transport_port"
_IPV4_BITS: Final = 32


def translated(flows: FlowBatch) -> bool:
    """Tell whether any record names a destination after translation; without the columns it costs nothing."""
    return _LO in flows.columns and bool(_says(flows).any())


def inside_view(
    own: AttributedBatch,
    match: Callable[[FlowBatch], AttributedBatch],
    row_of: Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], npt.NDArray[np.int32]],
) -> AttributedBatch:
    """Return the batch with the inside addresses where they count; `own` is how it matches by its own addresses.

    match: attributes by a batch's own addresses. row_of: the plan row of addresses.
    """
    flows = own.flows
    rows = np.flatnonzero(_says(flows))
    chosen = np.zeros(len(flows), np.bool_)
    chosen[rows] = True
    hi, lo = flows.column(_HI)[rows], flows.column(_LO)[rows]
    port = flows.column(_PORT)[rows]
    lo = np.where((hi == 0) & (lo > 0) & (lo >> _IPV4_BITS == 0), lo | IPV4_MAPPED_LO, lo)
    part = dict(flows.select(chosen).columns)
    part["destination_address_hi"], part["destination_address_lo"] = hi.view(np.uint64), lo.view(np.uint64)
    part["destination_transport_port"] = np.where(port > 0, port, part["destination_transport_port"]).astype(np.uint16)
    inside = match(FlowBatch(part))
    better = own.service_rule_id[rows] < 0
    client = ~better & (own.client_is_source[rows] == 0)
    columns = dict(flows.columns)
    for name in ("destination_address_hi", "destination_address_lo", "destination_transport_port"):
        columns[name] = columns[name].copy()
        columns[name][rows] = np.where(better | client, part[name], columns[name][rows])
    rule_id, client_row = own.service_rule_id.copy(), own.client_plan_id.copy()
    client_is_source = own.client_is_source.copy()
    rule_id[rows[better]] = inside.service_rule_id[better]
    client_row[rows[better]] = inside.client_plan_id[better]
    client_is_source[rows[better]] = inside.client_is_source[better]
    client_row[rows[client]] = row_of(hi, lo)[client]
    return AttributedBatch(FlowBatch(columns), rule_id, client_row, client_is_source, own.generation)


def _says(flows: FlowBatch) -> npt.NDArray[np.bool_]:
    says: npt.NDArray[np.bool_] = (flows.column(_LO) | flows.column(_HI)) != 0
    return says
