"""Plays the other side of a dialogue, and checks that nothing it may say breaks one."""

from collections.abc import Callable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import (
    Action,
    Closed,
    Connected,
    Deadline,
    Dialogue,
    Event,
    Finish,
    Outcome,
    Received,
    Secure,
    Secured,
    Send,
)

Piece = bytes | Event
AT = 1_700_000_000.0


def play(dialogue: Dialogue, pieces: Sequence[Piece]) -> tuple[list[bytes | str], Outcome | None]:
    """Feed what a server says, an eighth of a second apart; return what was sent, "TLS" where it began, and the end."""
    sent: list[bytes | str] = []
    end: list[Outcome] = []
    now = 1.0

    def take(actions: list[Action]) -> bool:
        """Note what the dialogue does; tell whether it wants TLS."""
        for action in actions:
            match action:
                case Send(data):
                    sent.append(data)
                case Secure():
                    sent.append("TLS")
                case Finish(outcome):
                    end.append(outcome)
                case _:
                    pass
        return bool(actions) and isinstance(actions[-1], Secure)

    def tell(event: Event) -> None:
        nonlocal now
        now += 0.125
        while take(dialogue.handle(event, now)):
            event = Secured(at=AT)

    dialogue.start(now)
    tell(Connected(AT, "10.0.0.9"))
    for piece in pieces:
        tell(Received(piece) if isinstance(piece, bytes) else piece)
    assert len(end) <= 1
    return sent, end[0] if end else None


def told(outcome: Outcome | None) -> tuple[ErrorClass, str]:
    assert outcome is not None
    assert (outcome.health is Health.GOOD) is (outcome.error is ErrorClass.NONE)
    return outcome.error, outcome.detail


def ends(make: Callable[[], Dialogue], pieces: Sequence[Piece], last: Event | None = None) -> Outcome:
    _, outcome = play(make(), [*pieces, *((last,) if last else ()), Deadline()])
    assert outcome is not None
    return outcome


def survives_cuts(make: Callable[[], Dialogue], pieces: Sequence[bytes]) -> None:
    """Cut the talk at every octet: the dialogue ends, and never well."""
    for number, piece in enumerate(pieces):
        for cut in range(len(piece)):
            heard = [*pieces[:number], piece[:cut]] if cut else list(pieces[:number])
            for last in (Closed(), None):
                outcome = ends(make, heard, last)
                assert outcome.health is Health.BAD, (heard, outcome)


def survives_changes(make: Callable[[], Dialogue], pieces: Sequence[bytes]) -> None:
    """Change octets, drop and repeat pieces, say anything: the dialogue ends with an outcome and raises nothing."""

    @given(st.data())
    def changed(data: st.DataObject) -> None:
        number = data.draw(st.integers(0, len(pieces) - 1))
        piece = bytearray(pieces[number])
        for _ in range(data.draw(st.integers(1, 3))):
            piece[data.draw(st.integers(0, len(piece) - 1))] = data.draw(st.integers(0, 255))
        ends(make, [*pieces[:number], bytes(piece), *pieces[number + 1 :]])

    @given(st.lists(st.one_of(st.binary(max_size=60), st.sampled_from(list(pieces))), max_size=6))
    def anything(said: list[bytes]) -> None:
        ends(make, [piece for piece in said if piece])

    changed()
    anything()
