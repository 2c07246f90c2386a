"""Types of configuration values."""

from pathlib import Path

import pytest

from btimd.settings.fields import is_loopback, parse_duration, parse_host_port, read_secret


@pytest.mark.parametrize(
    ("text", "seconds"), [("500ms", 0.5), ("2s", 2.0), ("1.5m", 90.0), ("1 h", 3600.0), ("7d", 604800.0), (3.0, 3.0)]
)
def test_a_duration_is_a_number_with_its_unit(text: object, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["2", "s", "-1s", "2 weeks", 5, True, None, ""])
def test_a_duration_without_a_unit_is_refused_with_what_to_write(text: object) -> None:
    with pytest.raises(ValueError, match=r'is no duration; write a number with its unit: "500ms", "2s"'):
        parse_duration(text)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("127.0.0.1:2055", ("127.0.0.1", 2055)),
        ("[::1]:0", ("::1", 0)),
        ("collector.example:99", ("collector.example", 99)),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, pair: tuple[str, int]) -> None:
    assert parse_host_port(text) == pair


@pytest.mark.parametrize("text", ["127.0.0.1", ":80", "::1:80", "host:65536", "host:http", 80])
def test_an_address_without_a_usable_port_is_refused_with_an_example(text: object) -> None:
    with pytest.raises(ValueError, match='write "127.0.0.1:2055" or'):
        parse_host_port(text)


def test_a_secret_is_read_without_the_end_of_its_line(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"s3cret\n")
    file.chmod(0o600)

    assert read_secret(file) == b"s3cret"


@pytest.mark.parametrize(
    ("content", "mode", "complaint"),
    [
        (b"s3cret", 0o644, r"can be read by others \(mode 644\); run chmod 600"),
        (b" \n", 0o600, "is empty"),
        (None, 0, "cannot read .*: No such file or directory"),
    ],
)
def test_a_secret_that_is_open_empty_or_missing_is_refused_without_being_shown(
    tmp_path: Path, content: bytes | None, mode: int, complaint: str
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
        file.chmod(mode)

    with pytest.raises(ValueError, match=complaint) as caught:
        read_secret(file)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("btimd.example", False),
        ("", False),
    ],
)
def test_loopback_is_known(host: str, *, loopback: bool) -> None:
    assert is_loopback(host) is loopback
