"""How long the sFlow kernel takes per sampled packet; every cell is checked against what was written.

python -m bench.sflow [datagrams]
"""

import struct
import sys
import time
from typing import Final

import numpy as np

from btimd.capture.wire.decoder import FlowDecoder
from btimd.model.datagrams import DatagramBlock

_HEADER_OCTETS: Final = 128
_SAMPLES: Final = 7  # of 128 octets of header each: what fits in a datagram of 1,500
_BLOCK: Final = 2048
_ROUNDS: Final = 9
_AGENTS: Final = 8


def _sample(number: int) -> bytes:
    """Return a flow sample of a TCP packet in a VLAN; the packet's number makes its addresses and port."""
    total = 52 + number % 1400
    packet = (
        bytes.fromhex("020000000002020000000001") + struct.pack(">HHH", 0x8100, 100, 0x0800)
        + struct.pack(">BBHHHBBH", 0x45, 0, total, 1, 0, 64, 6, 0)
        + struct.pack(">II", 0x0A000000 | number & 0xFFFF, 0x0A020000 | number % 500)
        + struct.pack(">HHIIHHHH", 1024 + number % 50_000, 443, 1, 2, 0x5018, 512, 0, 0)
    ).ljust(_HEADER_OCTETS, b"x")  # fmt: skip
    raw = struct.pack(">IIIIII", 1, 16 + len(packet), 1, total + 22, 4, len(packet)) + packet
    switch = struct.pack(">IIIIII", 1001, 16, 100, 0, 100, 0)
    body = struct.pack(">IIIIIIII", number, 3, 512, number * 512 & 0xFFFFFFFF, 0, 3, 4, 2) + raw + switch
    return struct.pack(">II", 1, len(body)) + body


def block_of(datagrams: int, first: int, sequence: int) -> DatagramBlock:
    """Return datagrams of _SAMPLES samples each, of _AGENTS agents in turn."""
    parts = [
        struct.pack(">IIIIIII", 5, 1, 0xC0000201 + index % _AGENTS, 0, sequence + index // _AGENTS, 1, _SAMPLES)
        + b"".join(_sample(first + index * _SAMPLES + k) for k in range(_SAMPLES))
        for index in range(datagrams)
    ]
    return DatagramBlock(
        slab=np.frombuffer(b"".join(parts), np.uint8),
        offsets=np.cumsum([0, *map(len, parts)], dtype=np.int64),
        source_hi=np.zeros(datagrams, np.uint64),
        source_lo=np.full(datagrams, 0xFFFF_C000_0201, np.uint64),
        source_port=np.full(datagrams, 6343, np.uint16),
        arrival_milliseconds=np.full(datagrams, 1_700_000_000_000, np.int64),
    )


def main() -> int:
    """Decode blocks and print the median; return 1 where a cell is wrong."""
    datagrams = int(sys.argv[1]) if len(sys.argv) > 1 else _BLOCK
    decoder = FlowDecoder()
    decoder.warm()
    blocks = [block_of(datagrams, k * datagrams * _SAMPLES, k * datagrams // _AGENTS) for k in range(_ROUNDS)]
    spent = []
    for index, block in enumerate(blocks):
        began = time.process_time_ns()
        batch = decoder.decode(block)
        spent.append((time.process_time_ns() - began) / (datagrams * _SAMPLES))
        numbers = np.arange(datagrams * _SAMPLES) + index * datagrams * _SAMPLES
        wanted = {
            "octet_delta_count": 52 + numbers % 1400,
            "layer2_octet_delta_count": 74 + numbers % 1400,
            "source_address_lo": 0xFFFF_0A00_0000 | numbers & 0xFFFF,
            "destination_address_lo": 0xFFFF_0A02_0000 | numbers % 500,
            "source_transport_port": 1024 + numbers % 50_000,
            "tcp_control_bits": np.full(len(numbers), 0x18),
            "vlan_id": np.full(len(numbers), 100),
        }
        if len(batch) != len(numbers) or any((batch[name] != column).any() for name, column in wanted.items()):
            print("wrong cells")
            return 1
    spent = spent[1:]
    median = sorted(spent)[len(spent) // 2]
    print(f"{median:.0f} ns per flow sample ({_HEADER_OCTETS} octets of header), {min(spent):.0f} at best; "
          f"{datagrams} datagrams of {_SAMPLES} in a block")  # fmt: skip
    return 0


if __name__ == "__main__":
    sys.exit(main())
