"""Octets: reads fields off a message one after the other, with an AnswerError where the message is too short."""

from typing import Literal

from btimd.probes.wire.dialogue import AnswerError

Order = Literal["big", "little"]


class Octets:
    """A message and how far it has been read. Every method takes what it returns off the front."""

    def __init__(self, data: bytes, order: Order = "big") -> None:
        self._data = data
        self._at = 0
        self._order = order

    @property
    def left(self) -> int:
        """How many octets have not been read."""
        return len(self._data) - self._at

    def take(self, size: int) -> bytes:
        """Return exactly `size` octets."""
        if size < 0 or size > self.left:
            raise AnswerError(f"a message that ends in the middle, at octet {len(self._data)}")
        self._at += size
        return self._data[self._at - size : self._at]

    def rest(self) -> bytes:
        """Return all that is left."""
        return self.take(self.left)

    def number(self, size: int, *, signed: bool = False) -> int:
        """Return an integer of `size` octets in the message's order."""
        return int.from_bytes(self.take(size), self._order, signed=signed)

    def until_zero(self) -> bytes:
        """Return what stands before the next zero octet, which is taken too."""
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise AnswerError("a text without its end")
        found = self.take(end - self._at)
        self._at += 1
        return found

    def sized(self, size_octets: int) -> bytes:
        """Return octets that their length stands before."""
        return self.take(self.number(size_octets))


def text_of(data: bytes, encoding: str = "utf-8") -> str:
    """Return octets of a stranger as text, whatever they hold."""
    return data.decode(encoding, "replace")
