"""The IMAP poller: empties a mailbox. A mail is moved or flagged only after its report is durable.

When the process ends in between, the mail is still there and is read again: its Message-ID makes it the same report.
imap-tools blocks, so one thread per mailbox does nothing else; mails are read with our own bounded reader, as octets.
"""

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, Final, TypeVar

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from typing_extensions import override

from btimd.itsm.intake.desk import IntakeDesk
from btimd.itsm.intake.mail import Mail, no_answer, read_mail
from btimd.itsm.intake.reading import Reader
from btimd.itsm.intake.settings import ImapSettings
from btimd.model.report import IntakeBusyError
from btimd.runtime.clock import Clock
from btimd.runtime.lifecycle import Component, ComponentHealth, HealthLevel
from btimd.runtime.log import Log
from btimd.runtime.metrics import Metrics
from btimd.settings.fields import read_secret

T = TypeVar("T")

_BATCH: Final = 50
_IDLE_SECONDS: Final = 5.0
"""One wait for the server's word; short, so that a stop is soon seen."""
_FIRST_PAUSE: Final = 1.0
_LONGEST_PAUSE: Final = 60.0


class ImapPoller(Component):
    """A part of the daemon, one per mailbox."""

    def __init__(
        self,
        mailbox: str,
        settings: ImapSettings,
        *,
        own_domains: Sequence[str],
        reader: Reader,
        desk: IntakeDesk,
        metrics: Metrics,
        clock: Clock,
        log: Log,
        answered: Callable[[Mail], Awaitable[str]] = no_answer,
    ) -> None:
        self._answered = answered
        self._mailbox = mailbox
        self._settings = settings
        self._own_domains = tuple(own_domains)
        self.reader = reader
        self._desk = desk
        self._clock = clock
        self._log = log
        self._pool: ThreadPoolExecutor | None = None
        self._box: BaseMailBox | None = None
        self._trouble = ""
        self._password = ""  # a server may repeat it in what it says
        self._pause = _FIRST_PAUSE
        self._taken = metrics.counter(
            "btimd_intake_imap_mails_total", "Mails of mailboxes, by what became of them.", ("mailbox", "as")
        )
        self._failures = metrics.counter(
            "btimd_intake_imap_failures_total", "Sessions with a mailbox that ended in an error.", ("mailbox",)
        )

    @property
    @override
    def name(self) -> str:
        return f"itsm.intake.imap.{self._mailbox}"

    @override
    async def start(self) -> None:
        """Check the password's file; raises ValueError."""
        read_secret(self._settings.password_file)
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"imap-{self._mailbox}")

    @override
    async def run(self) -> None:
        """Empty the mailbox again and again; what goes wrong is said, and tried again later."""
        while True:
            try:
                await self._session()
            except IntakeBusyError as error:
                self._log.warning("intake-imap-busy", mailbox=self._mailbox, error=error)
            except Exception as error:  # noqa: BLE001  servers and networks fail in many ways
                said = f"{type(error).__name__}: {error}"
                self._trouble = (said.replace(self._password, "***") if self._password else said)[:300]
                self._failures.labels(self._mailbox).inc()
                self._log.warning(
                    "intake-imap-failed", mailbox=self._mailbox, error=self._trouble, again_in=self._pause
                )
            finally:
                await self._close()
            await asyncio.sleep(self._pause)
            self._pause = min(_LONGEST_PAUSE, self._pause * 2)

    @override
    async def stop(self) -> None:
        """End the session; may be called twice."""
        await self._close()
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait=False, cancel_futures=True)

    @override
    def health(self) -> ComponentHealth:
        return ComponentHealth(HealthLevel.WARNING, self._trouble) if self._trouble else ComponentHealth()

    async def _do(self, work: Callable[..., T], *given: Any) -> T:
        if self._pool is None:
            raise ConnectionError("stopped")
        return await asyncio.get_running_loop().run_in_executor(self._pool, partial(work, *given))

    async def _close(self) -> None:
        box, self._box = self._box, None
        if box is not None:
            _cut(box)

    async def _session(self) -> None:
        settings = self._settings
        self._password = (await self._do(read_secret, settings.password_file)).decode()
        self._box = box = await self._do(_connect, settings)
        await self._do(_sign_in, box, settings, self._password)
        self._trouble = ""
        self._pause = _FIRST_PAUSE
        can_idle = "IDLE" in box.client.capabilities
        while True:
            while await self._empty(box):
                pass
            waited = 0.0
            while waited < settings.every:
                wait = min(_IDLE_SECONDS, settings.every - waited)
                waited += wait
                if not can_idle:
                    await asyncio.sleep(wait)
                elif await self._do(_idle, box, wait):
                    break

    async def _empty(self, box: BaseMailBox) -> bool:
        """Take a batch of mails; return whether there were any."""
        uids = await self._do(_new, box, self._settings)
        for uid in uids[:_BATCH]:
            octets = await self._do(_fetch, box, uid, self._settings.max_octets)
            if octets is None:
                continue  # somebody else took it away
            mail = await asyncio.to_thread(read_mail, octets, self._own_domains)
            if mail.loop:
                self._taken.labels(self._mailbox, "refused").inc()
                self._log.info("intake-imap-refused", mailbox=self._mailbox, mail=mail.key, reason=mail.loop)
                await self._do(_put, box, uid, self._settings.refused_folder)
                continue
            if became := await self._answered(mail):
                self._taken.labels(self._mailbox, "answer").inc()
                self._log.info("intake-imap-answer", mailbox=self._mailbox, mail=mail.key, became=became)
                await self._do(_put, box, uid, self._settings.done_folder)
                continue
            receipt = await self._desk.take(self.reader.mail(mail, self._clock.wall()))
            self._taken.labels(self._mailbox, "kept" if receipt.is_new else "repeated").inc()
            await self._do(_put, box, uid, self._settings.done_folder)
        return bool(uids)


# What the mailbox's thread does.


def _connect(settings: ImapSettings) -> BaseMailBox:
    host, port = settings.server
    if settings.security == "none":
        return MailBoxUnencrypted(host, port, timeout=settings.timeout)
    context = ssl.create_default_context(cafile=None if settings.ca_file is None else str(settings.ca_file))
    kind = MailBox if settings.security == "tls" else MailBoxStartTls
    return kind(host, port, timeout=settings.timeout, ssl_context=context)


def _sign_in(box: BaseMailBox, settings: ImapSettings, password: str) -> None:
    box.login(settings.user, password, initial_folder=None)
    for folder in (settings.done_folder, settings.refused_folder):
        if folder and not box.folder.exists(folder):
            box.folder.create(folder)
    box.folder.set(settings.folder)


def _new(box: BaseMailBox, settings: ImapSettings) -> list[str]:
    return box.uids("UNDELETED" if settings.done_folder else "UNSEEN UNDELETED")


def _fetch(box: BaseMailBox, uid: str, most: int) -> bytes | None:
    _, found = box.client.uid("FETCH", uid, f"(UID BODY.PEEK[]<0.{most}>)")
    for part in found:
        if isinstance(part, tuple) and len(part) > 1 and isinstance(part[1], bytes):
            return part[1]
    return None


def _put(box: BaseMailBox, uid: str, folder: str) -> None:
    if folder:
        box.move(uid, folder)
    else:
        box.flag(uid, "\\Seen", value=True)


def _idle(box: BaseMailBox, seconds: float) -> bool:
    return bool(box.idle.wait(timeout=seconds))


def _cut(box: BaseMailBox) -> None:
    """End a session without a word; a thread that waits in it gets an error."""
    try:
        box.client.shutdown()
    except OSError:
        return
