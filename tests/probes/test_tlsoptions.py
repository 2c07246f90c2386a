import pytest

from btimd.probes.tlsoptions import expiry_of, number_of, tls_of, truth_of
from btimd.probes.wire.certificates import ExpiryRule
from btimd.probes.wire.tls import TlsMode, TlsOptions


def test_what_is_written_is_what_is_meant() -> None:
    options = {"tls": "starttls", "verify": "false", "server_name": "erp", "critical_days": "2", "warn_days": "3"}
    assert tls_of(options, {"ca": "PEM"}) == TlsOptions(
        TlsMode.LATER, verify=False, server_name="erp", ca="PEM", expiry=ExpiryRule(172_800.0, 259_200.0)
    )
    assert tls_of({}, {}) == TlsOptions(expiry=ExpiryRule(None, 30 * 86_400.0))
    assert tls_of({}, {}, mode=TlsMode.FIRST).mode is TlsMode.FIRST


def test_what_makes_no_sense_is_said_in_words() -> None:
    with pytest.raises(ValueError, match='tls \'maybe\' is unknown; write "true", "starttls" or "false"'):
        tls_of({"tls": "maybe"}, {})
    with pytest.raises(ValueError, match='verify \'2\' is unknown; write "true" or "false"'):
        truth_of({"verify": "2"}, "verify", default=True)
    for text in ("soon", "-1", "nan", "inf"):
        with pytest.raises(ValueError, match=f"critical_days '{text}' is no number of at least 0"):
            expiry_of({"critical_days": text})
    assert number_of({}, "critical_days") is None
