"""Inputs to begin with: one for each thing a decoder has a branch for, made by hand."""

import struct
from collections.abc import Mapping

from tests.capture.wire.crafting import (
    PLAIN,
    FieldSpec,
    ipfix,
    one_set,
    options_template,
    plain_record,
    template,
    v5,
    v5_record,
    v9,
)
from tests.fuzz.stream import LATER, NEW_BLOCK, OTHER_PORT, join

PAIR: tuple[FieldSpec, ...] = ((8, 4), (12, 4))
SIX: tuple[FieldSpec, ...] = ((27, 16), (28, 16), (1, 8), (2, 8))


def sflow(*samples: bytes, count: int | None = None) -> bytes:
    """Return an sFlow v5 datagram."""
    number = len(samples) if count is None else count
    return struct.pack(">II4sIIII", 5, 1, bytes([192, 0, 2, 1]), 0, 7, 1000, number) + b"".join(samples)


def sample(kind: int, *records: bytes, expanded: bool = False) -> bytes:
    """Return a flow sample of a rate of 100."""
    interfaces = struct.pack(">IIII", 0, 3, 0, 4) if expanded else struct.pack(">II", 3, 4)
    source = struct.pack(">II", 0, 3) if expanded else struct.pack(">I", 3)
    body = struct.pack(">I", 1) + source + struct.pack(">III", 100, 1000, 0) + interfaces
    body += struct.pack(">I", len(records)) + b"".join(records)
    return struct.pack(">II", kind, len(body)) + body


def raw_header(frame: bytes, protocol: int = 1) -> bytes:
    """Return a raw packet header record."""
    body = struct.pack(">IIII", protocol, len(frame) + 4, 4, len(frame)) + frame + bytes(-len(frame) % 4)
    return struct.pack(">II", 1, len(body)) + body


def frame(*, tags: bytes = b"", kind: int = 0x0800) -> bytes:
    """Return an Ethernet frame: 10.0.0.1:40000 -> 10.2.0.10:443, TCP; or its IPv6 likeness."""
    tcp = struct.pack(">HHIIBBHHH", 40_000, 443, 1, 1, 0x50, 0x12, 512, 0, 0)
    if kind == 0x86DD:
        ip = struct.pack(">IHBB", 6 << 28, len(tcp), 6, 64) + bytes(15) + b"\1" + bytes(15) + b"\2"
    else:
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 1, 0, 64, 6, 0) + bytes([10, 0, 0, 1, 10, 2, 0, 10])
    return bytes(12) + tags + struct.pack(">H", kind) + ip + tcp


