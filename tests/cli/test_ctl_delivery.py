import json
from pathlib import Path

import pytest

from btimd.cli.btimctl import main
from tests.api.conftest import Served
from tests.cli.serving import asked
from tests.fakes.delivery import LETTER


async def test_targets_are_listed_tried_paused_and_resumed(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    assert await asked(served, "mona", "targets") == 0
    shown = capsys.readouterr().out
    assert "redmine" in shown
    assert "the real one" in shown
    assert await asked(served, "otto", "targets", "try", "desk") == 0
    assert "credentials accepted; it works" in capsys.readouterr().out
    assert await asked(served, "mona", "targets", "pause", "desk", "new release", "--command-id", "c1") == 0
    assert "paused" in capsys.readouterr().out
    assert await asked(served, "mona", "targets", "resume", "desk", "done", "--command-id", "c2") == 0
    assert served.delivery.asked == [
        ("pause", "desk", "mona", "new release", "c1"), ("resume", "desk", "mona", "done", "c2"),
    ]  # fmt: skip
    assert await asked(served, "otto", "targets", "log") == 0
    assert "wrong form" in capsys.readouterr().out


async def test_dead_letters_are_listed_shown_edited_sent_again_and_dropped(
    served: Served, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert await asked(served, "otto", "dead-letters", "--target", "desk") == 0
    assert "refused: HTTP 422" in capsys.readouterr().out
    assert await asked(served, "otto", "dead-letters", "show", LETTER.id) == 0
    assert '{"a": 1}' in capsys.readouterr().out
    body = tmp_path / "body.json"
    body.write_text("{}")
    assert (
        await asked(served, "mona", "dead-letters", "edit", LETTER.id, "typo", "--file", str(body), "--command-id", "c")
        == 0
    )
    assert await asked(served, "otto", "dead-letters", "resend", LETTER.id, "mended", "--command-id", "d") == 0
    assert await asked(served, "mona", "dead-letters", "drop", LETTER.id, "old", "--command-id", "e") == 0
    assert served.delivery.asked[1:] == [
        ("edit", LETTER.id, "{}", "mona", "typo", "c"), ("resend", LETTER.id, "otto", "mended", "d"),
        ("drop", LETTER.id, "mona", "old", "e"),
    ]  # fmt: skip


async def test_the_outbox_of_an_incident_tells_what_targets_call_it(
    served: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await asked(served, "vera", "outbox", "INC-1") == 0
    assert "77" in capsys.readouterr().out
    assert await asked(served, "vera", "--json", "outbox", "INC-1") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one.get("external_id") for one in lines] == [None, "77"]
    assert await asked(served, "vera", "outbox", "INC-9") == 0
    assert "no target is owed anything" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("targets", "pause"), "targets pause: say which one"),
        (("targets", "pause", "desk"), "targets pause: say why"),
        (("dead-letters", "drop"), "dead-letters drop: say which one"),
        (("dead-letters", "drop", "x"), "dead-letters drop: say why"),
        (("dead-letters", "edit", "x", "why"), "--file FILE"),
        (("dead-letters", "edit", "x", "why", "--file", "/nowhere"), "cannot read /nowhere"),
    ],
)
def test_what_is_missing_is_said_before_anything_is_asked(
    arguments: tuple[str, ...], text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 1
    assert text in capsys.readouterr().err
