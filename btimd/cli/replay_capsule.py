"""btimd replay of a capsule: makes a kept diagnosis again, tells it, and says whether it comes out the same."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path
from typing import Final

from btimd.api.client import CallFailedError
from btimd.cli.common import plain_console
from btimd.cli.ctl_diagnosis import check_picture_name, write_picture
from btimd.cli.ctl_text import json_line
from btimd.cli.story_phrases import LANGUAGES
from btimd.cli.story_picture import story_picture
from btimd.model.diagnosis import DiagnosisStory
from btimd.model.probe import Health
from btimd.rca.capsule import Capsule
from btimd.rca.capsulefiles import SUFFIX, CapsuleError, read
from btimd.rca.replay import differences
from btimd.rca.story import story_of, tell
from btimd.rca.whatif import what_if

SAME: Final = 0
DIFFERENT: Final = 1
NO_CAPSULE: Final = 2
_GZIP: Final = b"\x1f\x8b"


def add_capsule_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that go with a capsule."""
    parser.add_argument(
        "--what-if",
        action="append",
        default=[],
        type=_assumed,
        metavar="CHECK=good|bad|unknown",
        help="capsule: make it again as if this check had said so; may be repeated",
    )
    parser.add_argument("--lang", choices=LANGUAGES, default="en", help="capsule: language of the story")
    parser.add_argument(
        "--graph", type=Path, metavar="FILE", help="capsule: draw the graph to FILE.svg or FILE.dot too"
    )


def is_capsule(path: Path) -> bool:
    """Tell whether a file is meant as a capsule: by its name, or because it is packed and no capture is."""
    if path.name.endswith(SUFFIX):
        return True
    try:
        with path.open("rb") as file:
            return file.read(len(_GZIP)) == _GZIP and not path.name.endswith((".pcap.gz", ".pcapng.gz"))
    except OSError:
        return False


def replay_capsule(options: argparse.Namespace) -> int:
    """Tell the diagnosis; return whether its verdict is the same."""
    try:
        if options.graph is not None:
            check_picture_name(options.graph)
        capsule = read(options.file)
        story = _supposed(capsule, dict(options.what_if)) if options.what_if else story_of(capsule)
        if options.graph is not None:
            write_picture(story, options.graph, options.lang)
    except (CapsuleError, CallFailedError) as error:
        print(f"btimd replay: {error}", file=sys.stderr)
        return NO_CAPSULE
    if options.json:
        print(json_line(story))
    else:
        plain_console().print(story_picture(story, options.lang))
    return _judge(story, supposed=bool(options.what_if))


def _judge(story: DiagnosisStory, *, supposed: bool) -> int:
    """Say on standard error what came out."""
    if not story.complete:
        print("this diagnosis cannot be made again: more happened than was kept", file=sys.stderr)
        return DIFFERENT
    if not story.differences:
        print("same verdict", file=sys.stderr)
        return SAME
    print("with these answers, another verdict:" if supposed else "not the same verdict:", file=sys.stderr)
    for difference in story.differences:
        print(f"  {difference}", file=sys.stderr)
    return DIFFERENT


def _supposed(capsule: Capsule, answers: dict[str, Health]) -> DiagnosisStory:
    """Return the story as it would be with other answers; raises CapsuleError where there is none to tell."""
    try:
        run = what_if(capsule, answers)
    except KeyError as error:
        raise CapsuleError(f"--what-if: the model of this diagnosis has no check {error.args[0]}") from error
    verdict = run.verdicts.get(capsule.verdict.id)
    if verdict is None:
        raise CapsuleError("with these answers there is no verdict: the symptom is not explained, or it joins another")
    differs = differences(capsule.verdict, replace(verdict, probes_used=capsule.verdict.probes_used))
    return tell(replace(capsule, verdict=verdict), run, verdict, differs)


def _assumed(text: str) -> tuple[str, Health]:
    """Return a check and what it is assumed to say; argparse tells what is wrong with another text."""
    check, _, health = text.rpartition("=")
    if not check or health not in {one.value for one in Health}:
        raise argparse.ArgumentTypeError(f"{text!r}: say CHECK=good, CHECK=bad or CHECK=unknown")
    return check, Health(health)
