"""Request Tracker 5 and Redmine, each a private one on loopback with its own SQLite file, as Debian packages them."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import tempfile
import textwrap
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.patience import PATIENCE_SECONDS
from tests.ports import free_port
from tests.programs import need

RT_ROOT = Path("/usr/share/request-tracker5/libexec")
REDMINE_ROOT = Path("/usr/share/redmine")
# Debian's bundler takes the packaged gems for installed; the one within libruby does not (since 3.1.7).
BUNDLER = Path("/usr/share/rubygems-integration/all/gems/bundler-2.3.15/lib")


@dataclass
class TicketServer:
    """A running server. values: what a target's settings need of it."""

    url: str
    folder: Path
    command: list[str]
    environment: dict[str, str]
    working_folder: Path
    ready_path: str
    secret_file: Path = field(default_factory=Path)
    values: dict[str, Any] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                env=os.environ | self.environment,
                cwd=self.working_folder,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(self.url + self.ready_path, timeout=PATIENCE_SECONDS):  # noqa: S310  http on loopback
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                assert self.process.poll() is None, (self.folder / "server.log").read_text()[-2000:]
                time.sleep(0.1)
        raise AssertionError((self.folder / "server.log").read_text()[-2000:])

    def stop(self, sign: int = signal.SIGTERM) -> None:
        """End the server and its workers, which are of its own session."""
        if self.process is None:
            return
        os.killpg(self.process.pid, sign)
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
        self.process = None

    def get(self, path: str, headers: dict[str, str]) -> Any:
        request = urllib.request.Request(self.url + path, headers=headers)  # noqa: S310  http on loopback
        with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310  http on loopback
            return json.loads(answer.read())


_RT_CONFIG = r"""
Set($rtname, 'tickets.test');
Set($Organization, 'tickets.test');
Set($WebDomain, '127.0.0.1');
Set($WebPort, PORT);
Set($WebBaseURL, 'http://127.0.0.1:PORT');
Set($CanonicalizeRedirectURLs, 0);
Set($DatabaseType, 'SQLite');
Set($DatabaseName, 'FOLDER/tickets.sqlite');
Set($DatabaseUser, '');
Set($DatabasePassword, '');
Set($LogToSyslog, undef);
Set($LogToSTDERR, 'error');
Set($MailCommand, 'testfile');
Set($Timezone, 'UTC');
1;
"""

_RT_DATA = r"""
our (@Queues, @CustomFields, @Users, @ACL, @Final);
@Queues = ({ Name => 'Network' });
@CustomFields = map { { Name => $_, Type => 'FreeformSingle', LookupType => 'RT::Queue-RT::Ticket', Queue => 'Network' } }
    qw(BtimIncident BtimSeq);
@Users = map { { Name => $_, EmailAddress => "$_\@tickets.test", Privileged => 1 } } qw(btimd ann);
for my $user (qw(btimd ann)) {
    push @ACL, map { { Right => $_, UserId => $user, Queue => 'Network' } }
        qw(SeeQueue CreateTicket ShowTicket ShowTicketComments CommentOnTicket ReplyToTicket ModifyTicket OwnTicket
           SeeCustomField ModifyCustomField SetInitialCustomField);
    push @ACL, { Right => 'ManageAuthTokens', UserId => $user };
    push @Final, sub {
        my $owner = RT::User->new(RT->SystemUser);
        $owner->Load($user);
        my (undef, undef, $secret) = RT::AuthToken->new(RT->SystemUser)->Create(Owner => $owner->id, Description => 'test');
        open(my $file, '>', "$ENV{TOKENS}/$user.token") or die $!;
        print $file $secret;
        chmod 0600, "$ENV{TOKENS}/$user.token";
    };
}
1;
"""


def request_tracker(folder: Path, port: int | None = None) -> TicketServer:
    """Make a Request Tracker with a queue "Network" and users btimd and ann, each with a token, and start it."""
    need("rt-setup-database-5", at=Path("/usr/sbin"))
    port = port or free_port()
    for name in ("config", "mason/obj", "mason/session"):
        (folder / name).mkdir(parents=True)
    (folder / "site.pm").write_text(_RT_CONFIG.replace("PORT", str(port)).replace("FOLDER", str(folder)))
    (folder / "data.pl").write_text(_RT_DATA)
    environment = {
        "RT_SITE_CONFIG": str(folder / "site.pm"),
        "RT_SITE_CONFIG_DIR": str(folder / "config"),
        "TOKENS": str(folder),
    }

    def make() -> None:
        for arguments in (["--action", "init"], ["--action", "insert", "--datafile", str(folder / "data.pl")]):
            _run(["/usr/sbin/rt-setup-database-5", *arguments], folder, environment, folder)

    _prepared(folder, _RT_DATA, ("tickets.sqlite", "btimd.token", "ann.token"), make)
    server = TicketServer(
        url=f"http://127.0.0.1:{port}",
        folder=folder,
        command=[str(RT_ROOT / "rt-server"), "--host", "127.0.0.1", "--port", str(port)],
        environment=environment,
        working_folder=folder,
        ready_path="/REST/2.0/",
        secret_file=folder / "btimd.token",
        values={"queue": "Network", "token_file": str(folder / "btimd.token")},
    )
    server.start()
    return server


