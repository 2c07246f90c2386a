from collections.abc import Callable

import pytest

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.octets import Octets, text_of


def test_fields_are_read_one_after_the_other() -> None:
    octets = Octets(b"\x01\x02\x03abc\0\x02xy\xfftail")
    assert (octets.number(1), octets.number(2), octets.until_zero(), octets.sized(1)) == (1, 0x0203, b"abc", b"xy")
    assert (octets.number(1, signed=True), octets.left, octets.rest(), octets.rest()) == (-1, 4, b"tail", b"")
    assert Octets(b"\x01\x02", "little").number(2) == 0x0201
    assert text_of(b"a\xff") == "a\ufffd"


@pytest.mark.parametrize(
    "read", [lambda o: o.take(5), lambda o: o.take(-1), lambda o: o.until_zero(), lambda o: o.sized(1)]
)
def test_what_is_not_there_is_refused(read: Callable[[Octets], bytes]) -> None:
    with pytest.raises(AnswerError):
        read(Octets(b"\x04abc"))
