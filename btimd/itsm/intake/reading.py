"""Mail, message or words of a person -> Report: what it is about, what makes it the same cause, what it clears."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from btimd.itsm.intake.classify import ClassRule, FindNode, classify, matched
from btimd.itsm.intake.mail import MOST_SUBJECT, MOST_TEXT, Mail, clean
from btimd.itsm.intake.templates import SEVERITIES, Reading, Template, Tried, explain, read_with
from btimd.model.heard import Told
from btimd.model.probe import Health
from btimd.model.report import (
    Report,
    ReportChannel,
    ReportSeverity,
    ReportSignal,
    report_id,
)
from btimd.model.sign import SignSource
from btimd.model.units import UnixSeconds

_PREFIXES: Final = re.compile(
    r"(?:(?:re|fw|fwd|aw|wg|tr|sv|回复|答复|转发)(?:\[\d{1,3}\])?\s?[:\uff1a]\s?|\[[^\]]{1,20}\]\s?)+", re.IGNORECASE
)
_NUMBER: Final = re.compile(r"\d+(?:[.,:/-]\d+)*")
_SHORT: Final = 200
_MOST_KEY: Final = 1000
_CHANNELS: Final = {
    SignSource.SYSLOG: ReportChannel.SYSLOG,
    SignSource.TRAP: ReportChannel.TRAP,
    SignSource.WEBHOOK: ReportChannel.WEBHOOK,
}


@dataclass(frozen=True, slots=True)
class Reader:
    """What reports are read with. templates, classes: in the order in which they are tried.

    opens: channels whose reports may open incidents where no class says otherwise.
    """

    templates: Sequence[Template]
    classes: Sequence[ClassRule]
    find: FindNode
    opens: frozenset[ReportChannel] = frozenset(ReportChannel)

    def mail(self, mail: Mail, now: UnixSeconds) -> Report:
        """Return the report that a mail is."""
        return self._of_mail(mail, read_with(self.templates, mail), now)

    def explain(self, mail: Mail, now: UnixSeconds) -> tuple[Report, tuple[Tried, ...]]:
        """Return the report that a mail is, and what came of every template that was tried."""
        reading, tried = explain(self.templates, mail)
        return self._of_mail(mail, reading, now), tried

    def told(self, told: Told, identity: str = "") -> Report:
        """Return the report that an understood message is. identity: the sender's own id of it, as webhooks have."""
        channel = _CHANNELS.get(told.source, ReportChannel.WEBHOOK)
        host = told.node or (told.hosts[0] if told.hosts else told.sender)
        if told.health is None:
            signal = ReportSignal.INFO
        else:
            signal = ReportSignal.PROBLEM if told.health is Health.BAD else ReportSignal.CLEAR
        check = told.subject or told.rule
        # Without an id of its own, a message is the same when it says the same in the same second.
        key = (
            identity
            or f"{told.sender} {int(told.at)} {told.rule} {told.node} {host} {signal} {told.subject} {told.text}"
        )
        return self.finished(
            Report(
                id="",
                channel=channel,
                source=told.sender,
                reporter="",
                received_at=told.at,
                key=key,
                signal=signal,
                title=told.text,
                text=told.text,
                host=host,
                check=check,
                severity=_severity(told, signal),
                template=told.rule,
            ),
            tuple(name for name in (told.node, *told.hosts, told.sender) if name),
            told.sender,
        )

    def manual(
        self,
        *,
        key: str,
        reporter: str,
        title: str,
        now: UnixSeconds,
        text: str = "",
        node: str = "",
        business: str = "",
        severity: ReportSeverity = ReportSeverity.UNKNOWN,
    ) -> Report:
        """Return what somebody tells in one call; only the title is needed. key: the command's id.

        The fingerprint is of node or business, and title: a second person who tells the same adds to the first.
        """
        return self.finished(
            Report(
                id="",
                channel=ReportChannel.MANUAL,
                source=reporter,
                reporter=reporter,
                received_at=now,
                key=key,
                signal=ReportSignal.PROBLEM,
                title=title,
                text=text or title,
                business=business,
                host=node,
                check=_plain(title),
                severity=severity,
            ),
            (node,) if node else (),
            f"business {business}" if business else "",
        )

    def _of_mail(self, mail: Mail, reading: Reading | None, now: UnixSeconds) -> Report:
        fields = {} if reading is None else dict(reading.fields)
        host = fields.get("host") or fields.get("address") or ""
        check = fields.get("service", "")
        told = fields.get("title") or (
            f"{check}: {mail.subject}" if check and check not in mail.subject else mail.subject
        )
        report = Report(
            id="",
            channel=ReportChannel.EMAIL,
            source=mail.sender,
            reporter=mail.sender if reading is None else "",
            received_at=now,
            key=mail.key,
            signal=ReportSignal.PROBLEM if reading is None else reading.signal,
            title=told.strip() or (mail.text.strip().partition("\n")[0]) or "mail without a subject",
            text=mail.text,
            severity=ReportSeverity.UNKNOWN if reading is None else reading.severity,
            host=host,
            check=check or ("" if reading is not None and host else _plain(mail.subject)),
            origin_id=fields.get("id", ""),
            template="" if reading is None else reading.template,
            occurred_at=fields.get("time", mail.date),
            attachments=mail.attachments,
            cut=mail.cut,
        )
        system = mail.sender if reading is None else reading.system or mail.sender
        return self.finished(report, [fields[name] for name in ("host", "address") if name in fields], system)

    def finished(self, report: Report, names: Sequence[str], system: str) -> Report:
        """Return the report with node, fingerprint, class and id; its texts bounded and clean.

        Other systems' events name their problem exactly; in what people and devices write, figures do not count.
        """
        exact = report.channel is ReportChannel.WEBHOOK
        tidy = replace(
            report,
            source=_line(report.source, 254),
            reporter=_line(report.reporter, 254),
            title=_line(report.title, MOST_SUBJECT),
            text=clean(report.text)[:MOST_TEXT],
            cut=report.cut + max(0, len(report.text) - MOST_TEXT),
            business=_line(report.business, 255),
            host=_line(report.host, 255),
            check=_line(report.check, 255),
            occurred_at=_line(report.occurred_at, 64),
            key=_key(report.key),
            opens=report.channel in self.opens,
        )
        found, kind = matched(tidy, names, self.find)
        marked = replace(
            found,
            id=report_id(found.channel, found.key),
            fingerprint=found.fingerprint or fingerprint(system, found.node, found.host, found.check, exact=exact),
        )
        return classify(marked, self.classes, kind)


