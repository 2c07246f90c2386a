"""Octets of a mail -> what it says. Mails are hostile: reading never raises, and its time and memory are bounded.

What cannot be read costs itself only: an unknown charset is read as UTF-8 with replacements, a structure too deep or
with too many parts is read as plain text. Attachments are counted, not kept.
"""

import email
import email.header
import email.utils
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.message import Message
from email.policy import Compat32
from typing import Any, Final

from typing_extensions import override

from btimd.itsm.intake.htmltext import html_to_text

MOST_TEXT: Final = 32 * 1024
"""Characters of text that are kept."""
MOST_SUBJECT: Final = 500
_MOST_HEADER: Final = 8 * 1024
_MOST_HEADERS: Final = 128 * 1024
_MOST_PARTS: Final = 60
_MOST_PART: Final = 512 * 1024
_MOST_KEY: Final = 500
_OWN_HEADER: Final = "x-btim-incident"
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u200b\u2028\u2029\ufeff]")
_CHARSETS: Final = {"gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030", "cp936": "gb18030", "big5": "big5hkscs"}
_QUOTE_STARTS: Final = (
    re.compile(
        r"-{2,10} ?(?:original message|ursprüngliche nachricht|原始邮件|原始郵件|邮件原件) ?-{2,10}", re.IGNORECASE
    ),
    re.compile(r"on .{6,120} wrote:", re.IGNORECASE),
    re.compile(r"在.{4,120}写道[:\uff1a]"),
    re.compile(r"_{20,80}"),
)


class _Bounded(Compat32):
    """Headers longer than a limit are cut before anything looks into them, in parts too."""

    @override
    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        return super().header_source_parse(["".join(sourcelines)[:_MOST_HEADER]])


_POLICY: Final = _Bounded()


@dataclass(frozen=True, slots=True)
class Mail:
    """What a mail says. key: its Message-ID, or "sha256:..." of the octets. sender: address, lower case, "" = none.

    text: readable words without what was quoted of earlier mails. cut: characters that were left out. loop: why it
    must not become a report, "" = it may. broken: what could not be read as it was meant. replies_to: Message-IDs.
    """

    key: str
    sender: str
    sender_name: str
    subject: str
    text: str
    date: str = ""
    recipients: tuple[str, ...] = ()
    replies_to: tuple[str, ...] = ()
    attachments: int = 0
    attachment_octets: int = 0
    cut: int = 0
    loop: str = ""
    broken: tuple[str, ...] = ()


async def no_answer(_mail: Mail) -> str:
    """Take no mail as an answer to a notice."""
    return ""


