import pytest

from btimd.flows.deviationtext import amount, cleared_text, text_of, text_zh_of
from btimd.model.deviation import ALL, Deviation, DeviationKind, Indicator


def off(kind: DeviationKind, indicator: Indicator = Indicator.TRAFFIC, **more: object) -> Deviation:
    values: dict[str, object] = {
        "id": "1", "business": "ERP", "region": "north", "indicator": indicator, "kind": kind, "value": 41e6,
        "expected": 87e6, "low": 80e6, "high": 95e6, "score": 1.5, "since": 0.0, "seen_at": 120.0, "text": "",
    }  # fmt: skip
    return Deviation(**{**values, **more})  # type: ignore[arg-type]  # by name


@pytest.mark.parametrize(
    ("deviation", "text"),
    [
        (off(DeviationKind.DROP), "ERP, region north: traffic 41 Mbit/s, usual at this time 80 to 95 Mbit/s"),
        (off(DeviationKind.DROP, high=1.2e9), "ERP, region north: traffic 41 Mbit/s, usual at this time 80 Mbit/s to 1.2 Gbit/s"),
        (off(DeviationKind.SILENCE, region=""), "ERP, region unknown: no traffic at all, usual at this time 87 Mbit/s"),
        (off(DeviationKind.RISE, Indicator.FAILURES, region=ALL, value=0.3, low=0.0, high=0.02), "ERP, all regions: failed connections 30 %, usual at this time up to 2 %"),
        (off(DeviationKind.CHANGE, regions=("a", "b"), region=ALL), "ERP, 2 regions: traffic for hours at 41 Mbit/s, usual at this time about 87 Mbit/s"),
        (off(DeviationKind.DRIFT, Indicator.RESPONSE, value=0.3, expected=0.1), "ERP, region north: response time has drifted over weeks, now 300 ms, earlier about 100 ms"),
        (off(DeviationKind.NO_DATA), "ERP, region north: no data, as who reports its traffic is silent; nothing is known of it"),
        (off(DeviationKind.DROP, business=ALL, region=ALL, regions=("ERP", "HR", "OA")), "3 businesses at once: traffic 41 Mbit/s (first of them: ERP), usual at this time 80 to 95 Mbit/s"),
    ],
)  # fmt: skip
def test_a_deviation_is_a_sentence_with_its_numbers(deviation: Deviation, text: str) -> None:
    assert text_of(deviation) == text


def test_it_is_told_in_chinese_too() -> None:
    assert text_zh_of(off(DeviationKind.DROP)) == "ERP / north:流量突降至 41 Mbit/s,通常约 87 Mbit/s"
    assert text_zh_of(off(DeviationKind.NO_DATA, region=ALL)) == "ERP:无数据:流量上报已中断"


def test_amounts_have_units() -> None:
    assert [amount(Indicator.TRAFFIC, 12.0), amount(Indicator.USERS, 3.4), amount(Indicator.HANDSHAKE, 1.5)] == [
        "12 bit/s", "3 users", "1.5 s",
    ]  # fmt: skip


def test_why_it_is_over() -> None:
    deviation = off(DeviationKind.DROP)
    assert cleared_text(deviation, 600.0, part_of_wider=False) == "over after 10 minutes"
    assert cleared_text(deviation, 36_000.0, part_of_wider=False) == "over after 10 hours"
    assert cleared_text(deviation, 600.0, part_of_wider=True) == "is part of a wider deviation now"
