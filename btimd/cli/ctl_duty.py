"""btimctl duty: who is there, the week, why an order went to whom, who could get it, who has how much."""

import argparse
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.api.calls_duty import duty_load, explain_dispatch, get_duty, get_rota, transfer_candidates
from btimd.cli.ctl_areas import Add, Asking, Run
from btimd.cli.ctl_incidents import read_moment
from btimd.cli.ctl_rota import add_actions
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean, moment
from btimd.model.duty import DutyRole, DutySlot, Presence
from btimd.model.dutyview import (
    CandidateRow,
    Candidates,
    CandidateTable,
    DispatchExplained,
    GroupDuty,
    PersonLoad,
    RotaSpan,
)
from btimd.model.units import UnixSeconds

_SHOWN: Final = {
    Presence.ON_SHIFT: ("● on shift", "green"),
    Presence.BACKUP: ("○ back-up", "cyan"),
    Presence.SOON: ("◔ soon", "yellow"),
    Presence.OFF: ("· off", "bright_black"),
}
_FACTORS: Final = ("duty", "skill", "load", "fair", "affinity")


def add_commands(add: Add) -> None:
    """Add duty."""
    made = add("duty", show_now, "who is on duty now; the week; why an order went to whom; candidates; load")
    _group(made)
    actions = made.add_subparsers(metavar="ACTION")

    def action(name: str, run: Run, text: str) -> argparse.ArgumentParser:
        parser = actions.add_parser(name, help=text, description=text)
        parser.set_defaults(run=lambda held, args: run(held.asking, args))
        return parser

    _group(action("now", show_now, "who is on duty, by group"))
    week = action("week", show_week, "the rota as a table, with what is wrong with it")
    _group(week)
    week.add_argument("--days", type=int, default=0, metavar="N", help="up to 62; default 7, from Monday")
    action("why", show_why, "why its orders went to whom: the whole table").add_argument("id", metavar="INCIDENT")
    action("candidates", show_candidates, "who could get an incident now").add_argument("id", metavar="INCIDENT")
    add_actions(action)
    load = action("load", show_load, "how much everybody has")
    load.add_argument("--weeks", type=int, default=0, metavar="N", help="up to 13; default 1")
    load.add_argument("--at", type=read_moment, metavar="TIME", help="the first week is that of this time")


def show_now(asking: Asking, args: argparse.Namespace) -> int:
    """Show who is there."""
    asking.out.page(get_duty(asking.client, args.group, args.at), duty_table, "no groups: there is no people.toml")
    return 0


def show_week(asking: Asking, args: argparse.Namespace) -> int:
    """Show the rota."""
    found = get_rota(asking.client, args.group, args.at, args.days)
    asking.out.write([found], lambda: rota_picture(found))
    return 0


def show_why(asking: Asking, args: argparse.Namespace) -> int:
    """Show decisions."""
    page = explain_dispatch(asking.client, args.id)
    asking.out.page(page, why_picture, f"the dispatcher has not decided about {args.id}")
    return 0


def show_candidates(asking: Asking, args: argparse.Namespace) -> int:
    """Show who could get an incident."""
    found = transfer_candidates(asking.client, args.id)
    asking.out.write([found], lambda: candidates_picture(found))
    return 0


def show_load(asking: Asking, args: argparse.Namespace) -> int:
    """Show how much everybody has."""
    asking.out.page(duty_load(asking.client, args.at, args.weeks), load_table, "no people: there is no people.toml")
    return 0


def _group(made: argparse.ArgumentParser) -> None:
    made.add_argument("--group", default="", metavar="ID", help="only this one")
    made.add_argument("--at", type=read_moment, metavar="TIME", help="2026-11-22 or 2026-11-22T18:00; default: now")


def duty_table(groups: Sequence[GroupDuty]) -> Table:
    """Show who is there, a line per person."""
    table = new_table("group", "who", "name", "stands", "until", "changes", "note", wide="note")

    def rows() -> Iterator[Sequence[str | Text]]:
        for duty in groups:
            note = duty.fault or ("" if duty.ruled else "no rota: by working hours")
            change = moment(duty.next_change_at)
            if not duty.people:
                yield (
                    duty.group,
                    "nobody",
                    "",
                    "",
                    "",
                    change,
                    Text(clean(note), style="bold red" if duty.fault else ""),
                )
            for number, one in enumerate(duty.people):
                word, style = _SHOWN[one.presence]
                first = number == 0
                yield (
                    duty.group if first else "",
                    one.person,
                    one.name_zh or one.name,
                    Text(word, style=style),
                    moment(one.until),
                    change if first else "",
                    Text(clean(note if first else ""), style="bold red" if duty.fault else "default"),
                )

    return fill(table, rows())


