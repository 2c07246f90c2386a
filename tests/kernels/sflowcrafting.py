"""sFlow datagrams made by hand, and a caller of the kernel that needs no decoder."""

import struct
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

import numpy as np

from btimd.kernels import flowlayout as fl
from btimd.kernels import headers, keytable, sflow, sflowsample
from btimd.model.address import address_text
from tests.kernels.oracle_sflow import Row

ARRIVAL = 1_700_000_000_250
LOCAL = 0x3FFFFFFF


def record(form: int, *parts: bytes, enterprise: int = 0, length: int | None = None) -> bytes:
    body = b"".join(parts)
    return struct.pack(">II", enterprise << 12 | form, len(body) if length is None else length) + body


def raw_header(frame: bytes, *, octets: int | None = None, link: int = 1) -> bytes:
    padding = bytes(-len(frame) % 4)
    head = struct.pack(">IIII", link, len(frame) + 4 if octets is None else octets, 4, len(frame))
    return record(1, head, frame, padding)


def sampled_ipv4(octets: int = 576, protocol: int = 17, source: str = "10.0.0.1", destination: str = "10.2.0.10",
                 ports: tuple[int, int] = (5000, 53)) -> bytes:  # fmt: skip
    addresses = ip_address(source).packed + ip_address(destination).packed
    return record(3 if len(addresses) == 8 else 4, struct.pack(">II", octets, protocol), addresses,
                  struct.pack(">IIII", *ports, 0x12, 0x48))  # fmt: skip


def ethernet(octets: int = 64) -> bytes:
    return record(2, struct.pack(">I", octets), b"\2\0\0\0\0\1\0\0", b"\2\0\0\0\0\2\0\0", struct.pack(">I", 0x806))


def flow(*records: bytes, sequence: int = 1, source: int = 3, rate: int = 512, drops: int = 0, into: int = 3,
         out: int = 4) -> bytes:  # fmt: skip
    return record(1, struct.pack(">IIIIIIII", sequence, source, rate, 9, drops, into, out, len(records)), *records)


def expanded_flow(*records: bytes, sequence: int = 1, source: tuple[int, int] = (0, 3), rate: int = 512, drops: int = 0,
                  into: tuple[int, int] = (0, 3), out: tuple[int, int] = (0, 4)) -> bytes:  # fmt: skip
    return record(3, struct.pack(">IIIIIIIIIII", sequence, *source, rate, 9, drops, *into, *out, len(records)),
                  *records)  # fmt: skip


def discarded(*records: bytes, sequence: int = 1, source: tuple[int, int] = (0, 3), drops: int = 0, into: int = 3,
              out: int = 4, reason: int = 256) -> bytes:  # fmt: skip
    return record(5, struct.pack(">IIIIIIII", sequence, *source, drops, into, out, reason, len(records)), *records)


def counters(*records: bytes, sequence: int = 1, source: int = 3) -> bytes:
    return record(2, struct.pack(">III", sequence, source, len(records)), *records)


def expanded_counters(*records: bytes, sequence: int = 1, source: tuple[int, int] = (0, 3)) -> bytes:
    return record(4, struct.pack(">IIII", sequence, *source, len(records)), *records)


def interface_counters(
    index: int = 3, speed: int = 10**9, status: int = 3, octets: tuple[int, int] = (1000, 2000)
) -> bytes:
    return record(1, struct.pack(">IIQII", index, 6, speed, 1, status), struct.pack(">QIIIIII", octets[0], 1, 2, 3, 4, 5, 6),
                  struct.pack(">QIIIIII", octets[1], 10, 20, 30, 40, 50, 0))  # fmt: skip


def datagram(
    *samples: bytes, agent: str = "192.0.2.77", sub_agent: int = 0, sequence: int = 1, count: int | None = None
) -> bytes:
    address = ip_address(agent)
    return (
        struct.pack(">II", 5, 1 if address.version == 4 else 2) + address.packed
        + struct.pack(">IIII", sub_agent, sequence, 1000, len(samples) if count is None else count) + b"".join(samples)
    )  # fmt: skip