_REDMINE_SEED = """
    Setting.rest_api_enabled = '1'
    Setting.login_required = '1'
    Redmine::DefaultData::Loader.load('en') if Redmine::DefaultData::Loader.no_data?
    project = Project.new(name: 'Network', identifier: 'network')
    project.enabled_module_names = %w[issue_tracking]
    project.trackers = Tracker.all
    project.save!
    ids = %w[BtimIncident BtimSeq].map do |name|
      made = IssueCustomField.new(name: name, field_format: 'string', is_filter: true, is_for_all: true)
      made.trackers = Tracker.all
      made.save!
      made.id
    end
    keys = %w[btimd ann].map do |login|
      user = User.new(firstname: login, lastname: 'Test', mail: "#{login}@tickets.test")
      user.login = login
      user.password = user.password_confirmation = 'a-long-password'
      user.save!
      Member.create!(project: project, principal: user, roles: [Role.givable.first])
      user.api_key
    end
    File.write(ENV.fetch('SEED'), { keys: keys, fields: ids }.to_json)
"""


def redmine(folder: Path, port: int | None = None) -> TicketServer:
    """Make a Redmine with a project "network" and users btimd and ann, each with an API key, and start it."""
    need("puma")
    need("rake")
    port = port or free_port()
    environment = {
        "RAILS_ENV": "production",
        "DATABASE_URL": f"sqlite3:{folder}/issues.sqlite3",
        "SCHEMA": "/dev/null",
        "SECRET_KEY_BASE": "0" * 64,
        "SEED": str(folder / "seed.json"),
        **({"RUBYLIB": str(BUNDLER)} if BUNDLER.exists() else {}),
    }
    (folder / "seed.rb").write_text(textwrap.dedent(_REDMINE_SEED))

    def make() -> None:
        _run(["rake", "db:migrate"], folder, environment, REDMINE_ROOT)
        _run(["rails", "runner", str(folder / "seed.rb")], folder, environment, REDMINE_ROOT)

    _prepared(folder, _REDMINE_SEED, ("issues.sqlite3", "seed.json"), make)
    seed = json.loads((folder / "seed.json").read_text())
    for login, key in zip(("btimd", "ann"), seed["keys"], strict=True):
        (folder / f"{login}.key").touch(mode=0o600)
        (folder / f"{login}.key").write_text(key)
    server = TicketServer(
        url=f"http://127.0.0.1:{port}",
        folder=folder,
        command=[
            "puma", "-e", "production", "-b", f"tcp://127.0.0.1:{port}", "-t", "4:4", "--dir", str(REDMINE_ROOT),
            "config.ru",
        ],
        environment=environment,
        working_folder=REDMINE_ROOT,
        ready_path="/issues.json",
        secret_file=folder / "btimd.key",
        values={
            "project": "network",
            "tracker_id": 1,
            "key_file": str(folder / "btimd.key"),
            "user": "btimd Test",
            "incident_field": seed["fields"][0],
            "seq_field": seed["fields"][1],
            "states": {"new": 1, "accepted": 2, "resolved": 3, "closed": 5, "cancelled": 6, "merged": 5},
            "priorities": {"P1": 5, "P2": 4, "P3": 3, "P4": 2, "P5": 1},
            "meanings": {"2": "accept", "3": "resolve", "6": "cancel"},
        },
    )  # fmt: skip
    server.start()
    return server


def _prepared(folder: Path, recipe: str, names: Sequence[str], make: Callable[[], None]) -> None:
    """Make the files of a server, or copy those that an earlier test made: their schemas take half a minute."""
    digest = hashlib.sha256(recipe.encode()).hexdigest()[:16]
    kept = Path(tempfile.gettempdir()) / f"btimd-ticketserver-{os.getuid()}-{digest}"
    if not kept.exists():
        make()
        fresh = Path(tempfile.mkdtemp(dir=kept.parent))
        for name in names:
            shutil.copy2(folder / name, fresh / name)
        try:
            fresh.rename(kept)
        except OSError:  # another process was faster
            shutil.rmtree(fresh)
        return
    for name in names:
        shutil.copy2(kept / name, folder / name)


def _run(command: list[str], folder: Path, environment: dict[str, str], at: Path) -> None:
    done = subprocess.run(
        command,
        cwd=at,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
    )
    (folder / "setup.log").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, (done.stdout + done.stderr)[-2000:]