def rota_picture(found: RotaSpan) -> Group:
    """Show a rota: a column per day, a line per group and role; then what is wrong."""
    zone = ZoneInfo(found.timezone)
    first = datetime.fromtimestamp(found.start_at, UTC).astimezone(zone)
    days = []
    while first.timestamp() < found.end_at:
        days.append(first)
        first = (first + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    pictures: list[Table | Text] = []
    for part in (days[number : number + 7] for number in range(0, len(days), 7)):
        pictures += [_week_table(found.slots, part, zone), Text()]
    if not found.slots:
        pictures = [Text("nobody is on duty in this time"), Text()]
    wrong = [Text(f"{problem.kind.value}: {clean(problem.text)}", style="red") for problem in found.problems]
    return Group(*pictures, *(wrong or [Text("no gaps, no overlaps, rests are kept", style="green")]))


def _week_table(slots: Sequence[DutySlot], days: Sequence[datetime], zone: ZoneInfo) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    table.add_column("group", no_wrap=True)
    for day in days:
        table.add_column(f"{day:%a %m-%d}", overflow="fold")
    keys = dict.fromkeys((slot.group, slot.role) for slot in slots)
    for group, role in keys:
        cells = [Text(group + (" (back-up)" if role is DutyRole.BACKUP else ""))]
        for day in days:
            low = day.timestamp()
            high = (day + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
            own = [slot for slot in slots if (slot.group, slot.role) == (group, role)]
            there = [slot for slot in own if slot.start_at < high and slot.end_at > low]
            cells.append(Text(clean("\n".join(_slot_text(slot, low, high, zone) for slot in there) or "-")))
        table.add_row(*cells)
    return table


def _slot_text(slot: DutySlot, low: UnixSeconds, high: UnixSeconds, zone: ZoneInfo) -> str:
    start, end = max(slot.start_at, low), min(slot.end_at, high)
    mark = {"override": "*", "calendar": "+"}.get(slot.source, "")
    if (start, end) == (low, high):
        return f"{slot.person}{mark}"
    low_text, high_text = (
        f"{datetime.fromtimestamp(at, UTC).astimezone(zone):%H:%M}".removesuffix(":00") for at in (start, end)
    )
    return f"{low_text}-{'24' if end == high else high_text} {slot.person}{mark}"


def why_picture(decisions: Sequence[DispatchExplained]) -> Group:
    """Show decisions, each with its tables."""
    parts: list[Table | Text] = []
    for one in decisions:
        who = one.chosen or "nobody"
        head = f"#{one.seq} {one.kind} {moment(one.at)}: {who}, class {one.work_class}, path {one.path or 'none'}"
        parts += [Text(clean(head), style="bold"), Text(clean(one.text))]
        weights = ", ".join(f"{name} {getattr(one.weights, name):g}" for name in _FACTORS)
        parts.append(Text(f"weights of {one.priority.name}: {weights}"))
        for table in one.tables:
            parts += _level_parts(table, one.chosen)
        parts.append(Text())
    return Group(*parts[:-1])


def _level_parts(table: CandidateTable, chosen: str) -> Iterator[Table | Text]:
    yield Text(f"level {table.level}, group {table.group}, rota {table.rota}:", style="underline")
    if table.rows:
        yield rows_table(table.rows, chosen)
    for what, people in (("off duty", table.off), ("asked before or excluded", table.excluded)):
        if people:
            yield Text(clean(f"  {what}: {', '.join(people)}"))


def rows_table(rows: Iterable[CandidateRow], chosen: str = "") -> Table:
    """Show people as they were weighed; ">" is who was chosen."""
    numbers = ("score", *_FACTORS)
    table = new_table("", "who", *numbers, "facts", right=numbers, wide="facts")
    return fill(
        table,
        (
            (
                ">" if chosen and row.person == chosen else "",
                row.person,
                f"{row.score:.2f}",
                *(f"{getattr(row, factor):.2f}" for factor in _FACTORS),
                row.reasons,
            )
            for row in rows
        ),
    )


def candidates_picture(found: Candidates) -> Group:
    """Show who could get an incident."""
    title = (
        f"{found.incident_id}: peers that {found.handler} may hand it to (level {found.level})"
        if found.for_transfer
        else f"{found.incident_id}: whom the dispatcher would ask"
    )
    parts: list[Table | Text] = [Text(clean(title), style="bold")]
    if found.text:
        parts.append(Text(clean(found.text)))
    if found.rows:
        parts.append(rows_table(found.rows, "" if found.for_transfer else found.rows[0].person))
    return Group(*parts)


def load_table(people: Sequence[PersonLoad]) -> Table:
    """Show weeks of people."""
    numbers = ("duty h", "back-up h", "night h", "weekend h", "longest h", "incidents", "open", "load")
    table = new_table("week", "who", "name", *numbers, right=numbers)
    return fill(
        table,
        (
            (
                f"{datetime.fromtimestamp(one.week_at + 43_200, UTC):%m-%d}",
                one.person,
                one.name_zh or one.name,
                *(
                    f"{hours:.4g}"
                    for hours in (
                        one.primary_hours,
                        one.backup_hours,
                        one.night_hours,
                        one.weekend_hours,
                        one.longest_hours,
                    )
                ),
                str(one.incidents),
                str(one.open_orders),
                Text(f"{one.open_load:.1f} of {one.capacity:g}", style="red" if one.open_load > one.capacity else ""),
            )
            for one in people
        ),
    )
