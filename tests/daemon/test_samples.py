"""The samples in config/: every example that stands in a comment is right when it is taken out of it."""

import re
import shutil
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from btimd.cli.btimd import main
from btimd.itsm.notify.settings import NotifySettings
from btimd.itsm.settings import ItsmSettings
from btimd.settings import people, rota
from btimd.settings.fields import Section

CONFIG = Path(__file__).parents[2] / "config"
FILES = ("btimd.toml", "people.toml", "rota.toml")
CALENDAR = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//example//EN\r\nEND:VCALENDAR\r\n"

_EXAMPLE = re.compile(r"^# (?=\[|[A-Za-z_][\w.-]* = )")
_NOTIFY = re.compile(r"^\[itsm\.notify.*?(?=^\[(?!itsm\.notify))", re.MULTILINE | re.DOTALL)


def taken_out(text: str) -> str:
    """Return a sample with its examples in force."""
    return "\n".join(_EXAMPLE.sub("", line) for line in text.splitlines()) + "\n"


@pytest.fixture
def samples(tmp_path: Path) -> Path:
    """A copy of config/ with every example in force."""
    folder = tmp_path / "config"
    shutil.copytree(CONFIG, folder)
    for name in FILES:
        (folder / name).write_text(taken_out((folder / name).read_text("utf-8")), "utf-8")
    (folder / "noc.ics").write_text(CALENDAR, "utf-8")
    return folder


def test_there_is_an_example_of_every_kind_of_target_and_of_every_way_in_and_out(samples: Path) -> None:
    itsm = tomllib.loads((samples / "btimd.toml").read_text("utf-8"))["itsm"]
    targets = {name for name, field in ItsmSettings.model_fields.items() if field.default_factory is dict}

    assert targets - itsm.keys() == set()
    assert {"smtp", "imap", "template", "class"} <= itsm["intake"].keys()
    assert {"robot", "gateway", "mail"} <= itsm["notify"].keys()


@pytest.mark.parametrize(("name", "module"), [("people.toml", people), ("rota.toml", rota)])
def test_every_key_of_people_and_rota_is_shown(name: str, module: ModuleType) -> None:
    text = (CONFIG / name).read_text("utf-8")
    models = [one for one in vars(module).values() if isinstance(one, type) and issubclass(one, Section)]
    keys = {field.alias or key for model in models for key, field in model.model_fields.items()}

    assert {key for key in keys if not re.search(rf"\b{key}\b", text)} == set()


def test_all_examples_together_are_a_right_configuration(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = samples / "btimd.toml"
    text = file.read_text("utf-8")
    NotifySettings.model_validate(tomllib.loads(text)["itsm"]["notify"])
    if "notify" not in ItsmSettings.model_fields:
        file.write_text(_NOTIFY.sub("", text), "utf-8")

    assert (main(["check", "-c", str(samples)]), capsys.readouterr().err) == (0, "")
