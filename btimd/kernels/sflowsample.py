"""What an sFlow sample says about the packet that was sampled; the layouts are drawn in sflow.py."""

from typing import Any, Final

import numpy as np

from btimd.kernels import flowlayout as fl
from btimd.kernels._jit import inlined
from btimd.kernels.headers import (
    H_CLASS,
    H_DESTINATION_HI,
    H_DESTINATION_LO,
    H_DESTINATION_MAC,
    H_DESTINATION_PORT,
    H_FLAGS,
    H_IP_AT,
    H_IP_OCTETS,
    H_PROTOCOL,
    H_SOURCE_HI,
    H_SOURCE_LO,
    H_SOURCE_MAC,
    H_SOURCE_PORT,
    NO_ADDRESSES,
    parse_frame,
)  # fmt: skip
from btimd.kernels.keytable import find_key
from btimd.kernels.octets import be2, be4, be8

# tallies: int64[TALLIES], what sFlow counts beside the decoder's counts
(Y_FLOW_SAMPLES, Y_COUNTER_SAMPLES, Y_DISCARDED_SAMPLES, Y_UNKNOWN_SAMPLES, Y_CUT_OFF, Y_EMPTY_SAMPLES, Y_LOST_SAMPLES,
 Y_DROPS, Y_FALSE_FRAMES, Y_COUNTERS_LEFT_OUT, Y_SOURCES, Y_UNTRACKED) = range(12)  # fmt: skip
TALLIES: Final = 12
# Y_EMPTY_SAMPLES: nothing in them says what packet it was. Y_LOST_SAMPLES: missing in a source's numbers. Y_DROPS: what
# the device had no time to sample or report. Y_FALSE_FRAMES: frames said to be shorter than the IP packet in them.
# Y_COUNTERS_LEFT_OUT: counter samples sooner after the last than COUNTERS_EVERY. Y_SOURCES: rows used in `sources`.

# sources: int64[2^k, SOURCE_SIZE], open addressing by the first column (keytable.find_key), -1 = never seen
(R_KEY, R_SEQUENCE, R_DROPS, R_DISCARD_SEQUENCE, R_DISCARD_DROPS, R_COUNTERS_AT) = range(6)
SOURCE_SIZE: Final = 8

# What is gathered of one sample: int64[SAMPLE_SIZE]
(G_RATE, G_INPUT, G_OUTPUT, G_DIRECTION, G_QUALITY, G_FRAME, G_OCTETS, G_FOUND, G_VLAN, G_STATUS,
 G_SAMPLED) = range(11)  # fmt: skip
SAMPLE_SIZE: Final = 11
NOTHING, FRAME, ADDRESSES = 0, 1, 2  # G_FOUND
# G_SAMPLED: 1 = one of so many packets; discarded packets are reported one by one.

FLOW, COUNTER, EXPANDED_FLOW, EXPANDED_COUNTER, DISCARDED = 1, 2, 3, 4, 5
_RAW_HEADER, _ETHERNET, _SAMPLED_IPV4, _SAMPLED_IPV6, _SWITCH, _NAT, _NAT_PORTS = 1, 2, 3, 4, 1001, 1007, 1020
_LARGEST_FRAME: Final = 1 << 18  # more than any segment a host hands to its interface at once
_LOCAL: Final = 0x3FFF_FFFF  # the device itself, as an interface
MAPPED: Final = 0xFFFF_0000_0000
_STATUS_DROPPED: Final = 128  # forwardingStatus (IPFIX 89): dropped, reason unknown


@inlined
def _follow(row: Any, at_sequence: Any, at_drops: Any, sequence: Any, drops: Any, tallies: Any) -> None:
    """Compare a source's sample number and drop counter with those of its sample before; both are 32 bits wide."""
    before = row[at_sequence]
    if before >= 0:
        step = (sequence - before - 1) & fl.M32
        if step > fl.M32 - fl.LIMIT_BACKWARD:  # late, not lost
            tallies[Y_LOST_SAMPLES] = max(tallies[Y_LOST_SAMPLES] - 1, 0)
            return
        if step <= fl.LIMIT_GAP:
            tallies[Y_LOST_SAMPLES] += step
        more = (drops - row[at_drops]) & fl.M32
        if more <= fl.M31 and step <= fl.LIMIT_GAP:
            tallies[Y_DROPS] += more
    row[at_sequence] = sequence
    row[at_drops] = drops


