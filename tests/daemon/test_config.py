"""Whole configuration folders: what each says when it is right, and every mistake with file and line when it is not.

A folder of tests/config_cases holds input files and expected.txt: the exit status of `btimd check`, what it prints, and
for a right one what was understood. `sample-config` stands for config/, the one that is shipped.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from btimd.cli.btimd import main
from btimd.daemon.config import Config, load_config
from btimd.settings.report import SettingsError
from tests.daemon.small import settings_text, write_small

ROOT = Path(__file__).parents[2]
CASES = ROOT / "tests" / "config_cases"
SAMPLE = "sample-config"


def dump(config: Config) -> Iterator[str]:
    """Yield what was understood of a folder, line by line."""
    services = config.services
    for business in services.graph.businesses.values():
        yield (
            f"business {business.id}: {business.name} {business.name_zh or '-'}, {business.criticality}, "
            f"owner {business.owner or '-'}, target {business.availability_percent}"
        )
    for rule in services.rules:
        yield (
            f"rule {rule.id} of {'+'.join(rule.businesses)}: {rule.server} protocol {rule.protocol} "
            f"ports {rule.port_low}-{rule.port_high} client {rule.client} node {rule.node} ({rule.source})"
        )
    for node in services.graph.nodes.values():
        yield f"node {node.id}: {node.kind}, needs {'+'.join(node.needs) or '-'}"
        for check in node.checks:
            yield (
                f"check {check.id} of {node.id}: {check.kind} {check.host}:{check.port} {dict(check.options)} "
                f"timeout {check.timeout_seconds} slow over {check.slow_over_seconds} every {check.every_seconds} "
                f"closure {check.closure} cost {check.cost}"
            )
    for entry in config.plan_entries:
        yield f"plan line {entry.line}: {entry.prefix} {entry.region or '-'} {entry.segment or '-'} {entry.person or '-'}"
    yield f"plan ranges {len(config.plan.row)}, state directory {config.state_directory}"


@pytest.mark.parametrize("case", sorted(CASES.iterdir()), ids=lambda case: case.name)
def test_a_folder_is_understood_or_every_mistake_in_it_is_said_at_once(
    case: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT / "config" if case.name == SAMPLE else case)
    status = main(["check", "-c", "."])
    printed = capsys.readouterr()
    lines = [f"exit status {status}", *printed.out.splitlines(), *printed.err.splitlines()]
    if status == 0:
        lines += dump(load_config(Path()))

    assert "\n".join(lines) + "\n" == (case / "expected.txt").read_text(encoding="utf-8")


def test_no_case_tells_a_secret() -> None:
    assert [case.name for case in CASES.iterdir() if "hunter2" in (case / "expected.txt").read_text("utf-8")] == []


def test_a_folder_may_be_named_by_its_btimd_toml() -> None:
    config = load_config(ROOT / "config" / "btimd.toml", generation=4)

    assert (config.folder, config.generation, config.services.graph.generation) == (ROOT / "config", 4, 4)
    assert config.state_directory == ROOT / "config" / "../state"


def test_an_empty_folder_misses_three_files(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load_config(tmp_path)

    assert str(refused.value).splitlines() == [
        f"btimd.toml: cannot be read: No such file or directory; it is expected at {tmp_path}/btimd.toml",
        f"ipplan.csv: cannot be read: No such file or directory; it is expected at {tmp_path}/ipplan.csv",
        f"services.toml: cannot be read: No such file or directory; it is expected at {tmp_path}/services.toml",
    ]


def test_who_is_preferred_among_exporters_is_an_address_or_has_a_table(tmp_path: Path) -> None:
    prefer = (
        '[flows.duplicates]\nprefer = ["core", "192.0.2.9", "cor"]\n[capture.exporter.core]\naddress = "192.0.2.7"\n'
    )
    with pytest.raises(SettingsError) as refused:
        load_config(write_small(tmp_path, settings=settings_text() + prefer))

    [problem] = refused.value.problems
    assert str(problem) == (
        "btimd.toml:10: flows.duplicates.prefer: 'cor' is neither an address nor the name of a table "
        "[capture.exporter.NAME] or [capture.span.NAME]; name one of them"
    )


def test_a_preferred_span_has_a_table_and_a_name_of_its_own(tmp_path: Path) -> None:
    said = (
        '[flows.duplicates]\nprefer = ["mirror"]\n[capture.span.mirror]\ninterface = "eth1"\n'
        '[capture.span.core]\ninterface = "eth1"\n[capture.exporter.core]\naddress = "192.0.2.7"\n'
    )
    with pytest.raises(SettingsError) as refused:
        load_config(write_small(tmp_path, settings=settings_text() + said))

    assert [str(problem) for problem in refused.value.problems] == [
        "btimd.toml:13: capture.span.core: 'core' is the name of an exporter too; rename one of them",
        "btimd.toml:14: capture.span.core.interface: eth1 is the interface of span 'mirror' too; give each interface once",
    ]


def test_payload_is_allowed_for_businesses_that_there_are(tmp_path: Path) -> None:
    said = '[capture.evidence]\npayload = ["erp", "crm"]\n'
    with pytest.raises(SettingsError) as refused:
        load_config(write_small(tmp_path, settings=settings_text() + said))

    [problem] = refused.value.problems
    assert str(problem) == "btimd.toml:10: capture.evidence.payload: no business 'crm'; known: erp"


def test_a_folder_that_is_not_there_is_one_mistake(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as refused:
        load_config(tmp_path / "nope")

    assert str(refused.value) == (
        f"{tmp_path}/nope: is not there; name a folder with btimd.toml, services.toml and ipplan.csv, or a btimd.toml"
    )


def test_a_file_that_is_a_folder_is_named(tmp_path: Path) -> None:
    for name in ("btimd.toml", "services.toml", "ipplan.csv"):
        (tmp_path / name).mkdir()
    with pytest.raises(SettingsError) as refused:
        load_config(tmp_path)

    assert [problem.text.partition(";")[0] for problem in refused.value.problems] == [
        "cannot be read: Is a directory"
    ] * 3
