"""Commands of btimctl: what people were told, their screen, their answers, tests of their addresses."""

import argparse
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from rich.console import Group
from rich.table import Table
from rich.text import Text

from btimd.api.calls_notices import answer_notice, notices, try_contact, watch_screen
from btimd.api.client import Page
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import clean, moment
from btimd.cli.incident_screen import incidents_table
from btimd.model.notification import Notice, NoticeKind, NoticeState, ReplyKind

_STYLES: Final[Mapping[NoticeState, str]] = {
    NoticeState.FAILED: "red", NoticeState.PENDING: "yellow", NoticeState.SENDING: "yellow",
    NoticeState.DELIVERED: "green", NoticeState.READ: "green", NoticeState.WITHDRAWN: "bright_black",
}  # fmt: skip
_PRIORITY_STYLES: Final = {1: "bold red", 2: "red", 3: "yellow"}
_ENDED: Final = frozenset(NoticeState) - {NoticeState.PENDING, NoticeState.SENDING}
_ASKS: Final = frozenset({NoticeKind.ORDER, NoticeKind.REMINDER})
_HELP: Final = {
    "zh": "接单 btimctl answer accept {number} | 退单 answer return {number} 原因 | 升级 answer escalate {number} 原因",
    "en": "btimctl answer accept {number} | answer return {number} REASON | answer escalate {number} REASON",
}
_WAIT_SECONDS: Final = 20.0
_LOOK_SECONDS: Final = 0.5


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    made = add("notices", _notices, "what people were told: by which means, how far it got, why not further")
    made.add_argument("incident", nargs="?", default="", metavar="INCIDENT", help="about this incident")
    made.add_argument("--person", default="", metavar="ID", help="to this person")
    made.add_argument("--text", action="store_true", help="with the texts")
    made.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")
    screen = add("screen", _screen, "follow what your person is told, as orders come")
    screen.add_argument("--everybody", action="store_true", help="what everybody is told; for managers")
    screen.add_argument("--language", choices=("zh", "en"), default="", help="of the hints; default: of the notices")
    answer = add("answer", _answer, "answer an order: accept, return, escalate")
    answer.add_argument("answer", choices=[kind.value for kind in ReplyKind])
    answer.add_argument(
        "incident", nargs="?", default="", metavar="INCIDENT", help="id or number; default: the only one"
    )
    answer.add_argument("reason", nargs="*", metavar="REASON", help="to return and to escalate")
    contact = add("contact", _contact, "send a test to an address of a person, and say how far it got")
    contact.add_argument("action", choices=["test"])
    contact.add_argument("person", metavar="PERSON")
    contact.add_argument("address", nargs="?", default="", metavar="ADDRESS", help="only this one; default: all")
    contact.add_argument("--no-wait", action="store_true", help="do not wait for what becomes of it")


def _notices(asking: Asking, args: argparse.Namespace) -> int:
    page = notices(asking.client, incident_id=args.incident, person=args.person, limit=args.limit)
    oldest_first = Page(tuple(reversed(page.items)), page.more)
    asking.out.page(oldest_first, lambda found: notices_table(found, texts=args.text), "nobody was told anything")
    return 0


def _screen(asking: Asking, args: argparse.Namespace) -> int:
    updates = watch_screen(asking.client, everybody=args.everybody)
    asking.out.follow(updates, lambda found: screen_picture(found, args.language))
    return 0


def _answer(asking: Asking, args: argparse.Namespace) -> int:
    incident = answer_notice(
        asking.client, ReplyKind(args.answer), command_id=uuid.uuid4().hex, incident_id=args.incident.strip("-"),
        reason=" ".join(args.reason),
    )  # fmt: skip
    asking.out.write([incident], lambda: incidents_table([incident], asking.clock.wall()))
    return 0


def _contact(asking: Asking, args: argparse.Namespace) -> int:
    sent = try_contact(asking.client, args.person, command_id=uuid.uuid4().hex, address=args.address)
    wanted = {one.id for one in sent.items}
    found = list(sent.items)
    until = asking.clock.monotonic() + (0.0 if args.no_wait else _WAIT_SECONDS)
    while any(one.state not in _ENDED for one in found) and asking.clock.monotonic() < until:
        time.sleep(_LOOK_SECONDS)
        listed = notices(asking.client, person=args.person, limit=200)
        found = [one for one in listed.items if one.id in wanted] or found
    asking.out.write(found, lambda: notices_table(found))
    return 1 if any(one.state is NoticeState.FAILED for one in found) else 0


def notices_table(found: Sequence[Notice], *, texts: bool = False) -> Table:
    """Show attempts, one per line."""
    last = "text" if texts else "remarks"
    table = new_table("at", "person", "kind", "means", "channel", "state", last, wide=last)
    return fill(
        table,
        (
            (
                moment(one.at, None),
                one.person,
                one.kind.value + (f" {one.round + 1}" if one.round else ""),
                one.means.value,
                one.channel,
                Text(one.state.value.replace("_", " "), style=_STYLES.get(one.state, "default")),
                one.text if texts else _remarks(one),
            )
            for one in found
        ),
    )


def _remarks(notice: Notice) -> str:
    parts = [notice.error, "may have arrived" if notice.uncertain else ""]
    parts.append(f"told with {notice.folded_into}" if notice.folded_into else "")
    parts.append(f"{notice.attempts} times" if notice.attempts > 1 else "")
    return "; ".join(part for part in parts if part)


def screen_picture(found: Sequence[Notice], language: str = "") -> Group:
    """Show notices as a person at a screen reads them: oldest first, orders with how to answer them.

    language: of the hints, "" = of each notice.
    """
    lines: list[Text] = []
    for one in sorted(found, key=lambda notice: notice.due_at):
        style = _PRIORITY_STYLES.get(int(one.priority), "default") if one.kind in _ASKS else "default"
        lines.append(Text(f"{moment(one.due_at, None)}  {one.person}  {clean(one.text)}", style=style))
        if one.kind in _ASKS:
            lines.append(Text(f"    {_HELP[language or one.language].format(number=one.number)}", style="bright_black"))
    return Group(*lines)
