"""Rings of packets in obvious Python: a list of packets, and the words that each takes."""

from dataclasses import dataclass, field

HEAD_WORDS = 3


@dataclass
class Packet:
    time: int
    wire: int
    link: int
    tag: int
    octets: bytes
    begin: int = 0
    end: int = 0


@dataclass
class Ring:
    words: int
    window: int
    packets: list[Packet] = field(default_factory=list)
    head: int = 0
    overwritten: int = 0

    def record(self, packet: Packet) -> None:
        size = HEAD_WORDS + -(-len(packet.octets) // 8)
        if size > self.words:
            return
        self.forget_before(packet.time - self.window)
        if not self.packets:
            self.head = 0
        before = len(self.packets)
        if self.head + size > self.words:
            # What is left of the lap before, behind the head, is older than anything before the head: it goes first.
            self.packets = [one for one in self.packets if one.begin < self.head]
            self.head = 0
        packet.begin, packet.end = self.head, self.head + size
        self.packets = [one for one in self.packets if one.end <= packet.begin or one.begin >= packet.end]
        self.overwritten += before - len(self.packets)
        self.packets.append(packet)
        self.head = packet.end

    def forget_before(self, time: int) -> None:
        while self.packets and self.packets[0].time < time:
            self.packets.pop(0)
