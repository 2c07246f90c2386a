"""The receive ring on virtual wires: what was sent is what comes, or is counted."""

import fcntl
import os
import socket
import struct
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from btimd.capture import ring as ring_module
from btimd.capture.ring import FanoutGroup, PacketRing, RingOptions, interface_names, link_of
from btimd.kernels import ring
from btimd.kernels.headers import LINK_ETHERNET, LINK_IPV4
from btimd.model.packets import PacketBlock
from tests.capture.wires import ip, make_wire, namespace, sender, udp_frame
from tests.patience import wait_until
from tests.programs import need

pytestmark = [pytest.mark.net]

SMALL = RingOptions(block_octets=65_536, blocks=4, snap_octets=65_535, retire_milliseconds=10)
TRAFFIC = Path(__file__).parents[3] / "shared" / "data" / "span" / "mix" / "span_dev.pcap"
CUSTOMER, SERVICE = b"\x81\x00\x60\x05", b"\x88\xa8\x00\x07"


@pytest.fixture
def wire() -> Iterator[None]:
    """Interfaces out0 and in0, the ends of a wire."""
    with namespace():
        make_wire("out0", "in0")
        yield


class Opened:
    """Opens rings, and closes them at the end."""

    def __init__(self) -> None:
        self.rings: list[PacketRing] = []

    def __call__(self, interface: str, options: RingOptions, group: FanoutGroup | None = None) -> PacketRing:
        self.rings.append(PacketRing(interface, options, group))
        return self.rings[-1]


@pytest.fixture
def opened() -> Iterator[Opened]:
    found = Opened()
    yield found
    for one in found.rings:
        one.close()


class Taken:
    """Takes frames out of rings: (octets captured, octets on the wire, link, tag) of each."""

    def __init__(self) -> None:
        self.frames: list[tuple[bytes, int, int, int]] = []
        self.blocks: list[int] = []
        self.times: list[int] = []

    def add(self, block: PacketBlock) -> None:
        assert block.frames.flags.c_contiguous
        assert block.frames.shape == (6, len(block))
        self.blocks.append(len(block))
        for at, end, octets, time, link, tag in block.frames.T.tolist():
            self.frames.append((block.slab[at:end].tobytes(), octets, link, tag))
            self.times.append(time)

    def until(self, receiver: PacketRing, count: int) -> None:
        """Take until so many frames came."""

        def enough() -> bool:
            receiver.take(self.add, 8)
            return len(self.frames) >= count or (receiver.wait(20) and False)

        wait_until(enough, f"{count} frames")


def quiet(receiver: PacketRing) -> Callable[[], bool]:
    """Tell whether everything that came was taken, and counted."""

    def done() -> bool:
        receiver.count()
        return receiver.frames == int(receiver.walk[ring.W_FRAMES])

    return done


@pytest.mark.usefixtures("wire")
def test_frames_come_whole_with_lengths_times_and_tags(opened: Opened) -> None:
    plain = udp_frame("10.0.0.1", "10.0.0.2", (1, 2), b"x" * 1000)
    tagged = udp_frame("10.0.0.1", "10.0.0.2", (1, 2), b"y" * 100, tag=CUSTOMER)
    twice = udp_frame("10.0.0.1", "10.0.0.2", (1, 2), b"z" * 100, tag=SERVICE + CUSTOMER)
    receiver, taken = opened("in0", SMALL), Taken()
    with sender("out0") as raw:
        for frame in (plain, tagged, twice):
            raw.send(frame)
    taken.until(receiver, 3)
    assert taken.frames == [
        (plain, len(plain), LINK_ETHERNET, 0),
        (tagged[:12] + tagged[16:], len(tagged), LINK_ETHERNET, 0x8100_6005),
        (twice[:12] + twice[16:], len(twice), LINK_ETHERNET, 0x88A8_0007),
    ]
    assert taken.times == sorted(taken.times)
    wall = int(subprocess.run(["date", "+%s%N"], check=True, capture_output=True, text=True).stdout)
    assert wall - 60 * 10**9 < taken.times[0] <= wall
    receiver.count()
    assert (receiver.frames, receiver.drops, receiver.freezes) == (3, 0, 0)
    assert receiver.walk[ring.W_FRAMES :].tolist() == [
        3,
        sum(map(len, (plain, tagged, twice))),
        sum(map(len, (plain, tagged, twice))) - 8,
        0,
        0,
    ]
    assert receiver.octets == 4 * 65_536


