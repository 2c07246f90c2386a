"""The kinds of checks for databases."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from btimd.model.service import Check, CheckKind, Closure
from btimd.probes.kinds import KindSpec, Secrets
from btimd.probes.kinds_logon import QUERY, STATE, TLS, USER, account_of, question_of
from btimd.probes.wire.dialogue import Dialogue
from btimd.probes.wire.mysql import MYSQL_PORT, MysqlDialogue


def _mysql(check: Check, token: int, secrets: Secrets) -> Dialogue:
    account = account_of(check, secrets)
    return MysqlDialogue(check.host, check.port, account, question_of(check), token=token)


KINDS: Final[Mapping[CheckKind, KindSpec]] = MappingProxyType({
    CheckKind.MYSQL: KindSpec(
        6.0,
        Closure.FULL,
        _mysql,
        heavy=True,
        default_port=MYSQL_PORT,
        options={**USER, "database": "the database to open; default: none", **TLS, **QUERY, **STATE},
    ),
})  # fmt: skip
