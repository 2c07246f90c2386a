"""Chat robots: what each wants to be posted, how it is signed, and what its answer means. Pure; post.py sends.

As published by their makers: WeCom group robot (developer.work.weixin.qq.com/document/path/91770), DingTalk custom
robot (open.dingtalk.com: custom robot access, security settings), Feishu custom bot (open.feishu.cn: add a custom
bot), Slack incoming webhooks (api.slack.com/messaging/webhooks), Teams workflows (adaptive card in a message).
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final
from urllib.parse import quote, urlsplit

from btimd.itsm.notify.answers import Request, SendResult, by_status, parsed, said
from btimd.itsm.notify.sms import clusters, shortened
from btimd.itsm.outbox import Outcome, OutcomeKind
from btimd.model.notification import Notice
from btimd.model.units import Octets, UnixSeconds

_JSON: Final = {"Content-Type": "application/json; charset=utf-8"}


class RobotKind(StrEnum):
    """Whose robot it is."""

    WECOM = "wecom"
    DINGTALK = "dingtalk"
    FEISHU = "feishu"
    SLACK = "slack"
    TEAMS = "teams"
    WEBHOOK = "webhook"


PER_MINUTE: Final[Mapping[RobotKind, int]] = {
    RobotKind.WECOM: 20, RobotKind.DINGTALK: 20, RobotKind.FEISHU: 100, RobotKind.SLACK: 60, RobotKind.TEAMS: 60,
    RobotKind.WEBHOOK: 600,
}  # fmt: skip
"""Messages that a robot takes in a minute, as published; the notifier stays below."""
TEXT_OCTETS: Final[Mapping[RobotKind, Octets]] = {
    RobotKind.WECOM: 2048, RobotKind.DINGTALK: 12_000, RobotKind.FEISHU: 12_000, RobotKind.SLACK: 9_000,
    RobotKind.TEAMS: 12_000, RobotKind.WEBHOOK: 60_000,
}  # fmt: skip
"""Octets of text that are sent: below each limit of the whole message, with room for its frame and escapes."""

_WIDE: Final = str.maketrans({c: chr(ord(c) + 0xFEE0) for c in "<>[]()*_`#@!|~\\"})
_SLACK: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "*": "＊", "_": "＿", "~": "～", "`": "｀"})  # noqa: RUF001  these have no escape in Slack
_MOBILE_DIGITS: Final = range(6, 16)


def lines_within(text: str, limit: Octets) -> list[str]:
    """Return the lines of a text, the longest shortened until all take at most `limit` octets as UTF-8."""
    lines = text.split("\n")
    while (over := sum(len(line.encode()) + 1 for line in lines) - limit) > 0:
        index = max(range(len(lines)), key=lambda at: len(lines[at]))
        line = lines[index]
        length = sum(1 for _ in clusters(line))
        if length <= 1:
            return lines[: max(limit // 4, 1)]
        # A cluster takes several octets: cut too little rather than too much, and come again.
        lines[index] = shortened(line, max(length - max(over // 8, 2), 0), "…")
    return lines


def is_mobile(address: str) -> bool:
    """Tell a telephone number from the id of a user."""
    digits = address.removeprefix("+")
    return digits.isascii() and digits.isdigit() and len(digits) in _MOBILE_DIGITS


def _bold_head(lines: list[str], change: Callable[[str], str], bold: str) -> list[str]:
    return [f"{bold}{change(lines[0])}{bold}", *map(change, lines[1:])]


def _wecom(notice: Notice, lines: list[str]) -> dict[str, Any]:
    if is_mobile(notice.address):  # only plain text can mention a number
        text = {"content": "\n".join(lines), "mentioned_mobile_list": [notice.address]}
        return {"msgtype": "text", "text": text}
    content = "\n".join(_bold_head(lines, lambda line: line.translate(_WIDE), "**"))
    if notice.address:
        content += f"\n<@{notice.address.translate(_WIDE)}>"
    return {"msgtype": "markdown", "markdown": {"content": content}}


def _dingtalk(notice: Notice, lines: list[str]) -> dict[str, Any]:
    content = "  \n".join(_bold_head(lines, lambda line: line.translate(_WIDE), "**"))
    named = [notice.address] if notice.address else []
    if named:
        content += f"  \n@{notice.address.translate(_WIDE)}"
    at = {
        "atMobiles": named if is_mobile(notice.address) else [],
        "atUserIds": [] if is_mobile(notice.address) else named,
        "isAtAll": False,
    }
    return {"msgtype": "markdown", "markdown": {"title": notice.subject, "text": content}, "at": at}


def _feishu(notice: Notice, lines: list[str]) -> dict[str, Any]:
    # The parts of a "post" are plain text: nothing in them is markup.
    content: list[list[dict[str, str]]] = [[{"tag": "text", "text": line}] for line in lines]
    if notice.address:
        content.append([{"tag": "at", "user_id": notice.address}])
    language = "zh_cn" if notice.language == "zh" else "en_us"
    return {"msg_type": "post", "content": {"post": {language: {"title": notice.subject, "content": content}}}}


def _slack(notice: Notice, lines: list[str]) -> dict[str, Any]:
    text = "\n".join(_bold_head(lines, lambda line: line.translate(_SLACK), "*"))
    if notice.address:
        text += f"\n<@{notice.address.translate(_SLACK)}>"
    return {"text": text, "unfurl_links": False, "unfurl_media": False}


def _teams(notice: Notice, lines: list[str]) -> dict[str, Any]:
    # Text runs are plain text, unlike text blocks, which are Markdown.
    def run(line: str, **style: Any) -> dict[str, Any]:
        return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line, **style}]}

    body = [run(lines[0], weight="Bolder", size="Medium"), *(run(line or " ") for line in lines[1:])]
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    if notice.address:
        name = notice.address.translate(_WIDE)
        body.append({"type": "TextBlock", "text": f"<at>{name}</at>"})
        mention = {"type": "mention", "text": f"<at>{name}</at>", "mentioned": {"id": notice.address, "name": name}}
        card["msteams"] = {"entities": [mention]}
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _webhook(notice: Notice, lines: list[str]) -> dict[str, Any]:
    return {
        "id": notice.id,
        "incident": notice.incident_id,
        "dispatch": notice.dispatch_id,
        "number": notice.number,
        "priority": notice.priority.name,
        "kind": notice.kind.value,
        "person": notice.person,
        "address": notice.address,
        "round": notice.round,
        "language": notice.language,
        "subject": notice.subject,
        "text": "\n".join(lines),
    }


_BODIES: Final[Mapping[RobotKind, Callable[[Notice, list[str]], dict[str, Any]]]] = {
    RobotKind.WECOM: _wecom, RobotKind.DINGTALK: _dingtalk, RobotKind.FEISHU: _feishu, RobotKind.SLACK: _slack,
    RobotKind.TEAMS: _teams, RobotKind.WEBHOOK: _webhook,
}  # fmt: skip


def request_of(kind: RobotKind, url: str, secret: bytes, notice: Notice, now: UnixSeconds) -> Request:
    """Return the request for one notice. secret: b"" = the robot asks for no signature."""
    body = _BODIES[kind](notice, lines_within(notice.text, TEXT_OCTETS[kind]))
    headers = dict(_JSON)
    if kind is RobotKind.DINGTALK and secret:
        milliseconds = int(now * 1000)
        sign = _hmac(secret, f"{milliseconds}\n".encode() + secret)
        url += f"{'&' if urlsplit(url).query else '?'}timestamp={milliseconds}&sign={quote(sign, safe='')}"
    elif kind is RobotKind.FEISHU and secret:
        seconds = str(int(now))
        # The key is what other robots sign, and what is signed is empty.
        body = {"timestamp": seconds, "sign": _hmac(f"{seconds}\n".encode() + secret, b""), **body}
    octets = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    if kind is RobotKind.WEBHOOK:
        headers["Idempotency-Key"] = notice.id
        if secret:
            signed = f"{notice.id}.{int(now)}.".encode() + octets
            headers |= {"webhook-id": notice.id, "webhook-timestamp": str(int(now))}
            headers["webhook-signature"] = f"v1,{_hmac(secret, signed)}"
    return Request(url, headers, octets)


def _hmac(key: bytes, text: bytes) -> str:
    return base64.b64encode(hmac.new(key, text, hashlib.sha256).digest()).decode()


_WAIT: Final[Mapping[RobotKind, Mapping[int, float]]] = {
    RobotKind.WECOM: {45009: 60.0, 45033: 10.0},
    RobotKind.DINGTALK: {130101: 600.0, 90030: 600.0, 410100: 600.0},
    RobotKind.FEISHU: {11232: 60.0, 9499429: 60.0},
}
"""Code -> seconds to wait, where the robot wants to be left alone (DingTalk: ten minutes)."""
_PERSON: Final[Mapping[RobotKind, frozenset[int]]] = {
    RobotKind.WECOM: frozenset({93000, 93004, 93008, 93017, 40001, 40014}),
    RobotKind.DINGTALK: frozenset({310000, 300001, 300005, 400013, 400101, 400102, 400105, 400106, 430104, 40014}),
    RobotKind.FEISHU: frozenset({19001, 19021, 19022, 19024}),
}
"""Codes of a wrong address, signature, key word or source address: nothing gets through until a person looks."""
_BUSY: Final = frozenset({-1})
_CODE: Final[Mapping[RobotKind, tuple[str, str]]] = {
    RobotKind.WECOM: ("errcode", "errmsg"),
    RobotKind.DINGTALK: ("errcode", "errmsg"),
    RobotKind.FEISHU: ("code", "msg"),
}


def judged(
    kind: RobotKind, status: int, headers: Mapping[str, str], body: bytes, *, now: UnixSeconds, secrets: tuple[str, ...]
) -> SendResult:
    """Return what an answer means. Three of them answer 200 to everything and say in the body what went wrong."""
    outcome = by_status(status, headers, now)
    if outcome.kind is OutcomeKind.DELIVERED:
        if kind in _CODE:
            outcome = _by_code(kind, body, secrets)
        elif kind is RobotKind.TEAMS:
            outcome = _of_teams(body, outcome)
        elif kind is RobotKind.SLACK and body.strip() != b"ok":
            outcome = Outcome(OutcomeKind.REFUSED, f"Slack answered {said(body.decode('utf-8', 'replace'), secrets)!r}")
    return SendResult(outcome)


def _by_code(kind: RobotKind, body: bytes, secrets: tuple[str, ...]) -> Outcome:
    document = parsed(body)
    code_name, text_name = _CODE[kind]
    code = document.get(code_name, document.get("StatusCode")) if isinstance(document, dict) else None
    if not isinstance(code, int) or isinstance(code, bool):
        return Outcome(OutcomeKind.UNCERTAIN, f"the answer has no {code_name}; is this the address of a robot?")
    if code == 0:
        return Outcome(OutcomeKind.DELIVERED, f"{code_name} 0")
    text = said(document.get(text_name), secrets)
    detail = f"{code_name} {code}: {text}"
    wait = _WAIT[kind].get(code)
    if wait is not None:
        return Outcome(OutcomeKind.RETRY_AFTER, detail, wait)
    if code in _PERSON[kind]:
        return Outcome(OutcomeKind.PAUSED, f"{detail}; check address, secret and the robot's security settings")
    if code in _BUSY:
        return Outcome(OutcomeKind.SERVER_ERROR, detail)
    return Outcome(OutcomeKind.REFUSED, detail)


def _of_teams(body: bytes, outcome: Outcome) -> Outcome:
    """Old connectors answer 200 and say in the text which error they met."""
    if b"HTTP error 429" in body:
        return Outcome(OutcomeKind.RETRY_AFTER, "Teams: HTTP error 429", 60.0)
    if b"HTTP error 4" in body:
        return Outcome(OutcomeKind.REFUSED, "Teams: HTTP error 4xx in the answer")
    if b"delivery failed" in body:
        return Outcome(OutcomeKind.SERVER_ERROR, "Teams: delivery failed")
    return outcome