def fingerprint(system: str, node: str, host: str, check: str, *, exact: bool = False) -> str:
    """Return what makes two reports one cause: system, where, what. A node of the model stands for all its names.

    exact: figures in the check count.
    """
    where = f"node {node}" if node else " ".join(host.lower().split())
    parts = (_line(system, _SHORT).lower(), where, check.lower() if exact else _plain(check))
    return "report|" + "|".join(part.replace("|", "/")[:_SHORT] for part in parts)


def cleared_by(clear: Report, problems: Iterable[Report]) -> list[Report]:
    """Return the problems that a report clears: the one with the sender's own number, else those of the fingerprint."""
    open_ = [one for one in problems if one.signal is ReportSignal.PROBLEM]
    if clear.origin_id:
        same = [
            one
            for one in open_
            if one.origin_id == clear.origin_id and (one.source, one.template) == (clear.source, clear.template)
        ]
        if same:
            return same
    return [one for one in open_ if one.fingerprint == clear.fingerprint]


def _plain(text: str) -> str:
    """Return words that stay the same from mail to mail: no answers' prefixes, one sign for every number alone."""
    return _NUMBER.sub("#", _PREFIXES.sub("", _line(text, MOST_SUBJECT).lower(), count=1))


def _severity(told: Told, signal: ReportSignal) -> ReportSeverity:
    if signal is not ReportSignal.PROBLEM:
        return ReportSeverity.INFO
    return SEVERITIES.get(told.severity.lower(), ReportSeverity.HIGH)


def _line(text: str, most: int) -> str:
    return " ".join(clean(text[: most * 4]).split())[:most]


def _key(key: str) -> str:
    cleaned = clean(key)
    if len(cleaned) <= _MOST_KEY and cleaned == key:
        return key
    return "sha256:" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
