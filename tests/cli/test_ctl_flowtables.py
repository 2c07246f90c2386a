from dataclasses import replace

from rich.console import Console, RenderableType

from btimd.cli.ctl_flowtables import flows_table, notes, ranking_table, status_text
from btimd.model.archive import Coverage
from tests.fakes.archive import FLOW, RANKING, STATUS


def shown(picture: RenderableType) -> list[str]:
    console = Console(width=200, color_system=None)
    with console.capture() as captured:
        console.print(picture)
    return [" ".join(line.split()) for line in captured.get().splitlines()]


def test_a_record_says_which_way_it_went_and_that_it_is_an_estimate() -> None:
    line = "10.1.0.5:40000 > [2001:db8::2]:443 tcp ~12 kB 20 FSPA erp,hr core-1 (duplicate)"
    assert shown(flows_table([FLOW]))[1].endswith(line)
    back = replace(FLOW, from_client=False, sampling_rate=1, businesses=(), protocol=99, duplicate=False)
    assert "10.1.0.5:40000 < [2001:db8::2]:443 99 12 kB 20 FSPA -" in shown(flows_table([back]))[1]


def test_what_belongs_to_nothing_is_called_none() -> None:
    rows = (replace(RANKING.rows[0], keys=("",), share=None),)
    assert shown(ranking_table(replace(RANKING, rows=rows, total=None)))[1] == "1 (none) 60 B -"


def test_notes_are_few_where_all_is_well() -> None:
    assert list(notes(Coverage(1, 1, 10, stopped="enough was found"), more=False)) == [
        "10 records in 1 files of 1 hours were searched in 0 s"
    ]
    assert "not everything was read: the time limit" in list(
        notes(Coverage(1, 1, 10, stopped="the time limit"), more=False)
    )


def test_the_state_is_said_line_by_line() -> None:
    assert shown(status_text(replace(STATUS, bad_files=("x: y",), problem="the disk is full")))[3:] == [
        "size 1.2 GB of 10 GB",
        "keeps 7 d",
        "written 5 records since the start, 7 wait in memory",
        "lost 6 records since the start",
        "broken x: y",
        "problem the disk is full",
    ]
    off = "the archive is switched off: store.archive.enabled = false; nothing is taken"
    assert shown(status_text(replace(STATUS, enabled=False, files=0))) == [off]
    assert shown(status_text(replace(STATUS, enabled=False)))[:2] == [
        off,
        "holds 100 M records of 24 hours in 48 files",
    ]
