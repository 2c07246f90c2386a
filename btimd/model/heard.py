"""What btimd was told without asking: a device's message, an alert of another system, a change that somebody made."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import NodeKind
from btimd.model.sign import SignSource
from btimd.model.units import Ratio, Seconds, UnixSeconds


@dataclass(frozen=True, slots=True)
class Told:
    """A message that a rule has understood, before it is known which node it is about.

    sender: address it came from, or name of who was let in. hosts: names and addresses of what it is about, the most
    telling first. node: the node itself, where the rule says. kinds: which nodes of a host it is about, the likeliest
    first. health: None = a change; UNKNOWN = what was told before of this subject is over. subject: what of the node it
    is about, so that a later message replaces an earlier one. rule: which one matched. severity: in the sender's words.
    """

    source: SignSource
    sender: str
    hosts: tuple[str, ...]
    rule: str
    text: str
    at: UnixSeconds
    health: Health | None
    error: ErrorClass = ErrorClass.NONE
    node: str = ""
    kinds: tuple[NodeKind, ...] = ()
    subject: str = ""
    interface: str = ""
    weight: Ratio = 0.8
    lasts_seconds: Seconds = 600.0
    severity: str = ""


class HeardAs(StrEnum):
    """What became of something heard."""

    GOOD = "good"
    BAD = "bad"
    OVER = "over"
    """It takes back what was told before."""
    CHANGE = "change"
    NO_RULE = "no-rule"
    """No rule understood it."""
    NO_NODE = "no-node"
    """It was understood, and no node of the model has that name or address."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One line of the list of what was heard lately. node: "" where none was found."""

    at: UnixSeconds
    source: str
    sender: str
    heard_as: HeardAs
    node: str
    rule: str
    text: str


@dataclass(frozen=True, slots=True)
class Sender:
    """How much somebody sent: what was understood, what no rule understood, what is about no node."""

    source: str
    sender: str
    matched: int
    no_rule: int
    no_node: int
    last_at: UnixSeconds
    last_unmatched: str


class EventsView(Protocol):
    """What was heard, and the way to say that something was changed."""

    def heard(self, *, limit: int, node: str | None = None, heard_as: HeardAs | None = None) -> Sequence[Heard]:
        """Return what was heard lately, the latest first."""
        ...

    def senders(self) -> Sequence[Sender]:
        """Return who sent, those first of whom most was not understood."""
        ...

    def record_change(self, node: str, text: str, actor: str) -> Heard:
        """Take a change that somebody tells of; raises KeyError for a node that does not exist."""
        ...
