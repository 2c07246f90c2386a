"""The mail of a notice: plain text, headers that others' text cannot add to, answers that find their order."""

import re
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from btimd.itsm.notify.texts import SUBJECT_LIMIT, plain
from btimd.model.incident import Priority
from btimd.model.notification import Notice
from btimd.model.units import UnixSeconds

_MAILBOX: Final = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?")
_ID: Final = re.compile(r"[^A-Za-z0-9.-]")


def check_mailbox(address: str) -> str:
    """Return a mailbox (RFC 5321 section 4.1.2, without quoted parts and other alphabets); raises ValueError."""
    if not _MAILBOX.fullmatch(address) or ".." in address:
        raise ValueError(f"{address!r} is no mailbox; write name@domain in ASCII")
    return address


def message_of(notice: Notice, *, sender: str, sender_name: str, reply_to: str, now: UnixSeconds) -> EmailMessage:
    """Return the mail; raises ValueError where the person's address is none.

    Message-ID is made of the notice's id: a repeat is the same mail. All mails of an incident refer to one id that
    no mail has, by which readers keep them together.
    """
    domain = sender.rpartition("@")[2]
    to = check_mailbox(notice.address)
    message = EmailMessage(policy=SMTP)
    user, _, host = sender.rpartition("@")
    message["From"] = Address(plain(sender_name, 60), user, host)
    message["To"] = Address("", *to.rsplit("@", 1))
    message["Subject"] = plain(notice.subject, SUBJECT_LIMIT)
    message["Date"] = format_datetime(datetime.fromtimestamp(now, UTC))
    message["Message-ID"] = f"<{_ID.sub('-', notice.id)[:100]}@{domain}>"
    thread = f"<incident-{_ID.sub('-', notice.incident_id)[:100]}@{domain}>"
    message["In-Reply-To"] = thread
    message["References"] = thread
    if reply_to:
        message["Reply-To"] = Address("", *reply_to.rsplit("@", 1))
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"
    message["X-BTIM-Incident"] = plain(notice.incident_id, 80) or "none"  # our own intake takes no such mail
    message["X-Btimd-Number"] = plain(notice.number, 40)
    if notice.priority <= Priority.P2:
        message["Importance"] = "high"
    message.set_content(notice.text, charset="utf-8", cte="base64")  # not every server takes eight bits
    return message