def packets_of(path: Path) -> list[bytes]:
    """Return the packets of a little-endian pcap file."""
    octets, at, found = path.read_bytes(), 24, []
    while at < len(octets):
        length = struct.unpack_from("<I", octets, at + 8)[0]
        found.append(octets[at + 16 : at + 16 + length])
        at += 16 + length
    return found


def with_tag(frame: bytes, tag: int) -> bytes:
    """Return a frame with the tag that was taken off put back."""
    return frame[:12] + tag.to_bytes(4, "big") + frame[12:] if tag else frame


@pytest.mark.slow
@pytest.mark.usefixtures("wire")
def test_replayed_traffic_comes_as_it_was_sent(opened: Opened) -> None:
    if not TRAFFIC.exists():
        pytest.skip(f"needs {TRAFFIC}")
    ip("link", "set", "out0", "mtu", "9200")
    ip("link", "set", "in0", "mtu", "9200")
    receiver, taken = opened("in0", RingOptions(1 << 20, 64, 65_535)), Taken()
    packets = packets_of(TRAFFIC)
    subprocess.run(
        [need("tcpreplay"), "-q", "--preload-pcap", "--topspeed", "-i", "out0", str(TRAFFIC)],
        check=True, capture_output=True,
    )  # fmt: skip
    taken.until(receiver, len(packets))
    assert [with_tag(kept, tag) for kept, _, _, tag in taken.frames] == packets
    assert [octets for _, octets, _, _ in taken.frames] == [len(packet) for packet in packets]
    receiver.count()
    assert (receiver.frames, receiver.drops) == (len(packets), 0)


@pytest.mark.usefixtures("wire")
def test_the_beginning_of_a_long_frame_is_kept(opened: Opened) -> None:
    frame = udp_frame("10.0.0.1", "10.0.0.2", (1, 2), b"x" * 1000)
    receiver, taken = opened("in0", RingOptions(65_536, 2, 100, retire_milliseconds=10)), Taken()
    with sender("out0") as raw:
        raw.send(frame)
        raw.send(frame[:100])
    taken.until(receiver, 2)
    assert [(kept, octets) for kept, octets, _, _ in taken.frames] == [(frame[:100], len(frame)), (frame[:100], 100)]
    assert int(receiver.walk[ring.W_CUT_OFF]) == 1


@pytest.mark.usefixtures("wire")
def test_only_what_the_filter_lets_pass_comes_with_a_tag_or_without(opened: Opened) -> None:
    options = RingOptions(65_536, 4, 65_535, expression="udp dst port 53", retire_milliseconds=10)
    receiver, taken = opened("in0", options), Taken()
    wanted = [udp_frame("10.0.0.1", "10.0.0.2", (9, 53), bytes([n]), tag=CUSTOMER * (n & 1)) for n in range(6)]
    with sender("out0") as raw:
        for frame in wanted:
            raw.send(udp_frame("10.0.0.1", "10.0.0.2", (53, 54)))
            raw.send(frame)
    taken.until(receiver, 6)
    assert [kept[-1:] for kept, *_ in taken.frames] == [bytes([n]) for n in range(6)]
    receiver.count()
    assert (receiver.frames, receiver.drops) == (6, 0)


@pytest.mark.usefixtures("wire")
def test_what_this_machine_sends_comes_unless_it_is_left_out(opened: Opened) -> None:
    both, taken_both = opened("in0", SMALL), Taken()
    one, taken_one = opened("in0", RingOptions(65_536, 4, 65_535, outgoing=False, retire_milliseconds=10)), Taken()
    came, went = (udp_frame(f"10.0.0.{n}", "10.0.0.9", (1, 2)) for n in (1, 2))
    with sender("out0") as there, sender("in0") as here:
        here.send(went)
        there.send(came)
    taken_both.until(both, 2)
    taken_one.until(one, 1)
    assert sorted(frame[0] for frame in taken_both.frames) == sorted([came, went])
    assert [frame[0] for frame in taken_one.frames] == [came]


@pytest.mark.usefixtures("wire")
def test_promiscuous_is_asked_for_and_given_back(opened: Opened) -> None:
    def promiscuity() -> str:
        text = subprocess.run(["ip", "-d", "link", "show", "in0"], check=True, capture_output=True, text=True).stdout
        return text.split("promiscuity ")[1].split()[0]

    opened("in0", RingOptions(65_536, 2, promiscuous=False))
    assert promiscuity() == "0"
    receiver = opened("in0", RingOptions(65_536, 2))
    assert promiscuity() == "1"
    receiver.close()
    assert promiscuity() == "0"


