import pytest

from btimd.lab.ipfix import FIELDS, RECORDS_PER_MESSAGE, TEMPLATE_ID, encode_message
from btimd.lab.meter import FlowRecord
from tests.lab.ipfix_parser import parse

FLOW = FlowRecord(
    source="127.11.1.21",
    source_port=40_000,
    destination="127.20.1.10",
    destination_port=8080,
    protocol=6,
    tcp_control_bits=0x1B,
    start_milliseconds=1_700_000_000_123,
    end_milliseconds=1_700_000_001_456,
    octets=5_000_000_000,
    packets=77,
    business="erp",
)


def test_a_record_carries_every_element_in_the_order_of_the_template() -> None:
    data = encode_message([FLOW], export_seconds=1_700_000_002, sequence=41, domain=20, with_template=True)
    known: dict[int, list[tuple[int, int]]] = {}
    message = parse(data, known)
    assert known == {TEMPLATE_ID: list(FIELDS)}
    assert message[:3] == (1_700_000_002, 41, 20)
    assert message.records == [
        {
            8: bytes([127, 11, 1, 21]),
            12: bytes([127, 20, 1, 10]),
            7: (40_000).to_bytes(2),
            11: (8080).to_bytes(2),
            4: b"\x06",
            5: b"\x00",
            6: b"\x00\x1b",
            1: (5_000_000_000).to_bytes(8),
            2: (77).to_bytes(8),
            152: (1_700_000_000_123).to_bytes(8),
            153: (1_700_000_001_456).to_bytes(8),
            10: (11).to_bytes(4),
            14: (1).to_bytes(4),
            61: b"\x00",
            136: b"\x03",
        }
    ]


def test_a_full_message_fits_into_a_frame() -> None:
    flows = [FLOW] * RECORDS_PER_MESSAGE
    data = encode_message(flows, export_seconds=0, sequence=0, domain=20, with_template=True)
    assert len(data) <= 1400
    assert len(parse(data, {}).records) == RECORDS_PER_MESSAGE


def test_the_sequence_number_wraps_at_32_bits() -> None:
    data = encode_message([FLOW], export_seconds=0, sequence=2**32 + 5, domain=20, with_template=False)
    assert parse(data, {TEMPLATE_ID: list(FIELDS)}).sequence == 5


@pytest.mark.parametrize("flows", [[], [FLOW] * (RECORDS_PER_MESSAGE + 1)])
def test_nothing_and_too_much_are_refused(flows: list[FlowRecord]) -> None:
    with pytest.raises(ValueError, match="flows do not make one message"):
        encode_message(flows, export_seconds=0, sequence=0, domain=20, with_template=False)