@inlined
def find_source(sources: Any, domain_row: Any, kind: Any, index: Any, tallies: Any) -> Any:
    """Return the row of a data source, made where there is none yet; -1 where the table is full."""
    key = (domain_row << 40) | ((kind & 0xFF) << 32) | index
    slot = find_key(sources, key)
    if sources[slot, R_KEY] == -1:
        if 2 * (tallies[Y_SOURCES] + 1) > len(sources):
            tallies[Y_UNTRACKED] += 1
            return np.int64(-1)
        tallies[Y_SOURCES] += 1
        for k in range(1, SOURCE_SIZE):
            sources[slot, k] = -1
        sources[slot, R_KEY] = key
    return np.int64(slot)


@inlined
def _interfaces(sample: Any, into_format: Any, into: Any, out_format: Any, out: Any, source: Any) -> None:
    """Note the interfaces of a sample: format 0 is one ifIndex, 1 a discarded packet, 2 several interfaces."""
    sample[G_INPUT] = into if into_format == 0 and into != _LOCAL else 0
    sample[G_OUTPUT] = out if out_format == 0 and out != _LOCAL else 0
    if out_format == 1:
        sample[G_QUALITY] |= fl.Q_DROPPED
        sample[G_STATUS] = _STATUS_DROPPED
    sample[G_DIRECTION] = 1 if source != 0 and source == sample[G_OUTPUT] and source != sample[G_INPUT] else 0


@inlined
def _raw_header(slab: Any, at: Any, stop: Any, sample: Any, header: Any, tallies: Any) -> None:
    """Read the head of the packet itself, and work out how long the packet and its frame were."""
    if at + 16 > stop:
        return
    link = be4(slab, at)
    frame = be4(slab, at + 4)
    begin = at + 16
    end = begin + min(be4(slab, at + 12), stop - begin)
    if sample[G_FOUND] == ADDRESSES:
        return
    sample[G_FOUND] = FRAME
    if parse_frame(slab, begin, end, link, header) != NO_ADDRESSES:
        sample[G_FOUND] = ADDRESSES
        sample[G_OCTETS] = header[H_IP_OCTETS]
    least = end - begin if frame == 0 else np.int64(0)
    if sample[G_OCTETS] != 0:
        least = header[H_IP_AT] - begin + sample[G_OCTETS]
    if frame < least or frame > _LARGEST_FRAME:
        # Some firmware writes the length of what it sampled, or nonsense.
        tallies[Y_FALSE_FRAMES] += 1
        frame = least
    sample[G_FRAME] = frame


@inlined
def _sampled_ip(slab: Any, at: Any, stop: Any, wide: Any, sample: Any, header: Any) -> None:
    """Read addresses and ports that the device took out of the packet itself."""
    size = 16 if wide else 4
    ports = at + 8 + 2 * size
    if ports + 16 > stop or sample[G_FOUND] == ADDRESSES:
        return
    if wide:
        header[H_SOURCE_HI] = be8(slab, at + 8)
        header[H_SOURCE_LO] = be8(slab, at + 16)
        header[H_DESTINATION_HI] = be8(slab, at + 24)
        header[H_DESTINATION_LO] = be8(slab, at + 32)
    else:
        header[H_SOURCE_HI] = 0
        header[H_SOURCE_LO] = be4(slab, at + 8) | MAPPED
        header[H_DESTINATION_HI] = 0
        header[H_DESTINATION_LO] = be4(slab, at + 12) | MAPPED
    length = be4(slab, at)
    sample[G_OCTETS] = length if length <= _LARGEST_FRAME else 0
    header[H_PROTOCOL] = be4(slab, at + 4) & 0xFF
    header[H_SOURCE_PORT] = be4(slab, ports) & 0xFFFF
    header[H_DESTINATION_PORT] = be4(slab, ports + 4) & 0xFFFF
    header[H_FLAGS] = be4(slab, ports + 8) & 0xFFF
    header[H_CLASS] = be4(slab, ports + 12) & 0xFF
    sample[G_FOUND] = ADDRESSES


@inlined
def _ethernet(slab: Any, at: Any, stop: Any, sample: Any, header: Any) -> None:
    """Read a sampled Ethernet header, for what no raw header said."""
    if at + 24 > stop or sample[G_FRAME] != 0:
        return
    length = be4(slab, at)
    sample[G_FRAME] = length if length <= _LARGEST_FRAME else 0
    header[H_SOURCE_MAC] = (be4(slab, at + 4) << 16) | be2(slab, at + 8)
    header[H_DESTINATION_MAC] = (be4(slab, at + 12) << 16) | be2(slab, at + 16)
    sample[G_FOUND] = max(sample[G_FOUND], FRAME)


