"""The history of a record as btimctl shows it, and windows of time as people write them."""

import argparse
from collections.abc import Sequence
from datetime import UTC, datetime

from rich.table import Table

from btimd.cli.common import seconds_of
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import moment
from btimd.model.knowledge import RecordEvent
from btimd.model.units import UnixSeconds


def history_table(events: Sequence[RecordEvent]) -> Table:
    """Show who did what to a record; the fields that changed are in --json."""
    table = new_table("#", "when", "who", "what", "state", "why", right=("#",), wide="why")

    def why(event: RecordEvent) -> str:
        return "; ".join(one for one in (event.about, event.note, event.reason) if one)

    def state(event: RecordEvent) -> str:
        same = event.from_state in {"", event.to_state}
        return event.to_state if same else f"{event.from_state} > {event.to_state}"

    return fill(
        table,
        (
            (str(one.seq), moment(one.at), one.actor, one.action, state(one), why(one))
            for one in events
        ),
    )  # fmt: skip


def add_window(made: argparse.ArgumentParser, default: str) -> None:
    """Add --since, --from and --until."""
    made.add_argument(
        "--since", type=seconds_of, default=seconds_of(default), metavar="DURATION",
        help=f"from so long ago, as 7d or 24h; default {default}",
    )  # fmt: skip
    made.add_argument("--from", dest="start", type=day_of, metavar="DAY", help="from this day on, 2026-11-01 (UTC)")
    made.add_argument("--until", dest="end", type=day_of, metavar="DAY", help="until the beginning of this day (UTC)")


def window_of(args: argparse.Namespace, now: UnixSeconds) -> tuple[UnixSeconds, UnixSeconds]:
    """Return start and end of what was asked for."""
    end: UnixSeconds = now if args.end is None else args.end
    return (end - args.since if args.start is None else args.start), end


def day_of(text: str) -> UnixSeconds:
    """Return the beginning of a day, or a moment, in UTC unless it says another zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; write it as 2026-11-01 or 2026-11-01T08:00") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
