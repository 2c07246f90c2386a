import asyncio
import subprocess
from concurrent.futures import Future
from pathlib import Path

import numpy as np
import pytest

from btimd.capture.evidence import (
    NO_RING,
    KeptPacket,
    PacketRecorder,
    RecorderCounters,
    RecorderMetrics,
    RingCopy,
    RingLimits,
    as_pcapng,
    frozen,
    warm,
)
from btimd.capture.wire.pcapng import Outline, interface_block, outline, packet_block, section_block
from btimd.kernels.headers import LINK_IPV6, LINK_MPLS
from btimd.runtime.metrics import Metrics
from tests.capture.conversations import (
    HTTP_QUESTION,
    START,
    STEP,
    Frames,
    block_of,
    conversation,
    http_answer,
    udp_exchange,
    write_pcapng,
)
from tests.programs import need

SECRET = b"swordfish"
SAID = conversation(80, [(">", HTTP_QUESTION), ("<", http_answer(503))], end="R")
SECOND = 1_000_000_000


def limits(**changes: object) -> RingLimits:
    return RingLimits(**{"flows": 8, "window": 60 * SECOND, "ring_octets": 8192, "max_octets": 3 * 8192} | changes)  # type: ignore[arg-type]


def recorded(
    recorder: PacketRecorder, business: str, frames: Frames, *, slot: int = 1, tag: int = 0, link: int = 1
) -> None:
    recorder.tags[slot] = recorder.ring_of(business)
    block, positions = block_of(frames, link=link, tag=tag)
    recorder.record(block, np.full(len(block), slot, np.int32), positions)


def copy_of(recorder: PacketRecorder, business: str, now: int = START + SECOND) -> RingCopy | None:
    future = recorder.freeze(business, now)
    recorder.tick(now)
    return next(iter(future.result(timeout=0)), None)


def packets_of(recorder: PacketRecorder, business: str, now: int = START + SECOND) -> list[KeptPacket]:
    copy = copy_of(recorder, business, now)
    return [] if copy is None else list(copy.packets())


def test_of_a_business_headers_are_kept_and_nothing_else() -> None:
    recorder = PacketRecorder(limits())
    recorded(recorder, "erp", SAID)
    recorded(recorder, "erp", udp_exchange(53, SECRET, SECRET + SECRET))

    kept = packets_of(recorder, "erp")
    assert [(one.time, one.wire_octets, one.link, one.tag) for one in kept] == [
        (time, len(octets), 1, 0) for time, octets in [*SAID, *udp_exchange(53, SECRET, SECRET + SECRET)]
    ]
    assert [one.octets for one in kept] == [
        *(octets[:54] for _time, octets in SAID),
        *(octets[:42] for _time, octets in udp_exchange(53, SECRET, SECRET + SECRET)),
    ]


def test_no_payload_of_a_business_that_does_not_allow_it_is_in_memory_or_in_a_file() -> None:
    recorder = PacketRecorder(limits(payload_octets={"mail": 1024}))
    for n in range(40):  # the ring wraps
        recorded(
            recorder, "erp", conversation(80, [(">", HTTP_QUESTION), ("<", http_answer(503))], at=START + n * SECOND)
        )
        unknown = block_of(SAID)[0]
        recorder.record(unknown, np.full(len(unknown), 1, np.int32), np.zeros(len(unknown), np.int64))
    copy = copy_of(recorder, "erp")

    assert copy is not None
    assert recorder.counters.overwritten > 0
    for octets in (recorder._memory.tobytes(), copy.words.tobytes(), as_pcapng([copy])):
        assert SECRET not in octets
        assert b"HTTP" not in octets
        assert b"GET" not in octets


def test_as_much_payload_is_kept_as_a_business_allows() -> None:
    recorder = PacketRecorder(limits(payload_octets={"erp": 10}))
    recorded(recorder, "erp", SAID)
    assert [one.octets for one in packets_of(recorder, "erp")] == [octets[: 54 + 10] for _time, octets in SAID]


def test_what_is_allowed_can_change() -> None:
    recorder = PacketRecorder(limits(payload_octets={"erp": 10}))
    for n, allowed in enumerate(({"erp": 10, "mail": 1}, {"erp": 2}, {})):
        recorder.allow(allowed)
        recorded(recorder, "erp", SAID[3:4], slot=1)
        recorded(recorder, "mail", SAID[3:4], slot=2)
        assert recorder.counters.packets == 2 * n + 2
    assert [len(one.octets) - 54 for one in packets_of(recorder, "erp")] == [10, 2, 0]
    assert [len(one.octets) - 54 for one in packets_of(recorder, "mail")] == [1, 0, 0]