@pytest.mark.usefixtures("wire")
def test_a_block_of_many_frames_comes_in_parts_that_fit_the_cache(
    opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ring_module, "FRAMES_PER_CALL", 16)
    receiver, taken = opened("in0", RingOptions(65_536, 2, 64, retire_milliseconds=300)), Taken()
    frame = udp_frame("10.0.0.1", "10.0.0.2", (1, 2))
    with sender("out0") as raw:
        for _ in range(37):
            raw.send(frame)
    taken.until(receiver, 37)
    assert taken.blocks == [16, 16, 5]


@pytest.mark.usefixtures("wire")
def test_every_frame_sent_was_received_or_is_counted_as_lost(opened: Opened) -> None:
    receiver, taken = opened("in0", RingOptions(65_536, 2, 64, retire_milliseconds=10)), Taken()
    frame = udp_frame("10.0.0.1", "10.0.0.2", (1, 2), b"x" * 40)
    with sender("out0") as raw:
        for _ in range(5000):  # nobody takes any: two blocks are soon full
            raw.send(frame)
        lost = receiver.count()
        while receiver.take(taken.add, 1):
            raw.send(frame)
            raw.send(frame)
        sent = 5000 + 2 * len(taken.blocks)

        def all_taken() -> bool:
            receiver.take(taken.add, 8)
            return quiet(receiver)()

        wait_until(all_taken, "everything taken")
    assert lost > 3000
    assert receiver.freezes >= 1
    assert receiver.drops >= lost
    assert len(taken.frames) + receiver.drops == sent


@pytest.mark.usefixtures("wire")
def test_both_directions_of_a_conversation_come_to_one_ring_of_a_group(opened: Opened) -> None:
    group = FanoutGroup()
    options = RingOptions(1 << 20, 2, 200, retire_milliseconds=10)
    receivers = [opened("in0", options, group) for _ in range(3)]
    taken = [Taken() for _ in receivers]
    pairs = [(f"10.0.{n >> 6}.{n & 63}", "192.0.2.7", (1024 + 37 * n, 443)) for n in range(300)]
    with sender("out0") as raw:
        for source, destination, (one, other) in pairs:
            raw.send(udp_frame(source, destination, (one, other)))
            raw.send(udp_frame(destination, source, (other, one), tag=CUSTOMER))

    def everything() -> bool:
        for receiver, its in zip(receivers, taken, strict=True):
            receiver.take(its.add, 8)
        return sum(len(its.frames) for its in taken) >= 600

    wait_until(everything, "600 frames")
    conversations = [
        {tuple(sorted((kept[26:30] + kept[34:36], kept[30:34] + kept[36:38]))) for kept, *_ in its.frames}
        for its in taken
    ]
    assert sum(len(its.frames) for its in taken) == 600
    assert sum(len(each) for each in conversations) == 300  # none of them in two rings
    assert all(len(each) > 50 for each in conversations)


@pytest.mark.usefixtures("wire")
def test_a_group_that_all_have_left_is_made_again_by_the_next(opened: Opened) -> None:
    group = FanoutGroup()
    first, second = opened("in0", SMALL, group), opened("in0", SMALL, group)
    first.close()
    third = opened("in0", SMALL, group)
    second.close()
    third.close()
    fourth, fifth, taken = opened("in0", SMALL, group), opened("in0", SMALL, group), Taken()
    with sender("out0") as raw:
        for n in range(64):
            raw.send(udp_frame("10.0.0.1", "10.0.0.2", (n, 2)))

    def everything() -> bool:
        return fourth.take(taken.add, 8) + fifth.take(taken.add, 8) >= 0 and len(taken.frames) >= 64

    wait_until(everything, "64 frames")
    assert [quiet(one)() for one in (fourth, fifth)] == [True, True]
    assert (fourth.frames + fifth.frames, min(fourth.frames, fifth.frames) > 10) == (64, True)


@pytest.mark.usefixtures("wire")
def test_without_hardware_that_stamps_the_time_is_the_kernels(opened: Opened) -> None:
    options = RingOptions(65_536, 2, hardware_time=True, retire_milliseconds=10)
    one, other = opened("in0", options), opened("in0", SMALL)
    taken, compared = Taken(), Taken()
    with sender("out0") as raw:
        raw.send(udp_frame("10.0.0.1", "10.0.0.2", (1, 2)))
    taken.until(one, 1)
    compared.until(other, 1)
    assert abs(taken.times[0] - compared.times[0]) < 10**9


