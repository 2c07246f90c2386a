from pathlib import Path

import pytest

from btimd.daemon.addresses import FILE_NAME, Addresses, forget_addresses, read_addresses, write_addresses

ADDRESSES = Addresses((("127.0.0.1", 2055), ("::", 2055)), ("127.0.0.1", 50551), ("127.0.0.1", 8551), (("::1", 4739),))


def test_what_was_written_is_read_until_it_is_forgotten(tmp_path: Path) -> None:
    write_addresses(tmp_path, ADDRESSES)
    write_addresses(tmp_path, ADDRESSES)
    assert read_addresses(tmp_path) == ADDRESSES
    assert [path.name for path in tmp_path.iterdir()] == [FILE_NAME]

    forget_addresses(tmp_path)
    forget_addresses(tmp_path)
    assert read_addresses(tmp_path) is None


def test_nobody_listens_where_there_is_no_directory(tmp_path: Path) -> None:
    assert read_addresses(tmp_path / "nope") is None


def test_a_file_written_half_says_nothing(tmp_path: Path) -> None:
    write_addresses(tmp_path, ADDRESSES)
    whole = (tmp_path / FILE_NAME).read_bytes().rstrip()
    for size in range(len(whole)):
        (tmp_path / FILE_NAME).write_bytes(whole[:size])
        assert read_addresses(tmp_path) is None


@pytest.mark.parametrize(
    "text",
    ["null", "[]", "{}", '"text"', "\xff", '{"capture": [[1]], "grpc": 1}', '{"capture": [], "grpc": [], "http": []}'],
)
def test_a_file_of_something_else_says_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE_NAME).write_text(text, encoding="latin-1")

    assert read_addresses(tmp_path) is None
