import json
import tomllib

import pytest

from btimd.cli.btimd import main
from btimd.cli.checks import OUTCOMES
from btimd.model.probe import ErrorClass
from btimd.probes.catalogue import SPECS
from btimd.probes.templates import PRODUCTS


def test_the_catalogue_lists_every_kind_and_product(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks"]) == 0
    printed = capsys.readouterr().out.splitlines()
    first_words = [line.split(" ")[0] for line in printed]
    assert {*map(str, SPECS), *(one.name for one in PRODUCTS)} <= set(first_words)


def test_a_kind_is_shown_with_its_options_and_outcomes(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks", "uptime"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("kind uptime\ncost 1.5; good needs the node itself\n")
    assert "a restart less long ago is bad" in printed
    assert "the agent does not answer: no evidence of this state" in printed


def test_a_product_is_shown_by_any_of_its_names(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks", "hpux"]) == 0
    assert capsys.readouterr().out.startswith("product hp-ux: HP-UX with its own agent\nalso hpux\ncheck")


def test_tables_are_written_for_a_node(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks", "--toml", "tomcat", "--node", "app1", "--host", "app1.example"]) == 0
    written = tomllib.loads(capsys.readouterr().out)
    assert set(written["check"]) == {"app1-ping", "app1-listens", "app1-page"}
    assert {one["node"] for one in written["check"].values()} == {"app1"}


def test_everything_is_there_for_programs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks", "ups", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    assert [one["kind"] for one in printed["kinds"]] == ["ups"]
    assert printed["kinds"][0]["closure"] == "own"
    assert [one["kind"] for one in printed["products"][0]["checks"]] == ["icmp", "ups"]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["orakle"], "'orakle' is neither a product nor a kind of check; did you mean 'oracle'?"),
        (["--toml", "orakle", "--node", "n", "--host", "h"], "'orakle' is no known product; did you mean 'oracle'?"),
        (["--toml", "oracle"], "--toml needs --node and --host"),
    ],
)
def test_wrong_names_are_said(arguments: list[str], error: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["checks", *arguments]) == 2
    assert error in capsys.readouterr().err


def test_every_outcome_is_explained() -> None:
    assert set(OUTCOMES) == {"good", *ErrorClass} - {ErrorClass.NONE, ErrorClass.UNUSUAL}