@pytest.mark.usefixtures("wire")
def test_a_group_begins_anew_on_an_interface_that_came_again(opened: Opened) -> None:
    group = FanoutGroup()
    first = opened("in0", SMALL, group)
    ip("link", "del", "in0")
    assert not first.is_there()
    make_wire("out0", "in0")
    assert not first.is_there()
    taken = Taken()
    second, third = opened("in0", SMALL, group), opened("in0", SMALL, group)
    with sender("out0") as raw:
        for n in range(64):
            raw.send(udp_frame("10.0.0.1", "10.0.0.2", (n, 2)))

    def everything() -> bool:
        return second.take(taken.add, 8) + third.take(taken.add, 8) >= 0 and len(taken.frames) >= 64

    wait_until(everything, "64 frames")
    assert sorted(frame[0] for frame in taken.frames) == sorted(
        udp_frame("10.0.0.1", "10.0.0.2", (n, 2)) for n in range(64)
    )


@pytest.mark.usefixtures("wire")
def test_a_link_that_goes_down_is_told_and_the_ring_goes_on_when_it_is_back(opened: Opened) -> None:
    receiver, taken = opened("in0", SMALL), Taken()
    assert receiver.link_up()
    ip("link", "set", "in0", "down")
    with pytest.raises(OSError, match="Network is down"):
        receiver.wait(5000)
    assert not receiver.wait(1)
    assert not receiver.link_up()
    assert receiver.is_there()
    ip("link", "set", "in0", "up")
    wait_until(receiver.link_up, "the link")
    with sender("out0") as raw:
        raw.send(udp_frame("10.0.0.1", "10.0.0.2", (1, 2)))
    taken.until(receiver, 1)
    ip("link", "set", "out0", "down")  # the other end: no carrier
    wait_until(lambda: not receiver.link_up(), "the loss of the carrier")


@pytest.mark.usefixtures("wire")
def test_what_a_consumer_raises_costs_the_rest_of_its_block(opened: Opened) -> None:
    receiver, taken = opened("in0", SMALL), Taken()

    def fail(block: PacketBlock) -> None:
        raise ZeroDivisionError(len(block))

    with sender("out0") as raw:
        raw.send(udp_frame("10.0.0.1", "10.0.0.2", (1, 2)))
        with pytest.raises(ZeroDivisionError, match="1"):
            wait_until(lambda: bool(receiver.take(fail, 1)), "a block")
        raw.send(udp_frame("10.0.0.1", "10.0.0.2", (3, 4)))
    taken.until(receiver, 1)
    assert [frame[0] for frame in taken.frames] == [udp_frame("10.0.0.1", "10.0.0.2", (3, 4))]


@pytest.mark.usefixtures("wire")
def test_when_nothing_more_shall_come_what_came_can_still_be_taken(opened: Opened) -> None:
    receiver, taken = opened("in0", SMALL), Taken()
    with sender("out0") as raw:
        raw.send(udp_frame("10.0.0.1", "10.0.0.2", (1, 2)))
        receiver.receive_nothing_more()
        raw.send(udp_frame("10.0.0.1", "10.0.0.2", (3, 4)))
    taken.until(receiver, 1)
    wait_until(quiet(receiver), "the count")
    assert [frame[0] for frame in taken.frames] == [udp_frame("10.0.0.1", "10.0.0.2", (1, 2))]
    assert receiver.frames == 1


def test_on_loopback_a_frame_comes_once(opened: Opened) -> None:
    with namespace():
        ip("link", "set", "lo", "up")
        receiver, taken = opened("lo", SMALL), Taken()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
            raw.sendto(b"once", ("127.0.0.1", 9))
        taken.until(receiver, 2)  # the ICMP error is the other
        receiver.receive_nothing_more()
        assert [frame[0][23] for frame in taken.frames] == [17, 1]
        assert {frame[2] for frame in taken.frames} == {LINK_ETHERNET}


