"""Speaks with dialogues without a socket."""

from collections.abc import Callable, Iterable

from btimd.model.probe import ErrorClass, Health
from btimd.probes.wire.dialogue import (
    Action,
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


def begin(dialogue: Dialogue) -> list[Action]:
    """Connect; return what the dialogue says first."""
    dialogue.start(0.0)
    return dialogue.handle(Connected(), 0.5)


def speak(dialogue: Dialogue, *events: bytes | Event, at: float = 1.0) -> list[Action]:
    """Let things happen, octets as if received; return all that the dialogue does."""
    actions: list[Action] = []
    for event in events:
        actions += dialogue.handle(Received(event) if isinstance(event, bytes) else event, at)
    return actions


def sent(actions: Iterable[Action]) -> bytes:
    return b"".join(action.data for action in actions if isinstance(action, Send))


def outcome(actions: list[Action]) -> Outcome:
    assert actions, "the dialogue waits on"
    assert isinstance(actions[-1], Finish), actions
    return actions[-1].outcome


def told(actions: list[Action]) -> tuple[Health, ErrorClass, str]:
    found = outcome(actions)
    return found.health, found.error, found.detail


def converse(dialogue: Dialogue, *answers: bytes) -> Outcome:
    """Run a whole conversation in which the other side says these things one after the other."""
    actions = begin(dialogue)
    for answer in answers:
        if actions and isinstance(actions[-1], Secure):
            actions = dialogue.handle(Secured(), 0.75)
        actions += dialogue.handle(Received(answer), 1.0)
        if actions and isinstance(actions[-1], Finish):
            break
    return outcome(actions)


def cut_everywhere(make: Callable[[], Dialogue], *answers: bytes) -> None:
    """Check: cut after any octet the dialogue waits on; octet by octet it ends as in one piece; mutated it ends."""
    whole = b"".join(answers)
    expected = converse(make(), *answers)
    for size in range(len(whole)):
        dialogue = make()
        actions = begin(dialogue)
        actions += speak(dialogue, whole[:size])
        if size < len(whole) - 64 and not any(isinstance(action, Finish) for action in actions):
            assert dialogue.handle(Deadline(), 9.0), "silence ends it"
    dialogue, actions = make(), list[Action]()
    begin(dialogue)
    for octet in whole:
        actions += speak(dialogue, bytes([octet]))
    assert outcome(actions) == expected
    for at in range(len(whole)):
        for value in {0, 255, whole[at] ^ 1, whole[at] ^ 0x80}:
            dialogue = make()
            begin(dialogue)
            ended = speak(dialogue, whole[:at] + bytes([value]) + whole[at + 1 :], Deadline())
            assert isinstance(ended[-1], Finish)


def babble(dialogue: Dialogue, *pieces: bytes) -> None:
    """Check that no octets break a dialogue, and that it ends once."""
    begin(dialogue)
    ended = speak(dialogue, *pieces, Deadline(), at=2.0)
    assert sum(isinstance(action, Finish) for action in ended) == 1
    assert isinstance(ended[-1], Finish)
    assert speak(dialogue, b"more", Deadline()) == []
