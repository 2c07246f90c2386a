"""Commands of btimctl: kept diagnoses as stories, pictures and files."""

import argparse
import os
from pathlib import Path

from rich.text import Text

from btimd.api.calls_diagnosis import diagnosis_file, diagnosis_story, kept_diagnoses
from btimd.api.client import CallFailedError
from btimd.cli.ctl_areas import Add, Asking
from btimd.cli.story_phrases import LANGUAGES
from btimd.cli.story_picture import entries_table, story_picture
from btimd.cli.story_svg import dot, svg
from btimd.model.diagnosis import DiagnosisStory


def add_commands(add: Add) -> None:
    """Add the commands of this area."""
    made = add("diagnosis", _diagnosis, "kept diagnoses: list; show one as a story and a picture; export its file")
    made.add_argument("what", choices=("list", "show", "export"))
    made.add_argument("id", nargs="?", metavar="ID")
    made.add_argument("file", nargs="?", type=Path, metavar="FILE", help="export: ends in .capsule.json.gz")
    made.add_argument("--graph", type=Path, metavar="FILE", help="show: draw the graph to FILE.svg or FILE.dot too")
    made.add_argument("--lang", choices=LANGUAGES, default="en", help="show: language of story and picture")
    made.add_argument("--limit", type=int, default=0, metavar="N", help="list: at most so many; default 100")


def _diagnosis(asking: Asking, args: argparse.Namespace) -> int:
    if args.what == "list":
        asking.out.page(kept_diagnoses(asking.client, args.limit), entries_table, "no diagnosis is kept")
        return 0
    if args.id is None:
        raise CallFailedError(f"diagnosis {args.what}: say which one; `btimctl diagnosis list` shows them")
    if args.what == "export":
        return _export(asking, args)
    if args.graph is not None:
        check_picture_name(args.graph)
    story = diagnosis_story(asking.client, args.id)
    if args.graph is not None:
        write_picture(story, args.graph, args.lang)
    asking.out.write([story], lambda: story_picture(story, args.lang))
    return 0


def _export(asking: Asking, args: argparse.Namespace) -> int:
    if args.file is None:
        raise CallFailedError("diagnosis export: say into which file")
    octets = diagnosis_file(asking.client, args.id)
    try:
        # what checks said is nobody else's to read
        with os.fdopen(os.open(args.file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(octets)
    except OSError as error:
        raise CallFailedError(f"{args.file}: cannot be written: {error.strerror}") from error
    told = {"id": args.id, "file": str(args.file), "octets": len(octets)}
    asking.out.write([told], lambda: Text(f"{args.file}: {len(octets)} octets; btimd replay {args.file}"))
    return 0


def check_picture_name(path: Path) -> None:
    """Raise CallFailedError for a file whose name does not say how it is to be drawn."""
    if path.suffix not in {".svg", ".dot"}:
        raise CallFailedError(f"--graph: {path} ends neither in .svg nor in .dot")


def write_picture(story: DiagnosisStory, path: Path, language: str) -> None:
    """Draw the graph of a story into a file; raises CallFailedError where that cannot be."""
    draw = svg if path.suffix == ".svg" else dot
    try:
        path.write_text(draw(story, "zh" if language == "zh" else "en"), encoding="utf-8")
    except OSError as error:
        raise CallFailedError(f"{path}: cannot be written: {error.strerror}") from error