@inlined
def _nat_address(slab: Any, at: Any, stop: Any, extra: Any, row: Any, hi: Any, lo: Any) -> Any:
    """Write a translated address of 4 or 16 octets behind its type; return where the next one begins."""
    if at + 8 <= stop and be4(slab, at) == 1:
        extra[lo, row] = be4(slab, at + 4) | MAPPED
        return at + 8
    if at + 20 <= stop and be4(slab, at) == 2:
        extra[hi, row] = be8(slab, at + 4)
        extra[lo, row] = be8(slab, at + 12)
        return at + 20
    return stop


@inlined
def gather_records(slab: Any, at: Any, stop: Any, sample: Any, header: Any, extra: Any, row: Any, tallies: Any) -> None:
    """Gather what the records of a sample say about its packet."""
    while at + 8 <= stop:
        kind = be4(slab, at)
        body = at + 8
        end = body + be4(slab, at + 4)
        if end > stop:
            tallies[Y_CUT_OFF] += 1
            end = stop
        if kind == _RAW_HEADER:
            _raw_header(slab, body, end, sample, header, tallies)
        elif kind == _ETHERNET:
            _ethernet(slab, body, end, sample, header)
        elif kind == _SAMPLED_IPV4:
            _sampled_ip(slab, body, end, False, sample, header)
        elif kind == _SAMPLED_IPV6:
            _sampled_ip(slab, body, end, True, sample, header)
        elif kind == _SWITCH and body + 4 <= end:
            sample[G_VLAN] = be4(slab, body)
        elif kind == _NAT:
            body = _nat_address(slab, body, end, extra, row, fl.X_POST_SOURCE_HI, fl.X_POST_SOURCE_LO)
            _nat_address(slab, body, end, extra, row, fl.X_POST_DESTINATION_HI, fl.X_POST_DESTINATION_LO)
        elif kind == _NAT_PORTS and body + 8 <= end:
            extra[fl.X_POST_SOURCE_PORT, row] = be4(slab, body) & 0xFFFF
            extra[fl.X_POST_DESTINATION_PORT, row] = be4(slab, body + 4) & 0xFFFF
        at = end


@inlined
def begin_sample(slab: Any, at: Any, stop: Any, kind: Any, domain_row: Any, sample: Any, sources: Any,
                 tallies: Any) -> Any:  # fmt: skip
    """Read the head of a sample of a packet into `sample`; return where its records begin, -1 if it is cut off."""
    size = 44 if kind == EXPANDED_FLOW else 32
    if at + size > stop:
        return np.int64(-1)
    for k in range(SAMPLE_SIZE):
        sample[k] = 0
    sequence = be4(slab, at)
    source = be4(slab, at + 4)
    index = source & 0xFF_FFFF
    source >>= 24
    if kind != FLOW:
        source = be4(slab, at + 4)
        index = be4(slab, at + 8)
    own = index if source == 0 else np.int64(0)
    row = find_source(sources, domain_row, source, index, tallies)
    if kind == DISCARDED:
        tallies[Y_DISCARDED_SAMPLES] += 1
        sample[G_RATE] = 1
        drops = be4(slab, at + 12)
        _interfaces(sample, np.int64(0), be4(slab, at + 16), np.int64(0), be4(slab, at + 20), own)
        sample[G_QUALITY] = fl.Q_DROPPED
        sample[G_STATUS] = _STATUS_DROPPED
        if row >= 0:
            _follow(sources[row], R_DISCARD_SEQUENCE, R_DISCARD_DROPS, sequence, drops, tallies)
        return at + size
    tallies[Y_FLOW_SAMPLES] += 1
    sample[G_SAMPLED] = 1
    if kind == FLOW:
        sample[G_RATE] = be4(slab, at + 8)
        drops = be4(slab, at + 16)
        into = be4(slab, at + 20)
        out = be4(slab, at + 24)
        _interfaces(sample, into >> 30, into & 0x3FFF_FFFF, out >> 30, out & 0x3FFF_FFFF, own)
    else:
        sample[G_RATE] = be4(slab, at + 12)
        drops = be4(slab, at + 20)
        _interfaces(sample, be4(slab, at + 24), be4(slab, at + 28), be4(slab, at + 32), be4(slab, at + 36), own)
    if row >= 0:
        _follow(sources[row], R_SEQUENCE, R_DROPS, sequence, drops, tallies)
    return at + size
