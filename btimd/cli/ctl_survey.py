"""Commands of btimctl: surveys."""

import argparse
import uuid
from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from btimd.api import calls_knowledge as calls
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.ctl_history import add_window, window_of
from btimd.cli.ctl_tables import fill, new_table
from btimd.cli.ctl_text import moment, percent
from btimd.model.knowledge import Survey, SurveyFigures, SurveyState

_STYLES: Final = {
    SurveyState.INVITED: "cyan", SurveyState.REMINDED: "yellow", SurveyState.ANSWERED: "green",
    SurveyState.EXPIRED: "bright_black",
}  # fmt: skip


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    top = add("survey", _survey, "how content reporters are: answers, who was asked, the rate of answers")
    what = top.add_subparsers(dest="what", required=True, metavar="WHAT")
    listed = what.add_parser("list", help="surveys, the latest changed first")
    listed.add_argument("--state", action="append", default=[], choices=[one.value for one in SurveyState])
    listed.add_argument("--limit", type=int, default=0, metavar="N", help="at most so many, up to 1000; default 100")
    answer = what.add_parser("answer", help="say how content you are with how an incident was dealt with")
    answer.add_argument("incident", metavar="INCIDENT")
    answer.add_argument("score", type=int, choices=range(1, 6), help="1 (not at all) to 5")
    answer.add_argument("comment", nargs="?", default="", metavar="COMMENT")
    add_window(what.add_parser("rate", help="satisfaction, and how many of those who were asked answered"), "30d")


def _survey(asking: Asking, args: argparse.Namespace) -> int:
    client, out = asking.client, asking.out
    match args.what:
        case "list":
            page = calls.surveys(client, states=[SurveyState(one) for one in args.state], limit=args.limit)
            out.page(page, surveys_table, "nobody was asked")
        case "answer":
            done = calls.answer_survey(client, args.incident, args.score, args.comment, uuid.uuid4().hex)
            out.write([done], lambda: surveys_table([done]))
        case _:
            figures = calls.survey_figures(client, *window_of(args, asking.clock.wall()))
            out.write([figures], lambda: survey_figures_picture(figures))
    return 0


def surveys_table(surveys: Sequence[Survey]) -> Table:
    """Show surveys."""
    table = new_table(
        "incident", "state", "person", "asked", "answered", "score", "comment", right=("score",), wide="comment"
    )
    return fill(
        table,
        (
            (one.id, Text(one.state.value, style=_STYLES[one.state]), one.person, moment(one.invited_at),
             moment(one.answered_at), "-" if one.score is None else str(one.score), one.comment)
            for one in surveys
        ),
    )  # fmt: skip


def survey_figures_picture(figures: SurveyFigures) -> Text:
    """Show what surveys came to; the rate of answers stands beside every share of them."""
    if not figures.invited:
        return Text("nobody was asked in that time")
    rate = f"{percent(figures.response_rate)} answered ({figures.answered} of {figures.invited} who were asked)"
    if not figures.answered:
        return Text(f"nobody answered yet: how content they are is not known; {rate}")
    return Text(
        f"{percent(figures.satisfaction)} are content (scores of 4 and 5: {figures.satisfied} of {figures.answered}),"
        f" mean score {figures.mean_score:.2f}\n{rate}, {figures.expired} let it pass"
    )