def test_packets_without_business_are_not_kept() -> None:
    recorder = PacketRecorder(limits())
    block, positions = block_of(SAID)
    recorder.record(block, np.arange(-1, len(block) - 1).astype(np.int32), positions)
    assert recorder.tags.tolist() == [NO_RING] * 8
    assert recorder.counters == RecorderCounters(0, 0, 0, 0, 0)
    assert copy_of(recorder, "erp") is None


def test_businesses_are_kept_apart_and_those_without_memory_are_counted() -> None:
    recorder = PacketRecorder(limits(max_octets=2 * 8192 + 8191))
    for slot, business in enumerate(("a", "b", "c", "d", "c")):
        recorded(recorder, business, SAID[slot : slot + 1], slot=slot)

    assert recorder.tags.tolist() == [0, 1, NO_RING, NO_RING, NO_RING, -1, -1, -1]
    assert recorder.refused == ("c", "d")
    assert recorder.counters == RecorderCounters(rings=2, packets=2, overwritten=0, refused_businesses=2, freezes=0)
    assert [[one.time for one in packets_of(recorder, name)] for name in "abc"] == [[START], [START + STEP], []]


def test_what_recorders_do_is_in_metrics() -> None:
    metrics = Metrics()
    report = RecorderMetrics(metrics)
    recorders = [PacketRecorder(limits(max_octets=8192)) for _ in range(2)]
    for recorder in recorders:
        recorded(recorder, "erp", SAID * 30)
        recorder.ring_of("mail")
        report.report(recorders)
    packets = len(SAID) * 60
    overwritten = sum(one.counters.overwritten for one in recorders)

    assert overwritten > 0
    assert {one.name: metrics.value(one.name) for one in metrics.descriptions()} == {
        "btimd_capture_evidence_packets_total": packets,
        "btimd_capture_evidence_overwritten_packets_total": overwritten,
        "btimd_capture_evidence_rings": 2,
        "btimd_capture_evidence_businesses_without_ring": 1,
    }


def test_what_is_older_than_the_window_is_not_in_a_copy_and_soon_not_in_the_ring() -> None:
    recorder = PacketRecorder(limits(window=3 * STEP))
    recorded(recorder, "erp", SAID[:4])
    assert [one.time for one in packets_of(recorder, "erp", START + 5 * STEP)] == [START + 2 * STEP, START + 3 * STEP]

    recorder.tick(START + 2 * SECOND)
    assert packets_of(recorder, "erp", START) == []


def test_a_copy_is_made_at_the_next_batch_too_and_stays_as_it_was() -> None:
    recorder = PacketRecorder(limits())
    recorded(recorder, "erp", SAID[:1])
    future = recorder.freeze("erp", START)
    assert not future.done()
    recorded(recorder, "erp", SAID[1:])
    (copy,) = future.result(timeout=0)

    first = list(copy.packets())
    recorded(recorder, "erp", SAID * 50)
    assert list(copy.packets()) == first
    assert [one.time for one in first] == [time for time, _octets in SAID]
    assert recorder.counters.freezes == 1


def test_requests_do_not_pile_up_and_a_recorder_that_ends_leaves_nobody_waiting() -> None:
    recorder = PacketRecorder(limits())
    futures: list[Future[tuple[RingCopy, ...]]] = [recorder.freeze("erp", START) for _ in range(65)]
    assert [future.done() for future in futures] == [False] * 64 + [True]
    assert futures[-1].result() == ()
    futures[0].cancel()
    recorder.close()
    assert all(future.cancelled() for future in futures[:-1])
    recorder.tick(START)
    assert recorder.counters.freezes == 0


def test_a_request_nobody_waits_for_any_more_is_left_out() -> None:
    recorder = PacketRecorder(limits())
    gone, wanted = recorder.freeze("erp", START), recorder.freeze("erp", START)
    gone.cancel()
    recorder.tick(START)
    assert wanted.result(timeout=0) == ()
    assert recorder.counters.freezes == 1


def test_a_ring_too_small_for_packets_is_refused() -> None:
    with pytest.raises(ValueError, match="a ring of 100 octets is too small; 4096 is the least"):
        PacketRecorder(limits(ring_octets=100))


def test_memory_is_taken_when_packets_come() -> None:
    before = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    recorder = PacketRecorder(limits(ring_octets=1 << 20, max_octets=256 << 20))
    after = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    assert (int(after) - int(before)) * 4096 < 8 << 20
    assert recorder._memory.nbytes == 256 << 20


