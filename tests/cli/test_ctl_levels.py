"""Periods for a spreadsheet; the commands themselves are asked in test_btimctl."""

import csv
import io
from dataclasses import replace

from btimd.cli.ctl_levels import CSV_COLUMNS, periods_csv
from btimd.model.agreement import DownShare
from tests.fakes.levels import BEFORE, FIGURES


def test_periods_are_rows_with_empty_cells_where_nothing_is_known() -> None:
    rows = list(csv.DictReader(io.StringIO(periods_csv([BEFORE, FIGURES]))))

    assert tuple(rows[0]) == CSV_COLUMNS
    assert [(row["status"], row["availability"], row["failures"]) for row in rows] == [
        ("breached", "", "2"),
        ("at-risk", "0.997700", "2"),
    ]
    assert rows[1]["by_cause"] == "ora1 1200.0 s; unknown 600.0 s"


def test_a_name_is_never_a_formula() -> None:
    hostile = replace(FIGURES, subject="=cmd()", by_cause=(DownShare("@x\n", 1.0, 1),))
    (row,) = csv.DictReader(io.StringIO(periods_csv([hostile])))

    assert (row["subject"], row["by_cause"]) == ("'=cmd()", "'@x  1.0 s")
