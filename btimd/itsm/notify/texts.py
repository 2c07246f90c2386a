"""The text of a notice for each means: short for SMS, whole for mail and chat, spoken for voice."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

from btimd.itsm.notify import words
from btimd.itsm.notify.sms import alphabet_of, fitted, shortened, size_of
from btimd.itsm.notify.speech import spoken_digits
from btimd.itsm.notify.templates import filled
from btimd.model.notification import Means, NoticeKind, Order, Recipient
from btimd.model.units import UnixSeconds

SUBJECT_LIMIT: Final = 120
TEXT_LIMIT: Final = 4000
_SPOKEN_LIMIT: Final = 60
_FIELD_LIMIT: Final = 1000
_NUMBERS: Final = 200  # of orders, listed in one text
_CUT_FIRST: Final = ("description", "title", "reporter", "source", "business")
"""What a short text loses, first to last; limits, number and codes it never loses."""
_WITH_ANSWER: Final = frozenset({NoticeKind.ORDER, NoticeKind.REMINDER})
_FIELDS: Final[Mapping[NoticeKind, tuple[str, ...]]] = {
    NoticeKind.STATUS: ("business", "status", "title", "occurred", "region", "number"),
    NoticeKind.ANSWER: ("number", "status"),
    NoticeKind.TEST: ("number",),
}
_ALL_FIELDS: Final = (
    "business",
    "title",
    "description",
    "source",
    "occurred",
    "reporter",
    "accept_by",
    "resolve_due",
    "region",
    "users",
    "cause",
    "number",
)
_HEADED: Final = frozenset({NoticeKind.ANSWER, NoticeKind.TEST})
"""About no business: the subject says only what it is."""  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wording:
    """An operator's own templates: by language, then means, for orders and reminders. sms_parts: at most so many."""

    templates: Mapping[str, Mapping[Means, str]] = field(default_factory=lambda: MappingProxyType({}))
    sms_parts: int = 2


@dataclass(frozen=True, slots=True)
class Written:
    """A text ready to be sent. subject: one line, of means that have one."""

    subject: str
    text: str


def plain(text: str, limit: int = _FIELD_LIMIT) -> str:
    """Return others' text as one line of printable characters, not longer than `limit`."""
    cleaned = "".join(c if c.isprintable() else " " for c in text[: limit * 4])
    return shortened(" ".join(cleaned.split()), limit, "…")


def moment(at: UnixSeconds | None, now: UnixSeconds, zone: str, language: str) -> str:
    """Return a time as people say it: the hour today, with the date on other days."""
    if at is None:
        return words.NO_LIMIT[language]
    local, today = datetime.fromtimestamp(at, ZoneInfo(zone)), datetime.fromtimestamp(now, ZoneInfo(zone))
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return f"{local:%m-%d %H:%M}" if local.year == today.year else f"{local:%Y-%m-%d %H:%M}"


def values_of(order: Order, person: Recipient, now: UnixSeconds) -> dict[str, str]:
    """Return what the names of templates stand for (words.PLACEHOLDERS)."""
    language = language_of(person)
    unknown = words.UNKNOWN[language]
    statuses = {**words.STATUS[language], **words.NEWS[language]}
    return {
        "priority": order.priority.name,
        "business": plain(order.business, 80) or words.NO_BUSINESS[language],
        "title": plain(order.title, 200),
        "description": plain(order.description),
        "source": plain(order.source, 40) or unknown,
        "reporter": plain(order.reporter, 40) or unknown,
        "occurred": moment(order.occurred_at, now, person.timezone, language),
        "accept_by": moment(order.accept_by, now, person.timezone, language),
        "resolve_due": moment(order.resolve_due_at, now, person.timezone, language),
        "number": plain(order.number, 40),
        "region": plain(order.region, 80) or unknown,
        "users": unknown if order.users is None else str(order.users),
        "cause": plain(order.cause, 200) or unknown,
        "person": plain(person.name, 40),
        "status": statuses.get(order.status, plain(order.status, 160)),
        "incident": plain(order.incident_id, 80),
    }