def test_a_tunnel_interface_brings_packets_without_a_link_header(opened: Opened) -> None:
    with namespace():
        ip("tuntap", "add", "tun0", "mode", "tun")
        ip("address", "add", "10.9.0.1/24", "dev", "tun0")
        with Path("/dev/net/tun").open("r+b", buffering=0) as tun:
            fcntl.ioctl(tun, 0x400454CA, struct.pack("16sH", b"tun0", 0x1001))  # TUNSETIFF: IFF_TUN, IFF_NO_PI
            ip("link", "set", "tun0", "up")
            options = RingOptions(65_536, 2, 192, expression="udp port 9", retire_milliseconds=10)
            receiver, taken = opened("tun0", options), Taken()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
                raw.sendto(b"hello", ("10.9.0.2", 9))
            tun.write(udp_frame("10.9.0.2", "10.9.0.1", (9, 7), b"back")[14:])
            taken.until(receiver, 2)
    assert [(kept[:1], kept[28:], octets, link) for kept, octets, link, _ in taken.frames] == [
        (b"\x45", b"hello", 33, LINK_IPV4),
        (b"\x45", b"back", 32, LINK_IPV4),
    ]


@pytest.mark.usefixtures("wire")
def test_a_missing_interface_is_an_error_that_names_those_there_are(opened: Opened) -> None:
    with pytest.raises(OSError, match="No such device; this machine has lo, ") as caught:
        opened("eth99", SMALL)
    assert all(name in str(caught.value) for name in interface_names())


def test_an_interface_of_another_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="it is of kind 776 .*use an Ethernet, loopback, tun or PPP interface"):
        link_of(776)  # ARPHRD_SIT


@pytest.mark.usefixtures("wire")
def test_a_ring_for_which_there_is_no_memory_says_which_setting_to_change(opened: Opened) -> None:
    with pytest.raises(OSError, match="for a ring of 3 blocks of 5000 octets: .*; make ring_bytes smaller"):
        opened("in0", RingOptions(5000, 3))


@pytest.mark.usefixtures("wire")
def test_merging_of_frames_is_noticed(opened: Opened) -> None:
    receiver = opened("in0", SMALL)
    before = receiver.merges_frames()
    subprocess.run([need("ethtool"), "-K", "in0", "gro", "off" if before else "on"], check=True)
    assert receiver.merges_frames() is not before


AS_ANOTHER = """
    import ctypes, os, struct, sys
    from btimd.capture.ring import PacketRing, RingOptions, may_capture, warm
    warm()  # what it reads may not be open to the user nobody
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(8, 1, 0, 0, 0)  # PR_SET_KEEPCAPS
    os.setgroups([])
    os.setresgid(65534, 65534, 65534)
    os.setresuid(65534, 65534, 65534)
    kept = int(sys.argv[1])
    header = struct.pack("Ii", 0x20080522, 0)
    assert libc.capset(header, struct.pack("6I", kept, kept, 0, 0, 0, 0)) == 0
    assert [line.split()[1] for line in open("/proc/self/status") if line.startswith("CapEff")] == [f"{kept:016x}"]
    print(may_capture())
    try:
        receiver = PacketRing("in0", RingOptions(65536, 4, expression="udp"))
    except PermissionError as error:
        print(error.strerror)
    else:
        print("open", flush=True)
        found = []
        while not found:
            receiver.take(lambda block: found.append(len(block)), 4)
            receiver.wait(90)
        print(sum(found))
"""


def as_nobody(capabilities: int) -> subprocess.Popen[str]:
    """Start a process that opens a ring as the user nobody with these capabilities only, and prints what came of it."""
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(AS_ANOTHER), str(capabilities)], stdout=subprocess.PIPE, text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.usefixtures("wire")
def test_cap_net_raw_is_enough() -> None:
    with as_nobody(1 << 13) as process, sender("out0") as raw:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == ["True\n", "open\n"]
        raw.send(udp_frame("10.0.0.1", "10.0.0.2", (1, 2)))
        assert process.stdout.read() == "1\n"
    assert process.returncode == 0


@pytest.mark.slow
@pytest.mark.usefixtures("wire")
def test_without_it_the_error_names_the_two_ways_to_give_it() -> None:
    with as_nobody(0) as process:
        assert process.stdout is not None
        said = process.stdout.read()
    assert said.startswith(
        "False\nthis needs CAP_NET_RAW; either put AmbientCapabilities=CAP_NET_RAW into the systemd unit, or, without systemd, "
        "give it to the file of the interpreter, not to a link to it (a virtual environment made with python3 -m venv "
        "--copies has a file of its own): setcap cap_net_raw+ep /"
    )
