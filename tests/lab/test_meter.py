import asyncio
import struct

import pytest

from btimd.lab.meter import (
    ACK,
    FIN,
    PROTOCOL_TCP,
    PROTOCOL_UDP,
    PSH,
    RST,
    SYN,
    Conversation,
    End,
    FlowRecord,
    TcpInfo,
    connection_flows,
    datagram_flows,
    decode_tcp_info,
    read_tcp_info,
)

TALK = Conversation("127.11.1.21", 40_000, "127.20.1.10", 8080, 1_000, 2_000, "erp")
STAMPS, SACK, SCALE = 1, 2, 4


def figures(flows: tuple[FlowRecord, ...]) -> list[tuple[str, str, int, int, int]]:
    return [(flow.source, flow.destination, flow.tcp_control_bits, flow.packets, flow.octets) for flow in flows]


def test_headers_are_counted_per_segment_and_the_syn_is_longer() -> None:
    info = TcpInfo(7, STAMPS | SACK | SCALE, bytes_sent=77, bytes_received=1001, segments_out=5, segments_in=5)
    # Measured on the interface for this very exchange: 345 octets out, 1,268 in.
    assert figures(connection_flows(TALK, info, End.PEER_CLOSED)) == [
        ("127.11.1.21", "127.20.1.10", SYN | ACK | PSH | FIN, 5, 345),
        ("127.20.1.10", "127.11.1.21", SYN | ACK | PSH | FIN, 5, 1268),
    ]


@pytest.mark.parametrize(
    ("options", "octets"), [(STAMPS | SACK | SCALE, 60 + 52), (SACK | SCALE, 52 + 40), (SACK, 48 + 40), (0, 44 + 40)]
)
def test_options_that_were_not_agreed_on_take_no_room(options: int, octets: int) -> None:
    info = TcpInfo(1, options, bytes_sent=0, bytes_received=0, segments_out=2, segments_in=1)
    assert connection_flows(TALK, info, End.LEFT)[0].octets == octets


def test_a_refused_connection_is_one_syn_and_one_reset() -> None:
    nothing = TcpInfo(7, 0, 0, 0, 0, 0)
    assert figures(connection_flows(TALK, nothing, End.REFUSED)) == [
        ("127.11.1.21", "127.20.1.10", SYN, 1, 60),
        ("127.20.1.10", "127.11.1.21", RST | ACK, 1, 40),
    ]


def test_an_unanswered_connection_is_its_syns_in_one_direction() -> None:
    info = TcpInfo(2, 0, bytes_sent=0, bytes_received=0, segments_out=3, segments_in=0)
    assert figures(connection_flows(TALK, info, End.LEFT)) == [("127.11.1.21", "127.20.1.10", SYN, 3, 180)]


def test_a_connection_that_sent_nothing_leaves_no_record() -> None:
    assert connection_flows(TALK, TcpInfo(7, 0, 0, 0, 0, 0), End.LEFT) == ()


def test_a_reset_shows_in_the_flags_and_took_no_sequence_number() -> None:
    info = TcpInfo(7, STAMPS | SACK | SCALE, bytes_sent=10, bytes_received=100, segments_out=4, segments_in=4)
    assert figures(connection_flows(TALK, info, End.PEER_RESET)) == [
        ("127.11.1.21", "127.20.1.10", SYN | ACK | PSH, 4, 226),
        ("127.20.1.10", "127.11.1.21", SYN | ACK | PSH | RST, 4, 316),
    ]


def test_datagrams_carry_28_octets_of_headers_and_silence_leaves_no_record() -> None:
    flows = datagram_flows(TALK, sent=2, sent_octets=60, received=0, received_octets=0)
    assert [(flow.protocol, flow.packets, flow.octets) for flow in flows] == [(PROTOCOL_UDP, 2, 116)]
    flows = datagram_flows(TALK, sent=1, sent_octets=30, received=1, received_octets=46)
    assert [(flow.source_port, flow.octets) for flow in flows] == [(40_000, 58), (8080, 74)]


def test_a_kernel_without_the_needed_figures_is_told() -> None:
    with pytest.raises(ValueError, match=r"TCP_INFO of 192 octets lacks tcpi_bytes_sent; .* Linux 4.19"):
        decode_tcp_info(bytes(192))


def test_fields_are_taken_from_their_places_in_the_structure() -> None:
    raw = bytearray(232)
    raw[0], raw[5] = 8, 7
    struct.pack_into("=QII", raw, 128, 1001, 12, 13)
    struct.pack_into("=Q", raw, 200, 77)
    assert decode_tcp_info(bytes(raw)) == TcpInfo(8, 7, 77, 1001, 12, 13)


@pytest.mark.parametrize(("question", "answer"), [(b"q" * 77, b"a" * 1000), (b"q", b""), (b"q" * 5000, b"a" * 300_000)])
async def test_the_kernels_figures_are_the_octets_that_both_sides_counted(question: bytes, answer: bytes) -> None:
    counted: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        counted.append(len(await reader.readexactly(len(question))))
        writer.write(answer)
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.20.9.9", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname(), local_addr=("127.11.9.9", 0))
    writer.write(question)
    counted.append(len(await reader.read(-1)))
    writer.write_eof()
    info = read_tcp_info(writer.get_extra_info("socket"))
    out, back = connection_flows(TALK, info, End.PEER_CLOSED)
    writer.close()
    await writer.wait_closed()
    server.close()
    await server.wait_closed()
    assert counted == [len(question), len(answer)]
    assert (out.protocol, info.bytes_sent, info.bytes_received) == (PROTOCOL_TCP, len(question), len(answer) + 1)
    assert out.octets == len(question) + 60 + 52 * (out.packets - 1)
    assert back.octets == len(answer) + 60 + 52 * (back.packets - 1)
    # SYN, ACK of the SYN, data, FIN at least; SYN, ACK of the data, data where there is any, FIN, ACK of the FIN.
    assert out.packets >= 4
    assert back.packets >= 4
