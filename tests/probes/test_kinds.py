from btimd.model.service import Closure
from btimd.probes.kinds import KindSpec
from btimd.probes.wire.tcp import TcpDialogue


def test_options_that_name_files_are_secrets() -> None:
    spec = KindSpec(
        1.0,
        Closure.LOCAL,
        lambda check, *_: TcpDialogue(check.host, 1),
        options={"user": "who", "password_file": "his"},
    )
    assert spec.secrets == ("password_file",)
