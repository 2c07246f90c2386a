import json
from pathlib import Path

import pytest

from btimd.cli.btimd import main
from btimd.daemon.settings import RootSettings
from tests.daemon.small import settings_text, write_small

HOOK = '[itsm.webhook.desk]\nurl = "https://desk.example.org/hook"\nsecret_file = "/etc/btimd/desk.secret"\ntimeout = "5s"\n'


def test_every_setting_is_printed_with_what_was_written_and_with_defaults(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["dump-config", "-c", str(write_small(tmp_path, settings=settings_text() + HOOK))])
    printed = json.loads(capsys.readouterr().out)

    expected = RootSettings().model_dump(mode="json")
    expected["daemon"]["state_directory"] = "state"
    expected["capture"]["netflow"] |= {"listen": [["127.0.0.1", 0]], "receive_buffer_bytes": 65536}
    expected["api"] |= {"grpc_listen": ["127.0.0.1", 0], "http_listen": ["127.0.0.1", 0]}
    desk = printed["itsm"]["webhook"].pop("desk")
    assert status == 0
    assert printed == expected
    assert (desk["url"], desk["secret_file"], desk["timeout"], desk["max_in_flight"]) == (
        "https://desk.example.org/hook", "/etc/btimd/desk.secret", 5.0, 2,
    )  # fmt: skip


def test_wrong_settings_are_not_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["dump-config", "-c", str(write_small(tmp_path, settings="[apy]\n"))])

    assert (status, capsys.readouterr()) == (2, ("", "btimd.toml:1: apy: unknown key; did you mean 'api'?\n"))


def test_what_may_be_a_key_in_a_url_is_not_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hook = HOOK.replace("/hook", "/hooks/T0000/0123456789abcdef?key=0815")
    main(["dump-config", "-c", str(write_small(tmp_path, settings=settings_text() + hook))])
    assert json.loads(capsys.readouterr().out)["itsm"]["webhook"]["desk"]["url"] == (
        "https://desk.example.org/hooks/T0000/***?***"
    )