@dataclass
class Walker:
    """Calls the kernel as a decoder would; room: of each output chunk."""

    room: int = 8
    slots: int = 64
    agents: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    counter_samples: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.counts = np.zeros(fl.COUNTS_SIZE, np.int64)
        self.tallies = np.zeros(sflowsample.TALLIES, np.int64)
        self.sources = np.full((self.slots, sflowsample.SOURCE_SIZE), -1, np.int64)
        self.domain_table = np.full((64, 4), -1, np.int64)
        self.domains = np.zeros((32, fl.DOMAIN_SIZE), np.int64)
        self.sequences = np.zeros((32, fl.SEQUENCE_SIZE), np.int64)

    def tally(self) -> dict[str, int]:
        names = [name for name in vars(sflowsample) if name.startswith("Y_")]
        return {name[2:].lower(): int(self.tallies[getattr(sflowsample, name)]) for name in names
                if self.tallies[getattr(sflowsample, name)]}  # fmt: skip

    def _add_domain(self, cursor: Any) -> None:
        row = len(self.agents)
        hi, lo = int(cursor[fl.AT_AGENT_HI]), int(cursor[fl.AT_AGENT_LO])
        key = fl.SFLOW_VERSION << 32 | int(cursor[fl.AT_DOMAIN_ID])
        self.agents.append(address_text(hi % 2**64, lo % 2**64))
        self.domain_table[keytable.find_domain(self.domain_table, hi, lo, key)] = hi, lo, key, row
        self.domains[row, [fl.D_EXPORTER, fl.D_VERSION, fl.D_ID, fl.D_RATE]] = row, 105, cursor[fl.AT_DOMAIN_ID], 1

    def walk(self, *datagrams: bytes, arrival: int = ARRIVAL) -> list[Row]:
        slab = np.frombuffer(b"".join(datagrams), np.uint8)
        offsets = np.cumsum([0, *map(len, datagrams)], dtype=np.int64)
        n = len(datagrams)
        senders = np.zeros(n, np.int64), np.full(n, 0xFFFF_C000_0201, np.int64)  # 192.0.2.1
        cursor = np.zeros(fl.CURSOR_SIZE, np.int64)
        cursor[fl.AT_POSITION] = -1
        rows: list[Row] = []
        out = self._chunk()
        while True:
            status = sflow.walk_sflow(
                slab, offsets, *senders, np.full(n, 6343, np.uint16), np.full(n, arrival, np.int64), cursor,
                self.counts, self.domain_table, self.domains, self.sequences, self.sources, self.tallies,
                np.zeros(headers.H_SIZE, np.int64), np.zeros(sflowsample.SAMPLE_SIZE, np.int64), *out,
            )  # fmt: skip
            self.statuses.append(status)
            if status == fl.DONE:
                rows += self._rows(out, int(cursor[fl.AT_OUTPUT]))
                if cursor[fl.AT_DATAGRAM] == n:
                    return rows
                assert cursor[fl.AT_POSITION] == -1
                cursor[fl.AT_DATAGRAM] += 1
                cursor[fl.AT_OUTPUT] = 0
            elif status == fl.NEW_DOMAIN:
                self._add_domain(cursor)
            elif status == fl.NEED_EXTRA:
                out = (*out[:5], np.zeros((fl.EXTRAS, self.room), np.int64))
            elif status == fl.COUNTERS:
                self.counter_samples.append(slab[cursor[fl.AT_POSITION] : cursor[fl.AT_SET_END]].tobytes())
                cursor[fl.AT_POSITION] = cursor[fl.AT_SET_END]
            else:
                assert status == fl.FULL
                rows += self._rows(out, int(cursor[fl.AT_OUTPUT]))
                out = self._chunk()
                cursor[fl.AT_OUTPUT] = 0

    def _chunk(self) -> tuple[Any, ...]:
        room = self.room
        return (np.full((8, room), -7, np.int64), np.zeros((3, room), np.uint32), np.zeros((2, room), np.int32),
                np.zeros((5, room), np.uint16), np.zeros((3, room), np.uint8), np.zeros((fl.EXTRAS, 0), np.int64))  # fmt: skip

    def _rows(self, out: tuple[Any, ...], used: int) -> list[Row]:
        wide, ids, small, words, octets, extra = out
        self.last_extra = extra

        def address(hi: int, lo: int, k: int) -> bytes:
            return b"".join((int(wide[half, k]) % 2**64).to_bytes(8, "big") for half in (hi, lo))

        return [
            {
                "agent": self.agents[small[fl.M_EXPORTER, k]], "domain": ids[fl.I_DOMAIN, k],
                "start": wide[fl.W_START, k], "end": wide[fl.W_END, k],
                "source": address(fl.W_SOURCE_HI, fl.W_SOURCE_LO, k),
                "destination": address(fl.W_DESTINATION_HI, fl.W_DESTINATION_LO, k),
                "sport": words[fl.P_SOURCE, k], "dport": words[fl.P_DESTINATION, k],
                "protocol": octets[fl.B_PROTOCOL, k], "class": octets[fl.B_CLASS, k], "flags": words[fl.P_FLAGS, k],
                "ingress": ids[fl.I_INGRESS, k], "egress": ids[fl.I_EGRESS, k], "vlan": words[fl.P_VLAN, k],
                "direction": octets[fl.B_DIRECTION, k], "octets": wide[fl.W_OCTETS, k],
                "packets": wide[fl.W_PACKETS, k], "rate": small[fl.M_RATE, k], "quality": words[fl.P_QUALITY, k],
                "layer2": extra[fl.X_LAYER2_OCTETS, k], "status": extra[fl.X_FORWARDING_STATUS, k],
                "label": extra[fl.X_MPLS_LABEL, k], "source_mac": extra[fl.X_SOURCE_MAC, k],
                "destination_mac": extra[fl.X_DESTINATION_MAC, k],
            }
            for k in range(used)
        ]  # fmt: skip
