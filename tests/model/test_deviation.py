from dataclasses import replace

import pytest

from btimd.model.deviation import ALL, Deviation, DeviationKind, Indicator, symptom_of
from btimd.model.probe import ErrorClass
from btimd.model.symptom import Symptom

DROP = Deviation(
    "erp/north/traffic/drop/100", "erp", "north", Indicator.TRAFFIC, DeviationKind.DROP, 40.0, 80.0, 70.0, 90.0, 1.5,
    100.0, 220.0, "ERP is low",
)  # fmt: skip


def test_a_drop_is_a_symptom_of_its_business() -> None:
    assert symptom_of(DROP) == Symptom(
        DROP.id, "baseline:traffic:north", "erp", ErrorClass.UNUSUAL, "ERP is low", 100.0, 220.0
    )


def test_silence_of_a_whole_business_is_felt_as_no_answer_and_of_a_region_as_unusual() -> None:
    silent = replace(DROP, kind=DeviationKind.SILENCE)
    errors = [symptom.error for region in (ALL, "north") if (symptom := symptom_of(replace(silent, region=region)))]

    assert errors == [ErrorClass.NO_ANSWER, ErrorClass.UNUSUAL]


@pytest.mark.parametrize(
    ("indicator", "error"),
    [(Indicator.RESPONSE, ErrorClass.SLOW), (Indicator.RETRANSMISSION, ErrorClass.SLOW), (Indicator.FAILURES, ErrorClass.UNREACHABLE)],
)  # fmt: skip
def test_what_rises_has_the_error_that_users_feel(indicator: Indicator, error: ErrorClass) -> None:
    symptom = symptom_of(replace(DROP, indicator=indicator, region=ALL, value=100.0))
    assert symptom is not None
    assert (symptom.check_id, symptom.error) == (f"baseline:{indicator.value}:all", error)


@pytest.mark.parametrize(
    "deviation",
    [
        replace(DROP, kind=DeviationKind.NO_DATA),
        replace(DROP, business=ALL, region=ALL),
        replace(DROP, value=200.0),
        replace(DROP, indicator=Indicator.RESPONSE),
    ],
)
def test_what_nobody_feels_is_no_symptom(deviation: Deviation) -> None:
    assert symptom_of(deviation) is None
