"""Patterns of others cannot hold the intake up; those that come with btimd are tried with what is worst for them."""

import time

import pytest

from btimd.itsm.intake.mail import Mail
from btimd.itsm.intake.patterns import checked, degree, steps
from btimd.itsm.intake.templates import Template, explain, read_with
from btimd.itsm.intake.templatetable import SHIPPED


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (r"(a+)+b", "repeats a repetition"),
        (r"(?:\w+\s?)*x", "repeats a repetition"),
        (r"(a|aa)+$", "repeats alternatives"),
        (r"(a*)\1", "refers back"),
        (r".*a.*b.*c.*d", "has more than 3 repetitions"),
        (r"(", "is no regular expression"),
        ("a" * 501, "501 characters"),
    ],
)
def test_a_pattern_that_could_take_for_ever_is_refused_with_a_reason(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        checked(text)


def test_usual_patterns_are_taken() -> None:
    for text in (r"(?P<host>.+) is (?P<state>\w+)", r"\[\d{1,3}\] (?:node|host) (\S+)", r"(?:ab){2}c?"):
        assert checked(text).flags & 2
    assert degree(checked(r"(.+) is (.+)")) == 2
    assert steps(checked(r"(.+) is (.+)"), 100) == 5000


POISON = (
    "problem in " + ": " * 140, "problem name: " + " " * 280, "** problem service alert: " + "a/a is " * 40,
    "[problem] " + "a on a is " * 28 + "!", "problem - " + "a - a is " * 30, "notice #1: a on " + "a on node " * 28,
    "the a service poll on interface " + "a on node " * 26, "x" * 299 + "[firing", "[firing] " + "a " * 140,
    "the a service on interface a" + " on node a which was previously down is now" * 6, "a (display name: " * 17,
    "service: " + "(" * 280, "notice #1: interface a" + " on node a is" * 20, " " * 300, "node " * 60, "host:" + ":" * 290,
    "all services are down on interface a" + " on node a." * 24, "notice #" * 37,
)  # fmt: skip


def test_the_worst_lines_for_the_shipped_templates_take_little_time() -> None:
    for line in POISON:
        for subject in (line, "Problem: x", "[PROBLEM] a on b is DOWN!", "Notice #1: x", "[FIRING:1] x"):
            text = "\n".join([*[line] * 190, "notification type:  ", "problem name: x", "host:"])
            began = time.process_time()
            explain(SHIPPED, Mail("k", "s@x", "", subject, text))
            assert time.process_time() - began < 1.0, (line, subject)


def test_a_template_of_others_gives_up_where_a_mail_is_made_to_take_long() -> None:
    slow = Template("own", "own", text_has=checked("x"), lines=tuple(checked(r"(?P<host>.*)a.*a.*b") for _ in range(8)))
    mail = Mail("k", "s@x", "", "x", "\n".join(["a" * 300] * 200))
    began = time.process_time()
    reading, tried = explain([slow], mail)
    assert reading is None
    assert tried[0].why_not == "its patterns could take too long with so many so long lines"
    assert time.process_time() - began < 1.0
    assert read_with([slow], Mail("k", "s@x", "", "x", "x\nhost1 a a b")) is not None
