"""Deviations in sentences."""

from collections.abc import Sequence
from typing import Final

from btimd.model.deviation import ALL, Deviation, DeviationKind, Indicator

_BITS: Final = ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s"), (1.0, "bit/s"))
_NAMES: Final = {
    Indicator.TRAFFIC: ("traffic", "流量"),
    Indicator.USERS: ("users", "在线用户"),
    Indicator.FAILURES: ("failed connections", "连接失败率"),
    Indicator.HANDSHAKE: ("handshake time", "握手时延"),
    Indicator.RESPONSE: ("response time", "响应时间"),
    Indicator.RETRANSMISSION: ("retransmission", "重传率"),
    Indicator.FLOWS: ("flows", "流数"),
}


def amount(indicator: Indicator, value: float) -> str:
    """Return a value with its unit: "41 Mbit/s", "120 users", "3.1 %", "18 ms"."""
    if indicator is Indicator.TRAFFIC:
        size, unit = next((one for one in _BITS if value >= one[0]), _BITS[-1])
        return f"{value / size:.3g} {unit}"
    if indicator is Indicator.USERS:
        return f"{value:.0f} users"
    if indicator is Indicator.FLOWS:
        return f"{value:.0f} flows"
    if indicator in {Indicator.FAILURES, Indicator.RETRANSMISSION}:
        return f"{100 * value:.2g} %"
    return f"{value:.3g} s" if value >= 1 else f"{1000 * value:.3g} ms"


def _usual(deviation: Deviation) -> str:
    if deviation.kind is DeviationKind.DROP and deviation.value >= deviation.low:  # together with others it is too low
        return f"about {amount(deviation.indicator, deviation.expected)}"
    low, high = (amount(deviation.indicator, one) for one in (deviation.low, deviation.high))
    if deviation.low <= 0:
        return f"up to {high}"
    number, _, unit = low.partition(" ")
    return f"{number} to {high}" if high.endswith(unit) else f"{low} to {high}"


def _subject(deviation: Deviation) -> str:
    if deviation.business == ALL:
        return f"{len(deviation.regions)} businesses at once"
    if deviation.region != ALL:
        return f"{deviation.business}, region {deviation.region or 'unknown'}"
    if deviation.regions:
        return f"{deviation.business}, {len(deviation.regions)} regions"
    return f"{deviation.business}, all regions"


def text_of(deviation: Deviation, also: Sequence[tuple[Indicator, float, float]] = ()) -> str:
    """Return what deviates in a plain sentence with its numbers. also: of other indicators the value and the usual."""
    name, value = _NAMES[deviation.indicator][0], amount(deviation.indicator, deviation.value)
    subject = _subject(deviation)
    first = f" (first of them: {deviation.regions[0]})" if deviation.business == ALL and deviation.regions else ""
    match deviation.kind:
        case DeviationKind.NO_DATA:
            return f"{subject}: no data, as who reports its traffic is silent; nothing is known of it"
        case DeviationKind.SILENCE:
            expected = amount(deviation.indicator, deviation.expected)
            return f"{subject}: no {name} at all{first}, usual at this time {expected}"
        case DeviationKind.CHANGE:
            expected = amount(deviation.indicator, deviation.expected)
            return f"{subject}: {name} for hours at {value}{first}, usual at this time about {expected}"
        case DeviationKind.DRIFT:
            expected = amount(deviation.indicator, deviation.expected)
            return f"{subject}: {name} has drifted over weeks{first}, now {value}, earlier about {expected}"
    if value.endswith(f" {name}"):  # "12 users"
        name = ""
    named = f"{name} {value}".strip()
    others = "".join(f"; {amount(one, now)}, about {amount(one, usual)}" for one, now, usual in also)
    return f"{subject}: {named}{first}, usual at this time {_usual(deviation)}{others}"


def text_zh_of(deviation: Deviation) -> str:
    """Return the same in Chinese, in short."""
    name = _NAMES[deviation.indicator][1]
    value = amount(deviation.indicator, deviation.value)
    expected = amount(deviation.indicator, deviation.expected)
    if deviation.business == ALL:
        subject = f"{len(deviation.regions)} 个业务"
    else:
        subject = deviation.business if deviation.region == ALL else f"{deviation.business} / {deviation.region}"
    words = {
        DeviationKind.DROP: f"{name}突降至 {value},通常约 {expected}",
        DeviationKind.RISE: f"{name}突升至 {value},通常约 {expected}",
        DeviationKind.SILENCE: f"{name}中断,通常约 {expected}",
        DeviationKind.CHANGE: f"{name}持续偏离,现为 {value},通常约 {expected}",
        DeviationKind.DRIFT: f"{name}缓慢变化,现为 {value},此前约 {expected}",
        DeviationKind.NO_DATA: "无数据:流量上报已中断",
    }
    return f"{subject}:{words[deviation.kind]}"


def cleared_text(deviation: Deviation, now: float, *, part_of_wider: bool) -> str:
    """Return why a deviation is no longer told."""
    if part_of_wider:
        return "is part of a wider deviation now"
    minutes = (now - deviation.since) / 60
    lasted = f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"  # noqa: PLR2004  people count so
    return f"over after {lasted}"
