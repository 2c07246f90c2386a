"""One query in the words of each server, and their answers as the same rows."""

from dataclasses import replace

import pytest

from btimd.model.points import SeriesQuery, SeriesRow
from btimd.store.queries import check, from_flux, from_influxql, to_flux, to_influxql

QUERY = SeriesQuery(
    measurement="flows",
    fields=("octets", "rtt_seconds"),
    from_milliseconds=1000,
    to_milliseconds=9000,
    group_by=("business", "region"),
    where={"interval": "10s", "person": ""},
    step_milliseconds=2000,
    fold="sum",
)


def test_a_query_in_influxql() -> None:
    assert to_influxql(QUERY) == (
        'SELECT sum("octets") AS "f0", sum("rtt_seconds") AS "f1" FROM "flows"'
        " WHERE time >= 1000ms AND time < 9000ms AND \"interval\" = '10s' AND \"person\" = ''"
        ' GROUP BY "business", "region", time(2000ms) fill(none)'
    )
    plain = replace(QUERY, group_by=(), where=None, step_milliseconds=0, fields=("octets",), fold="last")
    assert to_influxql(plain) == 'SELECT last("octets") AS "f0" FROM "flows" WHERE time >= 1000ms AND time < 9000ms'


def test_a_query_in_flux() -> None:
    assert to_flux(QUERY, "btimd").splitlines() == [
        'from(bucket: "btimd")',
        "  |> range(start: time(v: 1000000000), stop: time(v: 9000000000))",
        '  |> filter(fn: (r) => r._measurement == "flows" and (r._field == "octets" or r._field == "rtt_seconds"))',
        '  |> filter(fn: (r) => r["interval"] == "10s")',
        '  |> filter(fn: (r) => not exists r["person"] or r["person"] == "")',
        "  |> toFloat()",
        '  |> group(columns: ["_field", "business", "region"])',
        '  |> aggregateWindow(every: 2000ms, fn: sum, createEmpty: false, timeSrc: "_start")',
    ]
    plain = replace(QUERY, group_by=(), where=None, step_milliseconds=0, fields=("octets",), fold="last")
    assert to_flux(plain, "b").splitlines()[3:] == [
        "  |> toFloat()",
        '  |> group(columns: ["_field"])',
        '  |> sort(columns: ["_time"])',
        "  |> last()",
    ]


def test_no_text_of_a_query_breaks_out_of_its_place() -> None:
    hostile = "a\"b\\c'd\n${1+1} $x"
    query = SeriesQuery(hostile, (hostile,), 0, 1, (hostile,), {hostile: hostile})
    name = '"a\\"b\\\\c\'d\\n${1+1} $x"'
    text = "'a\"b\\\\c\\'d\\n${1+1} $x'"
    assert to_influxql(query) == " ".join(
        [
            f'SELECT sum({name}) AS "f0"',
            f"FROM {name}",
            f"WHERE time >= 0ms AND time < 1ms AND {name} = {text}",
            f"GROUP BY {name} fill(none)",
        ]
    )
    flux = '"a\\"b\\\\c\'d\\n\\${1+1} $x"'
    assert to_flux(query, hostile).splitlines() == [
        f"from(bucket: {flux})",
        "  |> range(start: time(v: 0), stop: time(v: 1000000))",
        f"  |> filter(fn: (r) => r._measurement == {flux} and (r._field == {flux}))",
        f"  |> filter(fn: (r) => r[{flux}] == {flux})",
        "  |> toFloat()",
        f'  |> group(columns: ["_field", {flux}])',
        "  |> sum()",
    ]


def test_an_influxql_answer_as_rows_in_order_with_gaps_as_none() -> None:
    answer = {
        "results": [
            {
                "statement_id": 0,
                "series": [
                    {
                        "name": "flows",
                        "tags": {"business": "hr", "region": ""},
                        "columns": ["time", "f0", "f1"],
                        "values": [[2000, 7, None], [4000, None, None]],
                    },
                    {
                        "name": "flows",
                        "tags": {"business": "erp", "region": "north"},
                        "columns": ["time", "f0", "f1"],
                        "values": [[0, 5, 0.5], [2000, 6, 0.25]],
                    },
                ],
            }
        ]
    }
    assert from_influxql(QUERY, answer) == [
        SeriesRow(0, ("erp", "north"), (5.0, 0.5)),
        SeriesRow(2000, ("erp", "north"), (6.0, 0.25)),
        SeriesRow(2000, ("hr", ""), (7.0, None)),
    ]
    assert from_influxql(QUERY, {"results": [{"statement_id": 0}]}) == []


def test_one_bin_is_stamped_with_the_beginning_of_the_range() -> None:
    query = replace(QUERY, step_milliseconds=0, group_by=(), fields=("octets",))
    series = {"name": "flows", "columns": ["time", "f0"], "values": [[8765, 5]]}
    assert from_influxql(query, {"results": [{"series": [series]}]}) == [SeriesRow(1000, (), (5.0,))]
    assert from_flux(query, [{"_time": 0, "_field": "octets", "_value": 5.0}]) == [SeriesRow(1000, (), (5.0,))]


@pytest.mark.parametrize("answer", [{"error": "it broke"}, {"results": [{"error": "it broke"}]}])
def test_an_error_in_an_influxql_answer_is_raised(answer: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="it broke"):
        from_influxql(QUERY, answer)


def test_flux_records_become_rows_bins_clipped_by_the_range_are_put_back_on_the_grid() -> None:
    records = [
        {"_time": 1000, "_field": "octets", "_value": 5.0, "business": "erp", "region": "north"},
        {"_time": 1000, "_field": "rtt_seconds", "_value": 0.5, "business": "erp", "region": "north"},
        {"_time": 2000, "_field": "octets", "_value": 7.0, "business": "hr", "region": None},
        {"_time": 2000, "_field": "unasked", "_value": 7.0, "business": "zz"},
    ]
    assert from_flux(QUERY, records) == [
        SeriesRow(0, ("erp", "north"), (5.0, 0.5)),
        SeriesRow(2000, ("hr", ""), (7.0, None)),
    ]


@pytest.mark.parametrize(
    ("query", "text"),
    [
        (replace(QUERY, fold="median"), "'median' is no fold; write one of last, max, mean, sum"),
        (replace(QUERY, fields=()), "a query of flows for no field"),
        (replace(QUERY, step_milliseconds=-1), "a step of -1 ms"),
        (replace(QUERY, to_milliseconds=0), "a range from 1000 back to 0"),
    ],
)
def test_what_no_store_could_answer_is_refused(query: SeriesQuery, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        check(query)
