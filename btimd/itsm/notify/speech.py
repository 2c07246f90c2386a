"""Text for a voice: numbers digit by digit, times as they are said, no signs that a machine spells out."""

import re
from typing import Final

_ZH: Final = dict(zip("0123456789", "零一二三四五六七八九", strict=True))
_EN: Final = dict(
    zip("0123456789", ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"), strict=True)
)
_DATE: Final = re.compile(r"(?<!\d)(?:\d{4}-)?(\d{2})-(\d{2}) (?=\d{2}:\d{2}(?!\d))")
_TIME: Final = re.compile(r"(?<!\d)(\d{2}):(\d{2})(?!\d)")
_DIGITS: Final = re.compile(r"[0-9]+")
_PRIORITY: Final = re.compile(r"^P([1-5])$")
_SIGNS: Final = str.maketrans(dict.fromkeys('#*_[]{}<>|\\^~`"=+&@', " "))


def spoken_digits(text: str, language: str) -> str:
    """Return a text as it is to be read out.

    Digits are read one by one (an order 4711 is four seven one one, not a quantity); a time keeps its numbers, which
    a voice reads as such.
    """
    zh = language == "zh"
    priority = _PRIORITY.match(text)
    if priority:
        return f"{_ZH[priority[1]]}级" if zh else f"priority {_EN[priority[1]]}"
    text = text.translate(_SIGNS)
    kept: list[str] = []

    def keep(said: str) -> str:
        kept.append(said)
        return "\ue000" * len(kept) + "\ue001"  # private characters stand for it until the digits are done

    text = text.replace("\ue000", " ").replace("\ue001", " ")
    text = _DATE.sub(
        lambda m: keep(f"{int(m[1])}月{int(m[2])}日" if zh else f"{int(m[2])} of month {int(m[1])}, "), text
    )
    text = _TIME.sub(lambda m: keep(_time(int(m[1]), int(m[2]), zh=zh)), text)
    text = _DIGITS.sub(lambda m: _one_by_one(m[0], zh=zh), text)
    for index in range(len(kept), 0, -1):
        text = text.replace("\ue000" * index + "\ue001", kept[index - 1])
    return " ".join(text.split())


def _time(hour: int, minute: int, *, zh: bool) -> str:
    if zh:
        return f"{hour}点" + (f"{minute}分" if minute else "")
    return f"{hour} {minute:02d}" if minute else f"{hour} o'clock"


def _one_by_one(digits: str, *, zh: bool) -> str:
    return "".join(_ZH[digit] for digit in digits) if zh else " " + " ".join(_EN[digit] for digit in digits) + " "
