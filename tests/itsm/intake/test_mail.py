"""Mails are hostile input: whatever comes is read as far as it goes, in bounded time, and never raises."""

import base64
import random
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.itsm.intake.mail import MOST_TEXT, Mail, read_mail
from tests.itsm.intake import mails
from tests.itsm.intake.mails import NOW, READER


def raw(*lines: str | bytes, body: bytes = b"text\r\n") -> bytes:
    return b"\r\n".join(one if isinstance(one, bytes) else one.encode() for one in lines) + b"\r\n\r\n" + body


def test_a_mail_is_read_for_what_it_says() -> None:
    found = read_mail(mails.octets(mails.UNKNOWN, sender="Ann Lee <Ann@Example.net>"))
    assert found == Mail(
        key="<1@example.net>", sender="ann@example.net", sender_name="Ann Lee", subject="Printer on floor 3 smells",
        text="Hello,\n\nthe printer smells of smoke.\n\nAnn", date="Sun, 22 Nov 2026 10:02:11 +0000",
        recipients=("reports@btimd.example",),
    )  # fmt: skip


@pytest.mark.parametrize("charset", ["gb18030", "gb2312", "gbk", "big5", "utf-8", "x-gbk"])
def test_chinese_is_read_in_every_charset_it_is_sent_in(charset: str) -> None:
    codec = {"gb2312": "gb18030", "x-gbk": "gbk"}.get(charset, charset)
    word = base64.b64encode("支付中斷".encode(codec)).decode()
    found = read_mail(
        raw(f"Subject: =?{charset}?B?{word}?=", f"Content-Type: text/plain; charset={charset}",
            body="主機無法連接".encode(codec))
    )  # fmt: skip
    assert (found.subject, found.text, found.broken) == ("支付中斷", "主機無法連接", ())


def test_octets_without_a_charset_are_taken_as_utf_8_else_gb18030() -> None:
    assert read_mail(raw(b"Subject: " + "支付".encode(), body="主机".encode())).subject == "支付"
    found = read_mail(raw(b"Subject: " + "支付".encode("gb18030"), body="主机".encode("gb18030")))
    assert (found.subject, found.text) == ("支付", "主机")


def test_an_unknown_charset_costs_only_what_it_hides() -> None:
    found = read_mail(raw("Subject: =?x-none?Q?a=FFb?=", "Content-Type: text/plain; charset=x-none", body=b"ok \xff"))
    assert (found.subject, found.text, found.broken) == ("a�b", "ok �", ("charset",))


def test_html_becomes_text_line_by_line_without_scripts() -> None:
    html = b"<html><head><style>p{}</style></head><body><p>Host: <b>web01</b></p><script>x()</script>State: DOWN<br>&lt;end&gt;"
    found = read_mail(raw("Content-Type: text/html; charset=utf-8", body=html))
    assert found.text == "Host: web01\nState: DOWN\n<end>"


def test_attachments_are_counted_and_not_kept() -> None:
    found = read_mail(
        raw('Content-Type: multipart/mixed; boundary="b"', body=b"--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\n"
            b"Content-Type: image/png\r\nContent-Disposition: attachment; filename=x.png\r\n\r\nAAAAAAAA\r\n--b--\r\n")
    )  # fmt: skip
    assert (found.text, found.attachments, found.attachment_octets) == ("hello", 1, 8)


def test_what_an_answer_quotes_is_cut_and_a_mail_of_nothing_else_stays() -> None:
    answer = "still broken\n\nOn Sun, 22 Nov 2026, ops wrote:\n> old\n> older\n"
    assert read_mail(raw("Subject: x", body=answer.encode())).text == "still broken"
    assert read_mail(raw("Subject: x", body="坏了\n------原始邮件------\n旧\n".encode())).text == "坏了"
    assert read_mail(raw("Subject: x", body=b"> only this\n")).text == "> only this"


