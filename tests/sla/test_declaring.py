"""Windows that agreements bring; what is refused is tested with the desk (tests/daemon/test_maintenance.py)."""

from btimd.model.maintenance import Matcher, MinuteSpan, Recurrence, Suppression, SuppressionEffect, SuppressionKind
from btimd.sla.agreements import build_agreements
from btimd.sla.declaring import agreed_windows
from btimd.sla.settings import AgreementTable
from tests.sla.agreeing import moment

TABLE = AgreementTable.model_validate({
    "kind": "sla", "businesses": ["erp"], "availability_percent": 99, "timezone": "Asia/Shanghai",
    "maintenance": [
        {"days": ["sun"], "hours": ["22:00-02:00"], "suppress": True, "reason": "copies"},
        {"from": "2026-11-16T02:00:00", "to": "2026-11-16T04:00:00", "reference": "CHG-1"},
    ],
})  # fmt: skip


def test_maintenance_of_an_agreement_is_a_window_that_holds_back_incidents_where_it_says_so() -> None:
    (agreement,) = build_agreements({"bank": TABLE}, {})
    common = {
        "kind": SuppressionKind.WINDOW,
        "matcher": Matcher(businesses=("erp",)),
        "source": "sla.agreement.bank.maintenance",
    }

    assert agreed_windows([agreement], {"bank": TABLE.maintenance}) == (
        Suppression(
            id="bank/1", effect=SuppressionEffect.INCIDENTS, start_at=0.0, end_at=None, reason="copies",
            recurrence=Recurrence(weekdays=(6,), hours=(MinuteSpan(1320, 1560),), timezone="Asia/Shanghai"), **common,
        ),
        Suppression(
            id="bank/2", effect=SuppressionEffect.ACCOUNTS, start_at=moment("16 02:00"), end_at=moment("16 04:00"),
            reference="CHG-1", **common,
        ),
    )  # fmt: skip
    assert agreed_windows([agreement], {}) == ()
