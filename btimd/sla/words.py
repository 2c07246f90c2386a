"""What was kept of an agreement in words without technical terms, in English and Chinese."""
# ruff: noqa: RUF001  the Chinese texts have Chinese punctuation

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Final, Literal, TypeAlias

from btimd.model.agreement import Agreement, PeriodFigures, PeriodKind
from btimd.model.sla import SlaStatus
from btimd.model.units import Seconds

Language: TypeAlias = Literal["zh", "en"]
_MINUTE: Final = 60
_HOUR: Final = 3600

_TEXTS: Final[Mapping[Language, Mapping[str, str]]] = MappingProxyType({
    "en": {
        "worked": "{title}: in {period} it could be used {kept} of the agreed time. {promised} was promised.",
        "nothing": "{title}: in {period} nothing was measured. {promised} was promised.",
        "met": "The promise is kept.",
        "at-risk": "The promise is kept so far, but it is in danger: {left} of failure are left in this period.",
        "breached": "The promise is broken.",
        "unmeasured": "Nothing can be said yet.",
        "no-failures": "There was no failure.",
        "failures": "It failed {count} and could not be used for {down} in all, {mean} each time on average.",
        "times-one": "once",
        "times": "{n} times",
        "planned": "{time} of that was planned.",
        "supplier": "{time} of that was caused by {name}.",
        "users": "Users together lost about {time} of work.",
        "users-least": "Users together lost {time} of work or more.",
        "unknown": "For {time} of the agreed time it is not known whether it could be used.",
        "maintenance": "{time} of agreed maintenance do not count.",
        "minutes": "{n} min", "hours": "{h} h {m} min", "seconds": "{n} s", "days": "{d} days {h} h",
        "week": "the week from {y}-{m:02}-{d:02}", "month": "{y}-{m:02}", "quarter": "quarter {q} of {y}",
        "year": "{y}",
    },
    "zh": {
        "worked": "{title}：{period}约定服务时间内可正常使用的比例为 {kept}，承诺为 {promised}。",
        "nothing": "{title}：{period}没有测量数据，承诺为 {promised}。",
        "met": "承诺已兑现。",
        "at-risk": "目前承诺仍可兑现，但有风险：本期允许的中断时间还剩 {left}。",
        "breached": "承诺未兑现。",
        "unmeasured": "目前还无法判断。",
        "no-failures": "期间没有发生中断。",
        "failures": "共中断 {count}，合计 {down}无法使用，平均每次 {mean}。",
        "times-one": "1 次",
        "times": "{n} 次",
        "planned": "其中 {time}为计划内停机。",
        "supplier": "其中 {time}由{name}造成。",
        "users": "用户合计损失工作时间约 {time}。",
        "users-least": "用户合计损失工作时间至少 {time}。",
        "unknown": "约定服务时间内有 {time}无法确定是否可用。",
        "maintenance": "约定的维护时间 {time}不计入。",
        "minutes": "{n} 分钟", "hours": "{h} 小时 {m} 分钟", "seconds": "{n} 秒", "days": "{d} 天 {h} 小时",
        "week": "{y} 年 {m} 月 {d} 日起的一周", "month": "{y} 年 {m} 月", "quarter": "{y} 年第 {q} 季度",
        "year": "{y} 年",
    },
})  # fmt: skip


def report(agreement: Agreement, figures: PeriodFigures, language: Language, *, subject_name: str = "") -> str:
    """Return the sentences for one subject and period. subject_name: what users call it, else the agreement's title."""
    texts = _TEXTS[language]
    title = (agreement.title_zh if language == "zh" else agreement.title) or agreement.title or agreement.name
    known = {
        "title": subject_name or title,
        "period": period_in_words(agreement, figures, language),
        "promised": f"{agreement.availability_percent:g} %",
    }
    if figures.availability is None:
        parts = [texts["nothing"].format(**known)]
    else:
        parts = [texts["worked"].format(**known, kept=percent(figures.availability, agreement.availability_percent))]
        left = max(figures.error_budget_seconds - figures.down_seconds, 0.0)
        parts.append(texts[figures.status].format(left=span_in_words(left, language)))
        parts += _failures(figures, language)
    if figures.unknown_seconds >= 1:
        parts.append(texts["unknown"].format(time=span_in_words(figures.unknown_seconds, language)))
    if figures.excluded_seconds >= 1:
        parts.append(texts["maintenance"].format(time=span_in_words(figures.excluded_seconds, language)))
    return ("" if language == "zh" else " ").join(parts)


def _failures(figures: PeriodFigures, language: Language) -> list[str]:
    texts = _TEXTS[language]
    if not figures.failures:
        return [texts["no-failures"]] if figures.status is not SlaStatus.UNMEASURED else []
    count = texts["times-one"] if figures.failures == 1 else texts["times"].format(n=figures.failures)
    down = span_in_words(figures.down_seconds, language)
    mean = span_in_words(figures.mttr_seconds or 0.0, language)
    parts = [texts["failures"].format(count=count, down=down, mean=mean)]
    if figures.planned_down_seconds >= 1:
        parts.append(texts["planned"].format(time=span_in_words(figures.planned_down_seconds, language)))
    parts += [
        texts["supplier"].format(time=span_in_words(one.down_seconds, language), name=one.key)
        for one in figures.by_supplier
        if one.key
    ]
    if figures.user_minutes_lost >= 1:
        whole = figures.user_minutes_exact and figures.user_minutes_coverage == 1.0
        time = span_in_words(figures.user_minutes_lost * _MINUTE, language)
        parts.append(texts["users" if whole else "users-least"].format(time=time))
    return parts


def percent(ratio: float, promised: float) -> str:
    """Return a share with as many digits as tell it from the promise, never rounded up to a promise it misses."""
    for digits in range(2, 7):
        shown = f"{ratio * 100.0:.{digits}f}"
        if (float(shown) >= promised) == (ratio * 100.0 >= promised) and (ratio >= 1.0 or float(shown) < 100.0):  # noqa: PLR2004  a percentage
            return f"{shown} %"
    return f"{ratio * 100.0:.6f} %"


def span_in_words(seconds: Seconds, language: Language) -> str:
    """Return a length of time in the two largest units that matter."""
    texts = _TEXTS[language]
    if seconds < _MINUTE:
        return texts["seconds"].format(n=round(seconds))
    minutes = round(seconds / _MINUTE)
    if minutes < _MINUTE:
        return texts["minutes"].format(n=minutes)
    hours, minutes = divmod(minutes, 60)
    if hours < 4 * 24:
        return texts["hours"].format(h=hours, m=minutes)
    return texts["days"].format(d=hours // 24, h=hours % 24)


def period_in_words(agreement: Agreement, figures: PeriodFigures, language: Language) -> str:
    """Return the name of the period."""
    first = datetime.fromtimestamp(figures.period_start, agreement.zone)
    return _TEXTS[language][PeriodKind(agreement.period)].format(
        y=first.year, m=first.month, d=first.day, q=(first.month + 2) // 3
    )
