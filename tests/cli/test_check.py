from pathlib import Path

import pytest

from btimd.cli.btimd import main
from btimd.cli.check import warnings
from tests.daemon.small import services_text, settings_text, write_small

GAPS = [
    "  gap: no host or operating system is modelled below erp",
    "  gap: no network is modelled below erp",
    "  gap: nobody is named as owner of erp",
    "  gap: single points of failure: db1 (1 business); btimctl simulate outage NODE tells what fails with one",
]
NOTE = (
    "business {} has no key indicator of its own, so its availability stays unknown; give one of its checks "
    'every = "5s"'
)


def test_a_right_folder_is_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["check", "--config", str(write_small(tmp_path))])

    assert status == 0
    assert capsys.readouterr().out.splitlines() == [
        f"{tmp_path}: the configuration is right",
        "  businesses       1 (1 service rules)",
        "  components       1",
        "  checks           2, of which 1 run by themselves as key indicators",
        "  address ranges   5 in 2 places",
        *GAPS,
    ]


def test_what_is_allowed_but_probably_not_meant_is_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    services = services_text().replace('every = "1s"\n', "")
    echo = '[check.db1-echo]\nnode = "db1"\nkind = "icmp"\nhost = "127.0.0.1"\nevery = "5s"\n'
    status = main(["check", "-c", str(write_small(tmp_path, services=services + echo) / "btimd.toml")])

    assert status == 0
    assert capsys.readouterr().out.splitlines()[5:] == [
        f"  note: {NOTE.format('erp')}",
        *GAPS,
        "  note: echo checks need CAP_NET_RAW or sysctl net.ipv4.ping_group_range; without it they say 'unknown'",
    ]


def test_what_tokens_name_and_the_configuration_does_not_know_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "tokens.toml").write_text(
        f'[[token]]\nname = "anna"\nrole = "handler"\nsha256 = "{"0" * 64}"\nbusinesses = ["erp", "erpp"]\n'
    )
    settings = settings_text() + 'tokens_file = "tokens.toml"\n'
    status = main(["check", "-c", str(write_small(tmp_path, settings=settings))])

    assert status == 0
    assert capsys.readouterr().out.splitlines()[5] == (
        "  note: token anna: there is no business 'erpp'; did you mean 'erp'?"
    )


def test_every_mistake_of_the_tokens_file_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tokens.toml").write_text('[[token]]\nname = "anna"\nrole = "root"\nsha256 = ""\n')
    settings = settings_text() + 'tokens_file = "tokens.toml"\n'
    status = main(["check", "-c", str(write_small(tmp_path, settings=settings))])

    assert status == 2
    assert capsys.readouterr().err.splitlines() == [
        "tokens.toml: token 1 (anna): role 'root' is none of viewer, reporter, handler, manager",
        "tokens.toml: token 1 (anna): sha256 is not 64 hex digits; make one with: btimctl token anna",
    ]


def test_secrets_that_cannot_be_read_are_noted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    secret = tmp_path / "desk.secret"
    secret.write_text("secret")
    secret.chmod(0o644)
    hook = f'[itsm.webhook.desk]\nurl = "https://desk.example.org/"\nsecret_file = "{secret}"\n'
    settings = (
        settings_text() + 'tokens_file = "/nowhere/tokens"\n' + hook + 'further_secret_files = ["/nowhere/old"]\n'
    )
    status = main(["check", "-c", str(write_small(tmp_path, settings=settings))])

    assert status == 0
    assert capsys.readouterr().out.splitlines()[5:] == [
        *GAPS,
        f"  note: itsm.webhook.desk.secret_file: {secret} can be read by others (mode 644); run chmod 600 {secret}",
        "  note: itsm.webhook.desk.further_secret_files[0]: there is no /nowhere/old; btimd needs it to start",
        "  note: api.tokens_file: there is no /nowhere/tokens; btimd needs it to start",
    ]


def test_a_wrong_folder_ends_with_status_2_and_nothing_on_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(
        [
            "check",
            "-c",
            str(write_small(tmp_path, services=services_text().replace("1s", "1"), plan="prefix,region\nten,\n")),
        ]
    )
    printed = capsys.readouterr()

    assert (status, printed.out) == (2, "")
    assert printed.err.splitlines() == [
        "ipplan.csv:2: 'ten' is no prefix; write an address and a length, for example 10.1.0.0/16",
        """services.toml:16: check.erp-port.every: '1' is no duration; write a number with its unit: "500ms", "2s", "5m", "1h", "7d\"""",
    ]


def test_only_businesses_without_a_key_indicator_are_noted() -> None:
    assert warnings(["erp", "hr"], {"erp", "db1"}) == [NOTE.format("hr")]


def test_what_stands_in_the_way_of_people_being_told_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_small(
        tmp_path,
        settings=settings_text()
        + '[itsm.notify]\ncentre = ["zoe"]\n'
        + '[itsm.notify.answer.sms]\nsecret_file = "s"\nmeans = "sms"\nchannel = "gw"\n',
    )
    (folder / "people.toml").write_text(
        '[person.ann]\nname = "Ann"\ngroups = { noc = 1 }\n'
        'contacts = [{ means = "sms", address = "+86 138 0013 8001", verified = true }]\n[group.noc]\nname = "NOC"\n'
    )
    assert main(["check", "-c", str(folder)]) == 0
    notes = [line.strip() for line in capsys.readouterr().out.splitlines()]

    for note in (
        "person ann: nothing carries sms (contact +86 138 0013 8001); configure a channel for it under [itsm.notify]",
        "group noc has no lead; the centre is told in their place",
        "itsm.notify.centre: no person zoe in people.toml",
        "itsm.notify.answer.sms: channel 'gw' is not configured; no refusal can be told",
    ):
        assert f"note: {note}" in notes


def test_gaps_ahead_are_noted_with_the_calendars_that_could_not_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_small(tmp_path)
    (folder / "people.toml").write_text(
        '[group.noc]\nname = "NOC"\n\n[person.ann]\nname = "Ann"\ngroups = { noc = 1 }\n'
    )
    (folder / "rota.toml").write_text('[rota.noc]\ntimezone = "UTC"\ncalendar = "../noc.ics"\n')
    status = main(["check", "-c", str(folder)])
    notes = [line for line in capsys.readouterr().out.splitlines() if "rota noc" in line]

    assert status == 0
    assert notes[0].startswith("  note: calendar of rota noc: cannot read ../noc.ics: '../noc.ics' lies outside of ")
    assert notes[1].startswith("  note: rota noc: ")
    assert notes[1].endswith("(1344 h): nobody on duty, 1 wanted")
