"""The generated code is what the proto files say, and the proto files keep the rules of their style."""

import importlib.util
import os
import re
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path

import pytest

from btimd.api import pb

ROOT = Path(__file__).parents[2]
GENERATED = Path(pb.__file__).parent
PROTOS = sorted((ROOT / "proto" / "btimd" / "v1").glob("*.proto"))
PINNED = re.search(r"^grpcio-tools==(\S+)", (ROOT / "constraints.txt").read_text(), re.MULTILINE)


def test_the_generated_code_is_what_the_proto_files_say(tmp_path: Path) -> None:
    assert PINNED is not None
    if version("grpcio-tools") != PINNED[1]:
        assert os.environ.get("CI") != "true", f"CI installs grpcio-tools {PINNED[1]} from constraints.txt"
        pytest.skip(f"generated with grpcio-tools {PINNED[1]}, which writes other code than {version('grpcio-tools')}")
    spec = importlib.util.spec_from_file_location("proto_tool", ROOT / "tools" / "proto.py")
    assert spec is not None
    assert spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    tool.generate(tmp_path)

    fresh = {path.name: path.read_text() for path in tmp_path.iterdir() if path.is_file()}
    kept = {path.name: path.read_text() for path in GENERATED.iterdir() if path.is_file()}
    assert fresh == kept, "run: python tools/proto.py"


@pytest.mark.parametrize("proto", PROTOS, ids=lambda path: path.name)
def test_every_field_value_and_call_says_what_it_means(proto: Path) -> None:
    lines = [line.strip() for line in proto.read_text().splitlines()]
    declares = re.compile(r"(message|enum|service|rpc)\s|.*=\s*\d+;$")
    silent = [line for before, line in pairwise(lines) if declares.match(line) and not before.startswith("//")]

    assert silent == []
