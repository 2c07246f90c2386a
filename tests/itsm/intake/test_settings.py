"""Settings of the intake: what they mean, and errors that say what to write."""

from typing import Any

import pytest
from pydantic import ValidationError

from btimd.itsm.intake.mail import Mail
from btimd.itsm.intake.settings import IntakeSettings
from btimd.itsm.intake.templates import read_with
from btimd.model.incident import Urgency


def test_nothing_is_listened_on_unless_it_is_written() -> None:
    settings = IntakeSettings()
    assert (settings.smtp.listen, settings.imap, len(settings.templates()), settings.keep) == (None, {}, 6, None)


def test_an_own_template_reads_before_the_shipped_ones_and_an_own_row_classifies_first() -> None:
    settings = IntakeSettings.model_validate({
        "template": {"ups": {"subject_has": "UPS", "subject": [r"UPS (?P<host>\S+): (?P<state>\w+)"],
                             "states": {"onbatt": "problem", "Online": "clear"}, "severities": {"onbatt": "high"}}},
        "class": {"power": {"words": ["UPS"], "urgency": "high", "class": "facility"}},
    })  # fmt: skip
    found = read_with(settings.templates(), Mail("k", "ups@x", "", "UPS u1: ONLINE", ""))
    assert found is not None
    assert (found.template, found.signal, dict(found.fields)) == ("ups", "clear", {"host": "u1", "state": "ONLINE"})
    row = settings.classes()[0]
    assert (row.class_, row.urgency) == ("facility", Urgency.HIGH)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"smtp": {"listen": "0.0.0.0:25"}}, "takes mails of everybody; write allow"),
        ({"smtp": {"listen": "0.0.0.0:25", "allow": ["10.0.0.0/8"]}}, "write cert_file and key_file for STARTTLS"),
        ({"smtp": {"user": "mon"}}, "AUTH needs user and password_file"),
        ({"smtp": {"cert_file": "/x"}}, "STARTTLS needs cert_file and key_file"),
        ({"imap": {"a": {"server": "mail.example:143", "user": "u", "password_file": "/p", "security": "none"}}},
         "shows the password to everybody"),
        ({"imap": {"a": {"server": "m:993", "user": "u", "password_file": "/p", "done_folder": "INBOX"}}}, "must differ"),
        ({"template": {"t": {"subject": ["(?P<host>.+)"]}}}, "it takes every mail"),
        ({"template": {"t": {"sender": "x", "lines": ["(?P<hots>.+)"]}}}, "names hots; a group is one of host"),
        ({"template": {"t": {"sender": "x", "lines": ["a.+"]}}}, "names nothing"),
        ({"template": {"t": {"sender": "x", "lines": ["(?P<service>.+)"]}}}, "needs host, which no pattern"),
        ({"template": {"t": {"sender": "x", "lines": ["(?P<host>(a+)+)"]}}}, "repeats a repetition"),
        ({"class": {"c": {"urgency": "urgent"}}}, "'high', 'medium' or 'low'"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_what_to_write(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        IntakeSettings.model_validate(wrong)