def seeds() -> Mapping[str, bytes]:
    """Return the inputs by name."""
    plain = one_set(0, template(256, PLAIN))
    data = one_set(256, plain_record(), plain_record(2000))
    variable: tuple[FieldSpec, ...] = (*PAIR, (82, 65535), (1, 8), (95, 65535))
    varying = bytes([10, 0, 0, 1, 10, 2, 0, 10]) + b"\x04eth0" + struct.pack(">Q", 77) + b"\xff\0\4" + b"\x0d\0\1\2"
    reverse: tuple[FieldSpec, ...] = (*PAIR, (1, 4), (2, 4), (1, 4, 29305), (2, 4, 29305), (152, 8), (153, 8))
    both = bytes(8) + struct.pack(">IIIIQQ", 10, 1, 20, 2, 1_700_000_000_000, 1_700_000_001_000)
    sampler = v9(one_set(1, options_template(257, [(1, 4)], [(48, 1), (49, 1), (50, 4)])),
                 one_set(257, bytes(4) + b"\1\2" + struct.pack(">I", 64), padding=b"\0\0"))  # fmt: skip
    sampled = v9(one_set(0, template(258, (*PLAIN, (48, 1)))), one_set(258, plain_record() + b"\1"), sequence=1)
    names = ipfix(one_set(3, options_template(300, [(10, 4)], [(82, 65535), (83, 65535)], ipfix=True)),
                  one_set(300, struct.pack(">I", 3) + b"\4eth0\5to B "))  # fmt: skip
    selector = ipfix(one_set(3, options_template(301, [(302, 8)], [(304, 2), (305, 4), (306, 4)], ipfix=True)),
                     one_set(301, struct.pack(">QHII", 1, 1, 1, 255)))  # fmt: skip
    nsel: tuple[FieldSpec, ...] = (*PAIR, (7, 2), (11, 2), (4, 1), (233, 1), (231, 4), (232, 4), (323, 8), (148, 4))
    event = bytes([10, 0, 0, 1, 10, 2, 0, 10]) + struct.pack(">HHBBIIQI", 40_000, 443, 6, 5, 100, 200,
                                                            1_700_000_000_000, 7)  # fmt: skip
    nat: tuple[FieldSpec, ...] = (*PAIR, (225, 4), (226, 4), (227, 2), (228, 2), (230, 1), (1, 4))
    section: tuple[FieldSpec, ...] = ((312, 2), (315, 65535))
    captured = struct.pack(">H", 58) + bytes([len(frame())]) + frame()
    wide = one_set(2, template(262, SIX, ipfix=True)), one_set(262, bytes(32) + struct.pack(">QQ", 2**63, 2**64 - 1))
    ethernet = struct.pack(">IIIIII", 2, 16, 60, 0, 0, 0)
    return {
        "empty": b"",
        "v5": join([v5(v5_record(), v5_record(77), sampling=0x4064), v5(v5_record(), sequence=2)]),
        "v5_count_beyond_the_end": join([v5(v5_record(), count=30)]),
        "v1": join([struct.pack(">HHIII", 1, 1, 5000, 1_700_000_000, 0) + v5_record() + bytes(4)]),
        "v1_short_records": join([struct.pack(">HHIII", 1, 1, 5000, 1_700_000_000, 0) + v5_record()]),
        "v7": join([struct.pack(">HHIIIII", 7, 1, 5000, 1_700_000_000, 0, 1, 0) + v5_record() + bytes(4)]),
        "v9": join([v9(plain, data), v9(data, sequence=1)]),
        "v9_data_before_template": join([v9(data), v9(plain, sequence=1), v9(data, sequence=2)]),
        "v9_waited_too_long": join([v9(data), v9(plain, sequence=1)], controls=[0, LATER]),
        "v9_from_another_port": join([v9(plain), v9(data, sequence=1)], controls=[0, OTHER_PORT | NEW_BLOCK]),
        "v9_two_exporters": join([v9(plain), v9(data), v9(plain, data), v9(data)], controls=[0, 1, 1, 0]),
        "v9_sampler": join([sampler, sampled], controls=[2, 2]),
        "v9_changed_template": join([v9(plain, data), v9(one_set(0, template(256, PAIR)), data, sequence=1)]),
        "v9_vendor_types": join([v9(one_set(0, template(259, (*PAIR, (33002, 2), (40000, 20), (57590, 2)))),
                                    one_set(259, bytes(32), padding=bytes(3)))]),
        "v9_zero_lengths": join([v9(one_set(0, template(256, ((8, 0), (12, 0)))), one_set(256, bytes(40)))]),
        "v9_zeros_behind": join([v9(plain, data) + bytes(200)]),
        "v9_nsel": join([v9(one_set(0, template(263, nsel)), one_set(263, event))]),
        "ipfix": join([ipfix(one_set(2, template(256, PLAIN, ipfix=True)), data)]),
        "ipfix_variable": join([ipfix(one_set(2, template(260, variable, ipfix=True)), one_set(260, varying, varying))]),
        "ipfix_reverse": join([ipfix(one_set(2, template(261, reverse, ipfix=True)), one_set(261, both, both))]),
        "ipfix_ipv6_large_counters": join([ipfix(*wide)]),
        "ipfix_withdrawal": join([ipfix(one_set(2, struct.pack(">HH", 256, 0)), one_set(3, struct.pack(">HH", 3, 0)))]),
        "ipfix_interface_names": join([names]),
        "ipfix_selector": join([selector]),
        "ipfix_nat": join([ipfix(one_set(2, template(264, nat, ipfix=True)), one_set(264, bytes(25)))]),
        "ipfix_frame_section": join([ipfix(one_set(2, template(265, section, ipfix=True)), one_set(265, captured))]),
        "ipfix_wrong_length": join([ipfix(one_set(2, template(256, PLAIN, ipfix=True)), data, length=9000)]),
        "sflow": join([sflow(sample(1, raw_header(frame())), sample(3, raw_header(frame()), ethernet, expanded=True))]),
        "sflow_vlan_ipv6": join([sflow(sample(1, raw_header(frame(tags=b"\x81\0\0\5", kind=0x86DD))))]),
        "sflow_counters": join([sflow(struct.pack(">IIIII", 2, 12, 1, 3, 0))]),
        "sflow_count_beyond_the_end": join([sflow(count=2**32 - 1)]),
    }  # fmt: skip