def clean(text: str) -> str:
    """Return text without control characters (line ends and tabs stay) and without what UTF-8 cannot hold."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def read_mail(octets: bytes, own_domains: Sequence[str] = (), envelope_sender: str | None = None) -> Mail:
    """Return what a mail says. own_domains: right sides of the Message-IDs that btimd gives its own mails.

    envelope_sender: of SMTP, where known; "" is how bounces come.
    """
    broken: list[str] = []
    head, body = _head_and_body(octets)
    message = _parsed(octets, head, broken)
    text, attachments, attached, over = _content(message, body, broken)
    subject = _one_line(_decoded(message.get("subject"), broken))[:MOST_SUBJECT]
    name, address = _address(_decoded(message.get("from"), broken))
    replies = _ids(f"{message.get('in-reply-to', '')} {message.get('references', '')}")
    unquoted = _without_quotes(clean(text))
    key = _key(message, octets)
    return Mail(
        key=key,
        sender=address,
        sender_name=name,
        subject=subject,
        text=unquoted[:MOST_TEXT],
        date=_one_line(_decoded(message.get("date"), broken))[:64],
        recipients=_recipients(message, broken),
        replies_to=replies,
        attachments=attachments,
        attachment_octets=attached,
        cut=max(0, len(unquoted) - MOST_TEXT) + over,
        loop=_loop(message, key, own_domains, envelope_sender),
        broken=tuple(dict.fromkeys(broken)),
    )


def _head_and_body(octets: bytes) -> tuple[bytes, bytes]:
    ends = [(at, at + len(end)) for end in (b"\r\n\r\n", b"\n\n") if (at := octets.find(end)) >= 0]
    if not ends:
        return octets, b""
    at, start = min(ends)
    return octets[:at], octets[start:]


def _parsed(octets: bytes, head: bytes, broken: list[str]) -> Message:
    whole = octets
    if len(head) > _MOST_HEADERS:
        broken.append("headers too long")
        whole = head[:_MOST_HEADERS] + b"\r\n\r\n"
    elif octets.lower().count(b"boundary") > _MOST_PARTS:
        broken.append("too many parts")
        whole = head + b"\r\n\r\n"
    try:
        return email.message_from_bytes(whole, policy=_POLICY)
    except Exception:  # noqa: BLE001  the parser's own errors are many; none may end the intake
        broken.append("structure")
        return Message()


def _content(message: Message, body: bytes, broken: list[str]) -> tuple[str, int, int, int]:
    """Return (text, attachments, octets of them, characters left out)."""
    plain: list[str] = []
    html: list[str] = []
    attachments = octets = over = 0
    try:
        for number, part in enumerate(_leaves(message)):
            if number >= _MOST_PARTS:
                broken.append("too many parts")
                break
            kind = part.get_content_type()
            named = part.get_filename() is not None or str(part.get("content-disposition", "")).lower().startswith(
                "att"
            )
            payload = part.get_payload()
            if named or kind not in {"text/plain", "text/html"}:
                attachments += 1
                octets += len(payload) if isinstance(payload, str) else 0
                continue
            over += max(0, len(payload) - _MOST_PART) if isinstance(payload, str) else 0
            (plain if kind == "text/plain" else html).append(_part_text(part, broken))
    except Exception:  # noqa: BLE001  as above
        broken.append("structure")
    text = "\n".join(plain)
    if not text.strip() and html:
        text = html_to_text("\n".join(html))
    if not text.strip() and body and {"structure", "too many parts", "headers too long"} & set(broken):
        text = body[:_MOST_PART].decode("utf-8", "replace")
    return text, attachments, octets, over


def _leaves(message: Message) -> Iterator[Message]:
    waiting: list[Any] = [message]
    while waiting:
        one = waiting.pop()
        payload = one.get_payload()
        if isinstance(payload, list):
            if one.get_content_type() == "message/rfc822":
                yield one  # a mail in a mail is an attachment
            else:
                waiting.extend(reversed(payload[:_MOST_PARTS]))
        else:
            yield one


def _part_text(part: Message, broken: list[str]) -> str:
    payload = part.get_payload()
    if isinstance(payload, str) and len(payload) > _MOST_PART:
        part.set_payload(payload[:_MOST_PART])
    octets = part.get_payload(decode=True)
    if not isinstance(octets, bytes):
        return ""
    return _decode(octets, str(part.get_content_charset() or "utf-8"), broken)


def _decode(octets: bytes, charset: str, broken: list[str]) -> str:
    name = _CHARSETS.get(charset.lower(), charset.lower())
    if name in {"us-ascii", "ascii", "utf8", "unknown-8bit"}:
        name = "utf-8"
    try:
        return octets.decode(name)
    except (LookupError, ValueError):
        broken.append("charset")
    if name == "utf-8":
        try:  # mails of Chinese systems often do not say what they are
            return octets.decode("gb18030")
        except ValueError:
            pass
    return octets.decode("utf-8", "replace")


def _decoded(value: Any, broken: list[str]) -> str:
    """Return a header as text: encoded words (RFC 2047), else raw octets guessed."""
    if value is None:
        return ""
    try:
        parts = email.header.decode_header(str(value) if "=?" in str(value) else _raw(value))
        return "".join(
            part if isinstance(part, str) else _decode(part, charset or "utf-8", broken) for part, charset in parts
        )
    except Exception:  # noqa: BLE001  a header is worth less than its mail
        broken.append("header")
        return str(value).encode("utf-8", "replace").decode()


def _raw(value: Any) -> email.header.Header | str:
    text = str(value)
    if isinstance(value, email.header.Header):  # octets above 127, not encoded
        octets = b"".join(
            part if isinstance(part, bytes) else part.encode("utf-8", "surrogateescape")
            for part, _ in email.header.decode_header(value)
        )
        return _decode(octets, "utf-8", [])
    return text


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())


def _address(text: str) -> tuple[str, str]:
    try:
        name, address = email.utils.parseaddr(_one_line(text)[:1000])
    except Exception:  # noqa: BLE001  as above
        return "", ""
    return name[:200], address.lower()[:254]


def _recipients(message: Message, broken: list[str]) -> tuple[str, ...]:
    found = [
        _decoded(value, broken) for name in ("to", "cc", "delivered-to") for value in message.get_all(name, [])[:8]
    ]
    try:
        pairs = email.utils.getaddresses([_one_line(one)[:2000] for one in found])
    except Exception:  # noqa: BLE001  as above
        return ()
    return tuple(dict.fromkeys(address.lower()[:254] for _, address in pairs[:64] if address))


def _ids(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(re.findall(r"<[^<>\s]{1,500}>", text[:_MOST_HEADER])))


def _key(message: Message, octets: bytes) -> str:
    given = _one_line(str(message.get("message-id", "")))
    if 3 <= len(given) <= _MOST_KEY and given.isascii():  # noqa: PLR2004  the shortest is <a>
        return given
    return "sha256:" + hashlib.sha256(octets).hexdigest()


def _loop(message: Mapping[str, Any] | Message, key: str, own: Sequence[str], envelope_sender: str | None) -> str:
    submitted = str(message.get("auto-submitted", "")).strip().lower()
    if message.get(_OWN_HEADER) is not None:
        return "own mail"
    domain = key.strip("<>").rpartition("@")[2].lower()
    if domain and domain in {one.lower() for one in own}:
        return "own mail"
    if submitted.startswith("auto-replied") or message.get("x-autoreply") is not None:
        return "automatic answer"
    kind = str(message.get("content-type", "")).lower()
    if kind.startswith("multipart/report") and "delivery-status" in kind:
        return "bounce"
    if envelope_sender == "" and str(message.get("from", "")).lower().find("mailer-daemon") >= 0:
        return "bounce"
    return ""


def _without_quotes(text: str) -> str:
    """Cut what an answer repeats: from a line that introduces it to the end, and lines that begin with ">".

    Where nothing else would be left, the mail is a quotation on purpose and stays whole.
    """
    kept: list[str] = []
    for line in text.split("\n"):
        stripped = line.strip()
        if any(kept) and len(stripped) <= 200 and any(start.fullmatch(stripped) for start in _QUOTE_STARTS):  # noqa: PLR2004
            break
        if not stripped.startswith(">"):
            kept.append(line.rstrip())
    found = "\n".join(kept).strip("\n")
    return found if found.strip() else text.strip("\n")
