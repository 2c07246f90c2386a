"""What becomes of established connections: kernels against connections in obvious Python, and each rule by itself."""

from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.kernels.oracle_tcpquality import Connection, Segment, Side
from tests.kernels.qualityflows import Flows, Noted, Sample
from tests.kernels.segments import ACK, FIN, MILLISECOND, RST, SECOND, START, SYN, segment

pytestmark = pytest.mark.bounds

TRIP: Final = 1 * MILLISECOND


class Wire:
    """One connection that both the kernels and the oracle see, with numbers that begin where they are told."""

    def __init__(self, client: int = 1000, server: int = 5000, *, version: int = 4) -> None:
        self.flows, self.first, self.version = Flows(), (client, server), version
        self.time = START
        self.counters: dict[str, int] = {}
        self.samples: list[Sample] = []
        self.raw(segment(seq=client, flags=SYN, version=version))
        self.time += TRIP // 2
        self.raw(segment(reverse=True, seq=server, ack=client + 1, flags=SYN | ACK, version=version))
        self.time += TRIP // 2
        self.raw(segment(seq=client + 1, ack=server + 1, version=version))
        self.clear()

    def clear(self) -> None:
        self.counters, self.samples = {}, []

    def raw(self, frame: bytes, *, octets: int = 0) -> Noted:
        noted = self.flows.note(frame, self.time, octets=octets)
        assert noted is not None
        for name, count in noted.counters.items():
            self.counters[name] = self.counters.get(name, 0) + count
        self.samples += noted.samples
        return noted

    def sends(self, one: Segment, **more: int) -> None:
        """Send a segment whose numbers count from the first octet of data."""
        own, other = (self.first[1], self.first[0]) if one.reverse else self.first
        self.time = one.time
        flags = (0 if one.rst and one.ack < 0 else ACK) | FIN * one.fin | RST * one.rst
        self.raw(
            segment(
                reverse=one.reverse, seq=own + 1 + one.seq, ack=other + 1 + one.ack, flags=flags, length=one.length,
                window=one.window, identification=one.identification, version=self.version, **more,
            )
        )  # fmt: skip

    def client(self, seq: int, length: int = 0, *, ack: int = 0, after: int = 0, **more: int) -> None:
        self.sends(Segment(self.time + after, False, seq, ack, length), **more)

    def server(self, seq: int, length: int = 0, *, ack: int = 0, after: int = 0, **more: int) -> None:
        self.sends(Segment(self.time + after, True, seq, ack, length), **more)


def oracle() -> Connection:
    """Return what the oracle knows after the handshake."""
    client = Side(0, START, 0, 1000, 0)
    server = Side(0, START + TRIP // 2, 0, 1000, 0)
    return Connection((client, server), TRIP)


@st.composite
def conversations(draw: st.DrawFn) -> list[Segment]:
    """Return segments of two senders, in the order in which a mirror shows them: lost, late, twice, sent again."""
    sent: tuple[list[Segment], list[Segment]] = ([], [])
    ends, idents = [0, 0], [draw(st.sampled_from([0, 1, 65530])), draw(st.sampled_from([0, 1, 65530]))]
    time, seen = START + TRIP, []
    for _ in range(draw(st.integers(1, 25))):
        reverse = draw(st.booleans())
        time += draw(st.sampled_from([0, 1000, 500_000, MILLISECOND, 5 * MILLISECOND, SECOND]))
        action = draw(
            st.sampled_from(["new", "new", "new", "ack", "ack", "again", "copy", "skip", "alive", "late", "odd"])
        )
        window = draw(st.sampled_from([1000, 1000, 1000, 1000, 0, 2000]))
        ack = draw(st.integers(max(0, ends[not reverse] - 300), ends[not reverse]))
        if idents[reverse]:
            idents[reverse] = idents[reverse] % 65535 + 1
        length = draw(st.sampled_from([1, 2, 100, 1460]))
        seq = ends[reverse]
        if action in {"again", "copy"} and sent[reverse]:
            old = draw(st.sampled_from(sent[reverse][-4:]))
            one = (
                old._replace(time=time)
                if action == "copy"
                else old._replace(time=time, ack=ack, window=window, identification=idents[reverse])
            )
        elif action == "late" and len(sent[reverse]) > 1:  # two segments change places
            last = sent[reverse][-1]
            hole = draw(st.integers(1, 200))
            seen.append(last._replace(time=time, seq=ends[reverse] + hole, length=100, fin=False))
            ends[reverse] += hole + 100
            one = Segment(time, reverse, seq, ack, hole, False, window, idents[reverse])
        else:
            seq = {"skip": ends[reverse] + length, "alive": ends[reverse] - 1, "odd": max(0, ends[reverse] - 50)}.get(
                action, seq
            )
            size = 0 if action == "ack" else draw(st.integers(0, 1)) if action == "alive" else length
            fin = action == "new" and draw(st.integers(0, 9)) == 0
            one = Segment(
                time, reverse, seq, ack, size, fin, window, idents[reverse], rst=draw(st.integers(0, 30)) == 0
            )
        if not one.rst:
            ends[reverse] = max(ends[reverse], one.seq + one.length + one.fin)
            if one.length or one.fin:
                sent[reverse].append(one)
        if draw(st.integers(0, 9)):  # otherwise it was lost before the point of capture
            seen.append(one)
    return seen


@settings(max_examples=100)
@given(
    conversations(), st.sampled_from([1000, 2**32 - 1, 2**32 - 700, 2**31 - 100]), st.sampled_from([5000, 2**32 - 2000])
)  # fmt: skip
def test_every_segment_counts_as_the_oracle_counts_it(seen: list[Segment], client: int, server: int) -> None:
    wire, truth = Wire(client, server), oracle()
    for one in seen:
        wire.sends(one)
        truth.note(one)
        assert (wire.counters, wire.samples) == ({k: n for k, n in truth.counters.items() if n}, truth.samples), one
