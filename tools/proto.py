"""Generate btimd/api/pb from proto/: python tools/proto.py [directory].

The generated modules lie flat in one package, so the imports that protoc writes are rewritten to it.
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "proto"
TARGET = ROOT / "btimd" / "api" / "pb"
INIT = '"""Generated from proto/btimd/v1 by tools/proto.py; never edited."""\n'


def generate(target: Path) -> None:
    """Write the modules of every proto file into `target`; what else lies there and was generated before is removed."""
    protos = sorted((SOURCE / "btimd" / "v1").glob("*.proto"))
    with tempfile.TemporaryDirectory() as scratch:
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{SOURCE}"]
        command += [f"--python_out={scratch}", f"--pyi_out={scratch}", *map(str, protos)]
        subprocess.run(command, check=True)
        target.mkdir(parents=True, exist_ok=True)
        for old in [*target.glob("*_pb2.py"), *target.glob("*_pb2.pyi")]:
            old.unlink()
        for made in sorted((Path(scratch) / "btimd" / "v1").iterdir()):
            text = re.sub(r"^from btimd\.v1 import", "from btimd.api.pb import", made.read_text(), flags=re.MULTILINE)
            (target / made.name).write_text(text)
    (target / "__init__.py").write_text(INIT)


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET)
