"""Who talked to whom: flow records added up per client, server and port."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from btimd.model.flowbatch import FlowBatch
from btimd.model.units import UnixMillis


@dataclass(frozen=True, slots=True)
class Conversations:
    """n conversations: both directions of all flows between a client and a port of a server, duplicates left out.

    Which end is the server was told by a service rule where one matched (rule_id int32 >= 0, into `rules`); elsewhere
    (rule_id -1) the end with the lower port is taken for it. client_hi, client_lo, server_hi, server_lo: uint64.
    server_port: uint16. protocol: uint8. flows: int64 records of the client's direction. octets, packets: int64, both
    ways, times the sampling rate. first_seen, last_seen: int64, ms since 1970. answered: uint8, 1 where records of
    both directions were seen. from_milliseconds..to_milliseconds: the time looked at; truncated: there were more
    conversations than asked for, those with the fewest flows are left out.
    """

    from_milliseconds: UnixMillis
    to_milliseconds: UnixMillis
    truncated: bool
    rules: tuple[str, ...]
    client_hi: npt.NDArray[np.uint64]
    client_lo: npt.NDArray[np.uint64]
    server_hi: npt.NDArray[np.uint64]
    server_lo: npt.NDArray[np.uint64]
    server_port: npt.NDArray[np.uint16]
    protocol: npt.NDArray[np.uint8]
    rule_id: npt.NDArray[np.int32]
    flows: npt.NDArray[np.int64]
    octets: npt.NDArray[np.int64]
    packets: npt.NDArray[np.int64]
    first_seen: npt.NDArray[np.int64]
    last_seen: npt.NDArray[np.int64]
    answered: npt.NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.server_port)


class RecordSource(Protocol):
    """Flow records of the past, from the archive. Every method reads files and blocks."""

    def records(self, from_milliseconds: UnixMillis, to_milliseconds: UnixMillis) -> Iterator[FlowBatch]:
        """Yield the records that began in this time, some 100,000 at a time, duplicates left out, in no order."""
        ...

    def conversations(self, from_milliseconds: UnixMillis, to_milliseconds: UnixMillis, limit: int) -> Conversations:
        """Return the conversations of this time, at most `limit`, those with the most flows."""
        ...
