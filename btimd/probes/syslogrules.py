"""Which syslog messages mean something, and what: a table for common devices and systems, and the operator's own rules.

The operator's rules go first. Messages that no rule understands are counted by sender, and mean nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from btimd.model.heard import Told
from btimd.model.probe import ErrorClass, Health
from btimd.model.service import NodeKind
from btimd.model.sign import SignSource
from btimd.model.units import Seconds, UnixSeconds
from btimd.probes.wire.syslogmessage import SyslogMessage

_MOST_TEXT: Final = 400
_MOST_SEARCHED: Final = 2048


@dataclass(frozen=True, slots=True)
class SyslogRule:
    """What a message means that looks like this.

    pattern: searched for in "MNEMONIC APP: TEXT", in any case. Its groups `subject` and `interface` say what of the
    node it is about. severity_at_most: only messages so severe or more (0 = emergency). sender: regular expression of
    the sender's address or the message's host name, "" = anybody's. health: None = a change, UNKNOWN = it is over.
    text: what to show instead of the message, "" = the message. subject: what an end takes back; as the group says.
    """

    id: str
    pattern: re.Pattern[str]
    health: Health | None
    error: ErrorClass = ErrorClass.EXCEEDED
    kinds: tuple[NodeKind, ...] = ()
    node: str = ""
    subject: str = ""
    text: str = ""
    sender: re.Pattern[str] | None = None
    severity_at_most: int = 7
    lasts_seconds: Seconds = 600.0
    weight: float = 0.8


def searched(message: SyslogMessage) -> str:
    """Return the line that patterns are searched in."""
    head = " ".join(part for part in (message.message_id, message.app) if part)
    return (f"{head}: {message.text}" if head else message.text)[:_MOST_SEARCHED]


def understand(message: SyslogMessage, sender: str, now: UnixSeconds, rules: Sequence[SyslogRule]) -> Told | None:
    """Return what a message means by the first rule that matches; None where none does."""
    line = searched(message)
    for one in rules:
        if message.severity > one.severity_at_most:
            continue
        if one.sender is not None and not (one.sender.search(sender) or one.sender.search(message.host)):
            continue
        found = one.pattern.search(line)
        if found is None:
            continue
        groups = found.groupdict()
        interface = groups.get("interface") or ""
        detail = groups.get("subject") or groups.get("named") or interface
        subject = one.subject or one.id
        return Told(
            source=SignSource.SYSLOG,
            sender=sender,
            hosts=tuple(dict.fromkeys(host for host in (message.host, sender) if host)),
            rule=one.id,
            text=(one.text or line)[:_MOST_TEXT],
            at=now,
            health=one.health,
            error=one.error if one.health is Health.BAD else ErrorClass.NONE,
            node=one.node,
            kinds=one.kinds,
            subject=f"{subject} {detail.strip(',.:;')}" if detail else subject,
            interface=interface.strip(",.:;"),
            weight=one.weight,
            lasts_seconds=one.lasts_seconds,
        )
    return None
