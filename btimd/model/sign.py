"""Sign: something that btimd was told or saw without asking, as evidence for a diagnosis; and changes, its suspects."""

from dataclasses import dataclass
from enum import StrEnum

from btimd.model.probe import ErrorClass, Health
from btimd.model.service import Closure
from btimd.model.units import Ratio, Seconds, UnixSeconds


class SignSource(StrEnum):
    """Where a sign came from."""

    FLOWS = "flows"
    """Connections of users, in flow records or mirrored packets."""
    PACKETS = "packets"
    """What answers of servers said, in mirrored packets."""
    SYSLOG = "syslog"
    TRAP = "trap"
    WEBHOOK = "webhook"
    SNMP = "snmp"
    """Counters and states that are polled anyway."""


@dataclass(frozen=True, slots=True)
class Sign:
    """One thing that was seen. It costs nobody anything and is weighed like the answer of a probe.

    id: the same while it is about the same thing: a later sign of the id replaces an earlier one. node: whom it is
    about. scope: OWN where it tells of the node alone (an agent's word), else what must work for it to be good, as
    with checks; region: only as users of that region see it. error: NONE where health is good. weight: 1 = as good as
    a probe's answer. lasts_seconds: how long it is worth something; its weight fades over that time.
    """

    id: str
    node: str
    health: Health
    error: ErrorClass
    text: str
    source: SignSource
    at: UnixSeconds
    scope: Closure = Closure.OWN
    region: str = ""
    weight: Ratio = 1.0
    lasts_seconds: Seconds = 60.0


@dataclass(frozen=True, slots=True)
class Change:
    """Something was changed on a node, by people or by itself (a restart, a new configuration, an interface).

    What changed lately is suspected first. source: syslog, snmp, model, person, webhook.
    """

    node: str
    text: str
    at: UnixSeconds
    source: str
