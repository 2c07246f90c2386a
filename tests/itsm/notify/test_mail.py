from email import message_from_bytes, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from btimd.itsm.notify.mail import check_mailbox, message_of
from btimd.model.incident import Priority
from btimd.model.notification import Means, Notice
from tests.itsm.notify.examples import NOW, notice

MAIL = notice(
    means=Means.EMAIL, address="zhang@corp.test", text="[P2] 请接单\n单号: #4711", subject="[P2] 请接单: 支付 #4711"
)


def parsed(made: Notice) -> dict[str, str]:
    octets = message_of(
        made, sender="btimd@corp.test", sender_name="运维", reply_to="answers@corp.test", now=NOW
    ).as_bytes()
    message = message_from_bytes(octets, policy=policy.default)
    return {**{name: str(value) for name, value in message.items()}, "": message.get_content().replace("\r\n", "\n")}


def test_a_mail_says_who_what_and_where_to_answer() -> None:
    made = parsed(MAIL)

    assert made[""] == "[P2] 请接单\n单号: #4711\n"
    del made[""]
    assert made == {
        "From": "运维 <btimd@corp.test>",
        "To": "zhang@corp.test",
        "Subject": "[P2] 请接单: 支付 #4711",
        "Date": "Fri, 20 Nov 2026 02:02:00 +0000",
        "Message-ID": "<n-1@corp.test>",
        "In-Reply-To": "<incident-inc-1@corp.test>",
        "References": "<incident-inc-1@corp.test>",
        "Reply-To": "answers@corp.test",
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        "X-BTIM-Incident": "inc-1",
        "X-Btimd-Number": "4711",
        "Importance": "high",
        "Content-Type": 'text/plain; charset="utf-8"',
        "Content-Transfer-Encoding": "base64",
        "MIME-Version": "1.0",
    }


@settings(max_examples=30)
@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_adds_a_header(subject: str, text: str) -> None:
    hostile = notice(
        means=Means.EMAIL, address="a@b.c", priority=Priority.P3, id=f"x\r\nBcc: {text}", incident_id=subject, number=text,
        subject=f"x\r\nBcc: all@corp.test\r\n\r\n{subject}", text=text.encode("utf-8", "replace").decode(),
    )  # fmt: skip
    made = parsed(hostile)

    assert set(made) == set(parsed(MAIL)) - {"Importance"}
    assert "\n" not in made["Subject"]


@pytest.mark.parametrize(
    "address", ["", "a", "a@", "@b", "a b@c", "a@b\r\nRCPT TO:<x@y>", "a@b>", "张@b.c", "a@b,c@d", "a..b@c", "a@-b"]
)
def test_what_is_no_mailbox_is_refused(address: str) -> None:
    with pytest.raises(ValueError, match="is no mailbox; write name@domain in ASCII"):
        check_mailbox(address)


def test_a_mailbox_is_returned() -> None:
    assert check_mailbox("zhang.san+noc@mail.corp.test") == "zhang.san+noc@mail.corp.test"