@pytest.mark.parametrize(
    ("lines", "envelope", "why"),
    [
        (("Auto-Submitted: auto-replied",), None, "automatic answer"),
        (("Message-ID: <7.1@btimd.example>",), None, "own mail"),
        (("X-BTIM-Incident: 4711",), None, "own mail"),
        (('Content-Type: multipart/report; report-type=delivery-status; boundary="b"',), None, "bounce"),
        (("From: MAILER-DAEMON@example.net",), "", "bounce"),
        (("Auto-Submitted: auto-generated",), None, ""),
        (("Auto-Submitted: no",), "ann@example.net", ""),
    ],
)
def test_answers_of_machines_and_own_mails_are_loops_and_alerts_of_machines_are_not(
    lines: tuple[str, ...], envelope: str | None, why: str
) -> None:
    assert read_mail(raw(*lines), ("btimd.example",), envelope).loop == why


def test_without_a_usable_message_id_the_octets_are_the_key() -> None:
    first, second = raw("Subject: a"), raw("Subject: b")
    assert read_mail(first).key.startswith("sha256:")
    assert read_mail(first).key == read_mail(first).key != read_mail(second).key
    assert read_mail(raw("Message-ID: " + "<" + "x" * 5000 + "@y>")).key.startswith("sha256:")


def test_structures_too_deep_or_wide_are_read_as_plain_text_quickly() -> None:
    deep = b"".join(b'Content-Type: multipart/mixed; boundary="b%d"\r\n\r\n--b%d\r\n' % (at, at) for at in range(5000))
    began = time.process_time()
    found = read_mail(deep + b"Content-Type: text/plain\r\n\r\nhello")
    assert "too many parts" in found.broken
    assert time.process_time() - began < 2.0


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"\r\n\r\n", b"\x00" * 1000, b"Subject: " + b"=?utf-8?q?" * 20_000, b"From: " + b"<" * 100_000,
        b"To: " + b"a," * 50_000 + b"\r\n\r\nx", b"X: y\r\n" * 100_000 + b"\r\nbody",
        b'Content-Type: multipart/mixed; boundary=""\r\n\r\n--\r\n', b"Content-Type: " + b'a;b="' * 10_000 + b"\r\n\r\nx",
        b"Content-Type: text/html\r\n\r\n" + b"<" * 300_000, b"Content-Type: text/html\r\n\r\n" + b"<a " * 100_000,
        b"Content-Type: text/html\r\n\r\n" + b"&#" * 100_000, b"Content-Type: text/html\r\n\r\n" + b"<!--" * 60_000,
        b"Content-Transfer-Encoding: base64\r\n\r\n" + b"=" * 100_000, b"Subject: a\r\n b\r\n" + b" c\r\n" * 50_000 + b"\r\n",
        b"Content-Type: text/plain; charset=punycode\r\n\r\n" + b"a-" * 50_000,
        b"Content-Type: text/plain; charset=base64\r\n\r\nAAAA", b"Content-Type: text/plain; charset=idna\r\n\r\n\xff",
        b"Content-Type: text/plain; charset*=utf-8''\xff%00\r\n\r\nx", b"Subject: a\r\n\r\n" + b"> \n" * 200_000,
    ],
)  # fmt: skip
def test_known_poison_is_read_in_little_time(octets: bytes) -> None:
    began = time.process_time()
    report = READER.mail(read_mail(octets), NOW)
    assert time.process_time() - began < 3.0
    assert report.title
    assert len(report.text) <= MOST_TEXT
    f"{report}".encode()  # no lone surrogate, which the disk would refuse


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=2000))
def test_any_octets_are_read(octets: bytes) -> None:
    f"{READER.mail(read_mail(octets), NOW)}".encode()


@pytest.mark.slow
def test_every_known_mail_truncated_and_mutated_becomes_a_report() -> None:
    chance = random.Random(7)
    known = [
        mails.octets(value)
        for name, value in vars(mails).items()
        if name.isupper() and type(value) is tuple and len(value) == 2
    ]
    known.append(
        raw(
            'Content-Type: multipart/mixed; boundary="b"',
            body=b"--b\r\n\r\nhello\r\n--b\r\nContent-Type: text/html\r\n\r\n<p>x</p>\r\n--b--",
        )
    )
    for number in range(1500):
        octets = bytearray(chance.choice(known))
        for _ in range(chance.randrange(1, 12)):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        if number % 3 == 0:
            del octets[chance.randrange(len(octets)) :]
        report = READER.mail(read_mail(bytes(octets)), NOW)
        f"{report}".encode()
        assert report.id
        assert report.fingerprint