def language_of(person: Recipient) -> str:
    """Return the language a person is written to in."""
    return person.language if person.language in words.LANGUAGES else words.LANGUAGES[0]


def write(
    kind: NoticeKind, means: Means, order: Order, person: Recipient, *, now: UnixSeconds, wording: Wording
) -> Written:
    """Return the text for one means."""
    language = language_of(person)
    values = values_of(order, person, now)
    own = wording.templates.get(language, {}).get(means) if kind in _WITH_ANSWER else None
    subject = _headline(kind, values, language)
    if means is Means.SCREEN:
        return Written(subject, _one_line(own or words.SHORT[language][kind], values))
    if means is Means.SMS:
        template = own or words.SHORT[language][kind]
        text = fitted(lambda held: _one_line(template, held), _narrow(values), _CUT_FIRST, wording.sms_parts)
        return Written(subject, text)
    if means is Means.VOICE:
        return Written(subject, _voice(own or words.SPOKEN[language][kind], values, language))
    if kind is NoticeKind.TEST:
        return Written(subject, _one_line(words.SHORT[language][kind], values))
    return Written(subject, filled(own, values)[:TEXT_LIMIT] if own else _whole(kind, values, language))


def _one_line(template: str, values: Mapping[str, str]) -> str:
    return " ".join(filled(template, values).split())


def _narrow(values: Mapping[str, str]) -> dict[str, str]:
    """Return values without characters that would double the price of a message written in GSM-7 otherwise."""
    changes = str.maketrans({"…": "..", "–": "-", "—": "-", "“": '"', "”": '"', "’": "'", "‘": "'", "\xa0": " "})  # noqa: RUF001
    return {
        name: (narrow if alphabet_of(narrow := value.translate(changes)) == "gsm7" else value)
        for name, value in values.items()
    }


def _headline(kind: NoticeKind, values: Mapping[str, str], language: str) -> str:
    head = words.HEADLINE[language][kind]
    if kind in _HEADED:
        return f"{head} #{values['number']}" if values["number"] else head
    head += words.COLON[language]
    text = f"[{values['priority']}] {head}{values['business']} {values['title']} #{values['number']}"
    over = len(text) - SUBJECT_LIMIT
    if over > 0:  # the number at the end is what an answer is matched by
        title = shortened(values["title"], max(len(values["title"]) - over - 1, 0), "…")
        text = f"[{values['priority']}] {head}{values['business']} {title} #{values['number']}"
    return text


def _whole(kind: NoticeKind, values: Mapping[str, str], language: str) -> str:
    labels, colon = words.LABELS[language], words.COLON[language]
    lines = [words.HEADLINE[language][kind]]
    if kind not in _HEADED:
        lines = [f"[{values['priority']}] {lines[0]}"]
    if kind is NoticeKind.NEWS:
        lines[0] += f"{colon}{values['status']}"
    number = f"#{values['number']}" if values["number"] else ""  # an answer that quotes it is matched by the sign
    values = {**values, "number": number}
    lines += [f"{labels[name]}{colon}{values[name]}" for name in _FIELDS.get(kind, _ALL_FIELDS) if values[name]]
    if kind in _WITH_ANSWER:
        lines += ["", words.HOW_TO_ANSWER[language]]
    return "\n".join(lines)


def _voice(template: str, values: Mapping[str, str], language: str) -> str:
    said = {name: spoken_digits(shortened(value, _SPOKEN_LIMIT, ""), language) for name, value in values.items()}
    return _one_line(template, said)


def folded(numbers: Sequence[str], language: str, *, sms_parts: int | None = None) -> str:
    """Return one text for several orders: how many, and as many whole numbers as fit; ".." where some are left out."""
    shown = [f"#{plain(number, 40)}" for number in numbers[:_NUMBERS]]

    def said(count: int) -> str:
        more = [] if count == len(numbers) else [".."]
        listed = " ".join([*shown[:count], *more])
        return filled(words.FOLDED[language], {"count": str(len(numbers)), "numbers": listed})

    count = len(shown)
    while sms_parts is not None and count > 0 and size_of(said(count)).parts > sms_parts:
        count -= 1
    return said(count)
