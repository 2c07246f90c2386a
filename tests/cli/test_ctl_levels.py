"""Periods for a spreadsheet; the commands themselves are asked in test_btimctl."""

import csv
import io
import json
from dataclasses import replace

from btimd.cli.ctl_levels import CSV_COLUMNS, periods_csv
from btimd.cli.ctl_text import json_line
from btimd.model.agreement import DownShare
from tests.fakes.levels import BEFORE, ENTRY, FIGURES
from tests.fakes.maintenance import VIEWS


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


def test_programs_read_moments_of_corrections_and_windows_as_rfc_3339() -> None:
    revision = json.loads(json_line(ENTRY))["revision"]
    window = json.loads(json_line(VIEWS[1]))

    assert (revision["start"], revision["end"]) == ("2026-11-01T16:00:00.000Z", "2026-11-01T16:10:00.000Z")
    assert (window["holds_from"], window["suppression"]["end_at"]) == (
        "2026-10-31T16:00:00.000Z",
        "2026-10-31T17:00:00.000Z",
    )
