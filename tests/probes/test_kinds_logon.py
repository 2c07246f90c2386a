import pytest

from btimd.model.service import CheckKind
from btimd.probes.kinds_logon import account_of, number_of, plain_account_of, question_of, tls_of
from btimd.probes.wire.script import Account, Question, Tls
from tests.probes.samples import check


def test_who_logs_on_and_what_is_asked() -> None:
    of = check(
        kind=CheckKind.MYSQL,
        options={
            "user": "probe",
            "password_file": "/run/secret",
            "database": "erp",
            "tls": "True",
            "query": "SELECT 2",
            "expect": "2",
            "depth": "state",
            "max_lock_wait": "5",
        },
        timeout=2.5,
    )
    assert account_of(of, {"password": "secret"}) == Account("probe", "secret", "erp", Tls.VERIFIED)
    assert account_of(of, {}) == Account("probe", None, "erp", Tls.VERIFIED)
    assert plain_account_of(of, {}) == Account("probe", None, "erp", Tls.VERIFIED)
    assert question_of(of) == Question("SELECT 2", "2", 2.0, state=True, most_wait_seconds=5.0)
    assert tls_of(check()) is Tls.OFFERED
    assert number_of(check(), "max_lock_wait") is None


def test_options_that_make_no_sense_are_refused() -> None:
    for options, reason in (
        ({"tls": "yes"}, "tls 'yes' is unknown"),
        ({"password_file": "/x"}, "password_file without user"),
        ({"user": "a\0b"}, "user must not hold a zero octet"),
    ):
        with pytest.raises(ValueError, match=reason):
            account_of(check(kind=CheckKind.MYSQL, options=options), {})
    with pytest.raises(ValueError, match="depth 'deep' is unknown"):
        question_of(check(options={"depth": "deep"}))
    for text in ("-1", "x", "nan", "inf"):
        with pytest.raises(ValueError, match="is no number from 0"):
            number_of(check(options={"n": text}), "n")
    readable = check(kind=CheckKind.AMQP, options={"user": "probe", "password_file": "/x"})
    with pytest.raises(ValueError, match="amqp sends the password readable"):
        plain_account_of(readable, {})
    assert plain_account_of(check(options={"password_file": "/x", "tls": "false"}), {}, needs_user=False).tls is Tls.OFF
