"""The kinds of checks that carry other programs' checks: monitoring plugins and exporters of metrics."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from btimd.model.probe import Health
from btimd.model.service import Check, CheckKind, Closure
from btimd.probes.kinds import Errand, KindSpec, Secrets
from btimd.probes.limits import limits_of
from btimd.probes.series import Aggregate, Question
from btimd.probes.wire.openmetrics import selector_of
from btimd.probes.wire.scrape import Page, encode_scrape

_SECRET_FILE: Final = "$SECRET_FILE$"  # noqa: S105  a placeholder
_SECRET: Final = "$SECRET$"  # noqa: S105  a placeholder
_ENVIRONMENT: Final = "BTIMD_SECRET"
_TLS: Final = {"": (False, False), "false": (False, False), "true": (True, True), "unverified": (True, False)}
_LONGEST_COMMAND: Final = 4096


@dataclass(frozen=True, slots=True)
class PluginErrand(Errand):
    """A plugin to run. program: as the operator wrote it; arguments: the list, without any shell.

    secret_name: the environment variable that gets the secret, "" = none; $SECRET_FILE$ in an argument becomes the
    path of a file in memory that holds it. warning_is_bad: exit status 1 is bad. slow_is_bad: a plugin that has to be
    killed at its time says that its target is bad, else it says nothing.
    """

    program: str
    arguments: tuple[str, ...]
    secret: str = field(default="", repr=False)
    secret_name: str = ""
    warning_is_bad: bool = False
    slow_is_bad: bool = False


def _plugin(check: Check, token: int, secrets: Secrets) -> Errand:
    del token
    options = check.options
    command = options.get("command", "")
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ValueError(f"command {command[:60]!r}: {error}; quote arguments as in a shell") from error
    if not words or len(command) > _LONGEST_COMMAND or "\0" in command:
        raise ValueError(
            'a plugin check needs a command of at most 4096 characters: options = { command = "check_tcp -H $HOST$" }'
        )
    if _SECRET in command:
        raise ValueError(
            "$SECRET$ would show the secret to everybody who lists processes; write secret_file and let the plugin "
            "read it from the environment (secret_env) or from the file $SECRET_FILE$"
        )
    if _SECRET_FILE in command and "secret_file" not in options:
        raise ValueError("the command names $SECRET_FILE$; write the option secret_file too")
    known = {
        "$HOST$": check.host,
        "$PORT$": str(check.port),
        "$TIMEOUT$": str(max(1, int(check.timeout_seconds - 0.3))),
    }
    return PluginErrand(
        words[0],
        tuple(_filled(word, known) for word in words[1:]),
        secret=secrets.get("secret", ""),
        secret_name=options.get("secret_env", _ENVIRONMENT) if "secret_file" in options else "",
        warning_is_bad=_choice(options, "warning", {"good": False, "bad": True}, otherwise="good"),
        slow_is_bad=_choice(options, "silence", {"unknown": False, "bad": True}, otherwise="unknown"),
    )


def _filled(word: str, known: Mapping[str, str]) -> str:
    for name, value in known.items():
        word = word.replace(name, value)
    return word


@dataclass(frozen=True, slots=True)
class ScrapeErrand(Errand):
    """A question to an exporter. silence: what it means that there is no page."""

    page: Page
    question: Question
    check: Check
    silence: Health = Health.UNKNOWN


def _prometheus(check: Check, token: int, secrets: Secrets) -> Errand:
    del token
    options = check.options
    if not check.port:
        raise ValueError("a prometheus check needs the port of its exporter")
    if not options.get("series"):
        raise ValueError('a prometheus check needs the series to look at: options = { series = "node_load1" }')
    tls = options.get("tls", "").lower()
    if tls not in _TLS:
        raise ValueError(f'tls {tls!r} is unknown; write "true", "unverified" (any certificate) or "false"')
    aggregate = options.get("aggregate", "each")
    if aggregate not in set(Aggregate):
        raise ValueError(f"aggregate {aggregate!r} is unknown; write one of {', '.join(Aggregate)}")
    secure, verify = _TLS[tls]
    page = Page(
        check.host,
        check.port,
        options.get("path", "/metrics"),
        secure=secure,
        verify=verify,
        token=secrets.get("token", ""),
        user=options.get("user", ""),
        password=secrets.get("password", ""),
    )
    encode_scrape(page)
    per = options.get("per", "")
    question = Question(
        selector_of(options["series"]),
        limits_of(options),
        Aggregate(aggregate),
        selector_of(per) if per else None,
        _health(options, "absent"),
    )
    return ScrapeErrand(page, question, check, _health(options, "silence"))


def _health(options: Mapping[str, str], key: str) -> Health:
    text = options.get(key, "unknown")
    if text not in set(Health) or (text, key) == ("good", "silence"):
        raise ValueError(f"{key} {text!r} is unknown; write unknown or bad")
    return Health(text)


def _choice(options: Mapping[str, str], key: str, known: Mapping[str, bool], *, otherwise: str) -> bool:
    text = options.get(key, otherwise)
    if text not in known:
        raise ValueError(f"{key} {text!r} is unknown; write {' or '.join(known)}")
    return known[text]


KINDS: Final[Mapping[CheckKind, KindSpec]] = MappingProxyType({
    # What a plugin puts on its target is not known here: as much as a page, unless the table says otherwise.
    CheckKind.PLUGIN: KindSpec(
        4.0,
        Closure.FULL,
        _plugin,
        heavy=True,
        options={
            "command": "the program, by name or path within `[probes.plugins] directories`, and its arguments; quoted "
            "as in a shell, but no shell reads it. `$HOST$`, `$PORT$` and `$TIMEOUT$` (whole seconds that leave the "
            "plugin time to say so itself) stand for those of the check; needed",
            "warning": '`"bad"`: exit status 1 is bad; default `"good"`, told in the detail',
            "silence": '`"bad"`: a plugin that must be killed at its time says that its target is bad; default '
            '`"unknown"`',
            "secret_file": "file with a secret; `$SECRET_FILE$` in the command becomes the path of a copy in memory",
            "secret_env": "the environment variable that gets the secret; default `BTIMD_SECRET`",
        },
        outcomes={
            "wrong-answer": "the plugin says critical, or warning where that is bad",
            "timeout": "the plugin did not end in time (only with silence = bad)",
            "local-failure": "the plugin says unknown, is not there, not allowed, or was killed: no evidence",
        },
    ),
    # The exporter knows how the node is, whatever the node needs; its own silence tells nothing of it.
    CheckKind.PROMETHEUS: KindSpec(
        3.0,
        Closure.OWN,
        _prometheus,
        needs_port=True,
        options={
            "series": "name and labels of the series, such as `node_filesystem_avail_bytes{mountpoint='/'}`; signs "
            "`=`, `!=`, `=~`, `!~` as in PromQL; needed",
            "per": "other series of the same labels, or a single one, that the first are divided by",
            "aggregate": "what becomes of several series: `each` (default) is held against the limits by itself; "
            "`sum`, `max`, `min`, `avg`, `count`; `rate` is the growth a second between two readings",
            "warn": 'values beyond it are good with a word, such as `"> 5"`; default: none',
            "critical": 'values beyond it are bad, such as `"> 10"` or `"< 0.05"`; default: none',
            "absent": '`"bad"` or `"good"` where there is no such series; default `"unknown"`',
            "silence": '`"bad"` where the exporter does not answer; default `"unknown"`',
            "path": "default `/metrics`",
            "tls": '`"true"`, `"unverified"` (any certificate) or `"false"` (default)',
            "token_file": "file with a bearer token",
            "user": "for HTTP basic authentication, with password_file",
            "password_file": "file with the password of user",
        },
        outcomes={
            "wrong-answer": "a value is beyond critical",
            "refused": "nobody listens at the exporter's port; unknown unless silence = bad",
            "local-failure": "there is no such series, or no page of metrics: no evidence",
        },
    ),
})  # fmt: skip