def test_the_rings_of_several_threads_are_merged_by_time_into_one_file() -> None:
    first, second = PacketRecorder(limits(), "span0"), PacketRecorder(limits(), "span1")
    recorded(first, "erp", SAID[0::2], tag=0x8100_0064)
    recorded(second, "erp", SAID[1::2])
    copies = [copy_of(one, "erp") for one in (first, second)]

    times = [time for time, _octets in SAID]
    expected = (
        section_block(system="Linux", application="btimd") + interface_block("span0", 1) + interface_block("span1", 1)
    )
    for n, (time, octets) in enumerate(SAID):
        if n % 2:
            expected += packet_block(1, time, octets[:54], len(octets))
        else:
            tagged = octets[:12] + b"\x81\x00\x00\x64" + octets[12:54]
            expected += packet_block(0, time, tagged, len(octets))
    made = as_pcapng([one for one in copies if one], system="Linux", application="btimd")
    assert made == expected
    assert outline(made) == Outline(len(SAID), min(times), max(times))


def test_every_kind_of_link_has_its_interface() -> None:
    recorder = PacketRecorder(limits())
    recorded(recorder, "erp", [(START, b"\x60" + bytes(59))], link=LINK_IPV6, tag=0x8100_0001)
    recorded(recorder, "erp", [(START + 1, bytes(20))], link=LINK_MPLS)
    recorded(recorder, "erp", [(START + 2, bytes(20))], link=2)  # no capture file has this
    copy = copy_of(recorder, "erp")

    assert copy is not None
    assert as_pcapng([copy]) == (
        section_block() + interface_block("span", 101) + interface_block("span", 219)
        + packet_block(0, START, b"\x60" + bytes(47), 60) + packet_block(1, START + 1, b"", 20)
    )  # fmt: skip


def test_what_businesses_share_is_kept_for_each_of_them_with_payload_only_where_all_allow_it() -> None:
    recorder = PacketRecorder(limits(payload_octets={"erp": 100, "hr": 7}))
    recorder.tags[:3] = recorder.ring_of("erp"), recorder.ring_of("erp", "hr"), recorder.ring_of("erp", "mail")
    assert len({*recorder.tags[:3].tolist()}) == 3
    block, positions = block_of(udp_exchange(53, SECRET, b"")[:1])
    for slot in range(3):
        recorder.record(block, np.array([slot], np.int32), positions)

    def payloads(business: str) -> list[int]:
        future = recorder.freeze(business, START)
        recorder.tick(START)
        return [len(one.octets) - int(positions[0]) for copy in future.result(timeout=0) for one in copy.packets()]

    assert payloads("erp") == [min(100, len(SECRET)), 7, 0]
    assert payloads("hr") == [7]
    assert payloads("mail") == [0]
    assert payloads("crm") == []


def test_nothing_is_no_file() -> None:
    recorder = PacketRecorder(limits())
    recorder.ring_of("erp")
    copy = copy_of(recorder, "erp")
    assert copy is not None
    assert as_pcapng([copy]) == b""
    assert as_pcapng([]) == b""


async def test_all_capture_threads_are_asked_and_the_dead_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("btimd.capture.evidence.FREEZE_SECONDS", 0.05)
    alive, dead, empty = (PacketRecorder(limits()) for _ in range(3))
    recorded(alive, "erp", SAID)

    asked = asyncio.create_task(frozen([alive, dead, empty], "erp", START / 1e9, application="btimd"))
    await asyncio.sleep(0)
    alive.tick(START)
    empty.tick(START)
    assert outline(await asked).packets == len(SAID)
    with pytest.raises(TimeoutError):
        await frozen([dead], "erp", START / 1e9)
    assert await frozen([], "erp", START / 1e9) == b""


@pytest.mark.slow
def test_tshark_sees_the_headers_it_would_see_in_the_whole_packets(tmp_path: Path) -> None:
    recorder = PacketRecorder(limits())
    recorded(recorder, "erp", SAID)
    copy = copy_of(recorder, "erp")
    assert copy is not None
    (tmp_path / "headers.pcapng").write_bytes(as_pcapng([copy]))
    write_pcapng(tmp_path / "whole.pcapng", SAID)
    fields = ("frame.time_epoch", "frame.len", "ip.src", "tcp.srcport", "tcp.flags", "tcp.len", "tcp.analysis.ack_rtt")
    shown = [
        subprocess.run(
            [need("tshark"), "-n", "-r", tmp_path / f"{name}.pcapng", "-T", "fields", *(part for each in fields for part in ("-e", each))],
            capture_output=True, text=True, check=True,
        ).stdout
        for name in ("headers", "whole")
    ]  # fmt: skip
    assert shown[0] == shown[1]


def test_warming_up_compiles_what_capturing_needs() -> None:
    warm()
