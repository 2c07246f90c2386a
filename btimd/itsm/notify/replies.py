"""Answers to orders by SMS, mail or chat: 1 accept, 2 return, 3 escalate. What comes in is a stranger's text.

Only an answer that begins with a code or a word for it counts: an order that somebody forwards or quotes, with all
its codes in it, never accepts itself.
"""
# ruff: noqa: RUF001, E501  full-width punctuation is meant; a pattern stands whole on its line

import re
import unicodedata
from typing import Final

from btimd.model.notification import ReplyAction, ReplyKind

TEXT_LIMIT: Final = 4096
"""Characters that are looked at."""
REASON_LIMIT: Final = 500
_LINES: Final = 40

_WORDS: Final = {
    ReplyKind.ACCEPT: ("接单", "接受", "收到接单", "接", "accepted", "accept", "ack", "acknowledge"),
    ReplyKind.RETURN: ("退单", "退回", "退", "returned", "return", "reject", "decline"),
    ReplyKind.ESCALATE: ("升级请求", "请求升级", "升级", "升", "escalated", "escalate"),
}
_CODES: Final = {"1": ReplyKind.ACCEPT, "2": ReplyKind.RETURN, "3": ReplyKind.ESCALATE}
_BY_WORD: Final = sorted(
    ((word, kind) for kind, words in _WORDS.items() for word in words), key=lambda pair: -len(pair[0])
)
_NUMBER: Final = re.compile(r"#\s?([0-9A-Za-z][0-9A-Za-z-]{0,39})")
_MENTION: Final = re.compile(r"^(?:@[^\s@]{1,64}\s+)+")
_QUOTE: Final = re.compile(
    r"^(?:>|\||-{2,}\s*(?:original|forwarded|原始邮件|转发)|_{5,}|on .{1,200} wrote:|在.{1,200}写道|发件人|from:|sent from)",
    re.IGNORECASE,
)
_SPLIT: Final = " \t,.:;!?，。：；！？、-—/()（）"
_INVISIBLE: Final = frozenset("\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
_INSTRUCTION: Final = re.compile(r"(?:^|[\s/,;、])[123]\s?[=:.]?\s?(?:接|退|升|accept|return|escalate)", re.IGNORECASE)
"""An order's own "1接 2退 3升", quoted."""
_GOES_ON: Final = re.compile(r"\d(?:[A-Za-z0-9_]|\s*[.,:/-]\s*\d|\s\d{1,2}(?!\d)|[月日号点时分个次台条年天位人楼%])")
"""A digit that is a part of a number, a time, a count or a word."""
_UNCLEAR: Final = re.compile(r"1[^\x00-\x7f，。：；！？、—（）]")
"""A text right behind the code for accepting, which needs none."""
_SCORE: Final = re.compile(r"(?:score|评分|满意度)\s*[:=]?\s*([1-5])(?![\d.,/])", re.IGNORECASE)
_BARE_NUMBER: Final = re.compile(r"\d{3,20}")


def parse_reply(text: str) -> ReplyAction | None:
    """Return what an answer says; None where it says nothing clear. Never raises."""
    text = text[:TEXT_LIMIT]
    lines = _own_lines(text)
    if not lines:
        return None
    found = _parse_line(lines[0])  # the first line decides: a code further down belongs to something else
    if found is None:
        return None
    kind, number, reason = found
    if not reason and kind is not ReplyKind.ACCEPT:
        reason = " ".join(" ".join(lines[1:]).split())[:REASON_LIMIT]
    if not number:  # the only order that the whole text names, a quoted one too
        named = set(_NUMBER.findall(unicodedata.normalize("NFKC", text)))
        number = named.pop() if len(named) == 1 else ""
    return ReplyAction(kind, number, reason)


def parse_score(text: str) -> int | None:
    """Return how content somebody says to be, 1 to 5: "score 4" or "评分 4" on the first line; None: they do not."""
    lines = _own_lines(text[:TEXT_LIMIT])
    found = _SCORE.match(lines[0]) if lines else None
    return int(found[1]) if found else None


def _own_lines(text: str) -> list[str]:
    """Return the lines that the person wrote: before the first quoted one, plain characters, without mentions."""
    lines = []
    for raw in text.splitlines()[:_LINES]:
        line = unicodedata.normalize("NFKC", raw)
        line = "".join(c if c.isprintable() else " " for c in line if c not in _INVISIBLE).strip()
        if _QUOTE.match(line):
            break
        line = _MENTION.sub("", line).strip()
        if line:
            lines.append(line)
    return lines


def _parse_line(line: str) -> tuple[ReplyKind, str, str] | None:
    """Return (kind, number, reason) of a line that begins with a code or a word; a number may stand before it."""
    number = ""
    before = _NUMBER.match(line)
    if before:
        number, line = before[1], line[before.end() :].strip(_SPLIT)
    head = _head(line)
    if head is None or _INSTRUCTION.search(head[1]):
        return None
    kind, rest = head
    after = _NUMBER.search(rest)
    if after and not number:
        number, rest = after[1], rest[: after.start()] + rest[after.end() :]
    rest = " ".join(rest.split()).strip(_SPLIT)
    if not number and _BARE_NUMBER.fullmatch(rest):
        number, rest = rest, ""
    return kind, number, rest[:REASON_LIMIT]


def _head(line: str) -> tuple[ReplyKind, str] | None:
    """Return what a line begins with, and what stands after it."""
    coded = _CODES.get(line[:1])
    if coded is not None:
        rest = line[1:].lstrip()
        worded = _after_word(rest.lstrip(_SPLIT))
        if worded is not None and worded[0] is coded:
            return worded
        return None if _GOES_ON.match(line) or (coded is ReplyKind.ACCEPT and _UNCLEAR.match(line)) else (coded, rest)
    return _after_word(line)


def _after_word(text: str) -> tuple[ReplyKind, str] | None:
    lowered = text.lower()
    for word, kind in _BY_WORD:
        rest = text[len(word) :]
        if not lowered.startswith(word) or (word.isascii() and rest[:1].isascii() and rest[:1].isalnum()):
            continue
        # One character of Chinese may begin any other word (接口 = interface): it must stand alone.
        if len(word) == 1 and rest and rest[0] not in _SPLIT + "#":
            continue
        return kind, rest
    return None
