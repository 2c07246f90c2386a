"""The channels of a configuration, ready to be started."""

from collections.abc import Mapping, Sequence

from btimd.itsm.notify import gateway, robots
from btimd.itsm.notify.answers import Request, SendResult
from btimd.itsm.notify.gateway import GatewayTemplate
from btimd.itsm.notify.notifier import Sender
from btimd.itsm.notify.post import HttpSender
from btimd.itsm.notify.robots import RobotKind
from btimd.itsm.notify.settings import GatewaySettings, MailSettings, NotifySettings, RobotSettings
from btimd.itsm.notify.smtp import MailSender
from btimd.model.notification import Means, Notice
from btimd.model.units import UnixSeconds
from btimd.runtime.clock import Clock


def robot_of(name: str, settings: RobotSettings, clock: Clock) -> HttpSender:
    """Return a chat robot's sender."""
    kind = RobotKind(settings.kind)

    def build(url: str, secret: bytes, notice: Notice, now: UnixSeconds) -> Request:
        return robots.request_of(kind, url, secret, notice, now)

    def judge(
        status: int, headers: Mapping[str, str], body: bytes, now: UnixSeconds, secrets: tuple[str, ...]
    ) -> SendResult:
        return robots.judged(kind, status, headers, body, now=now, secrets=secrets)

    return HttpSender(
        name,
        settings.means,
        table=f"itsm.notify.robot.{name}",
        url="",
        url_file=settings.url_file,
        secret_file=settings.secret_file,
        ca_file=settings.ca_file,
        allow_plain_http=settings.allow_plain_http,
        timeout=settings.timeout,
        max_in_flight=settings.max_in_flight,
        per_minute=settings.pace,
        build=build,
        judge=judge,
        clock=clock,
    )


def gateway_of(name: str, settings: GatewaySettings, clock: Clock) -> HttpSender:
    """Return an SMS or voice gateway's sender."""
    template: GatewayTemplate = settings.template()

    def build(_: str, secret: bytes, notice: Notice, __: UnixSeconds) -> Request:
        return gateway.request_of(template, secret.decode("utf-8", "replace"), notice)

    def judge(
        status: int, headers: Mapping[str, str], body: bytes, now: UnixSeconds, secrets: tuple[str, ...]
    ) -> SendResult:
        return gateway.judged(template, status, headers, body, now=now, secrets=secrets)

    return HttpSender(
        name,
        Means(settings.means),
        table=f"itsm.notify.gateway.{name}",
        url=settings.url,
        url_file=None,
        secret_file=settings.secret_file,
        ca_file=settings.ca_file,
        allow_plain_http=settings.allow_plain_http,
        timeout=settings.timeout,
        max_in_flight=settings.max_in_flight,
        per_minute=settings.per_minute,
        build=build,
        judge=judge,
        clock=clock,
    )


def mail_of(name: str, settings: MailSettings, clock: Clock) -> MailSender:
    """Return a mail server's sender."""
    return MailSender(
        name,
        table=f"itsm.notify.mail.{name}",
        server=settings.server,
        security=settings.security,
        sender=settings.sender,
        sender_name=settings.sender_name,
        reply_to=settings.reply_to,
        user=settings.user,
        password_file=settings.password_file,
        ca_file=settings.ca_file,
        timeout=settings.timeout,
        max_in_flight=settings.max_in_flight,
        per_minute=settings.per_minute,
        clock=clock,
    )


def senders_of(settings: NotifySettings, clock: Clock) -> Sequence[Sender]:
    """Return all channels but the screen, which the notifier is given by itself."""
    return (
        *(robot_of(name, robot, clock) for name, robot in settings.robot.items()),
        *(gateway_of(name, given, clock) for name, given in settings.gateway.items()),
        *(mail_of(name, mail, clock) for name, mail in settings.mail.items()),
    )
