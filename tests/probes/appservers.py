"""Servers of applications as they are installed on real machines, each with files and ports of its own."""

import contextlib
import ctypes
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.patience import PATIENCE_SECONDS, wait_until
from tests.ports import free_port
from tests.probes.authorities import Issued
from tests.probes.servers import accepts, running
from tests.programs import need, need_as_root

SBIN = Path("/usr/sbin")


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """Make a folder that servers under other users may enter; pytest's own are closed to them."""
    with tempfile.TemporaryDirectory(prefix="btimd-test-", ignore_cleanup_errors=True) as name:
        Path(name).chmod(0o755)
        yield Path(name)


@contextlib.contextmanager
def dovecot(issued: Issued) -> Iterator[dict[str, int]]:
    """Run dovecot with the user probe, password "secret", who has one mail; yield ports of imap, imaps, pop3, pop3s."""
    need_as_root("dovecot")
    with folder() as directory:
        crt, key = issued.write(directory, "server")
        ports = {name: free_port() for name in ("imap", "imaps", "pop3", "pop3s")}
        mails = directory / "mail" / "new"
        for part in ("new", "cur", "tmp"):
            (directory / "mail" / part).mkdir(parents=True)
        (mails / "1.probe").write_text("Subject: all is well\n\nyes\n")
        for path in (directory / "mail", *(directory / "mail").rglob("*")):
            shutil.chown(path, "nobody", "nogroup")
        (directory / "dovecot.conf").write_text(
            f"""
            protocols = imap pop3
            listen = 127.0.0.1
            base_dir = {directory}/run
            log_path = {directory}/log
            ssl = yes
            ssl_cert = <{crt}
            ssl_key = <{key}
            disable_plaintext_auth = yes
            auth_failure_delay = 0
            login_trusted_networks =
            mail_location = maildir:{directory}/mail
            first_valid_uid = 100
            first_valid_gid = 0
            passdb {{
              driver = static
              args = password=secret
            }}
            userdb {{
              driver = static
              args = uid=nobody gid=nogroup home={directory}/mail allow_all_users=yes
            }}
            service imap-login {{
              inet_listener imap {{
                port = {ports["imap"]}
              }}
              inet_listener imaps {{
                port = {ports["imaps"]}
              }}
            }}
            service pop3-login {{
              inet_listener pop3 {{
                port = {ports["pop3"]}
              }}
              inet_listener pop3s {{
                port = {ports["pop3s"]}
              }}
            }}
            """
        )
        with running([need("dovecot", at=SBIN), "-F", "-c", str(directory / "dovecot.conf")]):
            wait_until(lambda: all(accepts(port) for port in ports.values()), "dovecot")
            yield ports


@contextlib.contextmanager
def postfix(issued: Issued) -> Iterator[tuple[int, int]]:
    """Run postfix; yield its ports of SMTP with STARTTLS and of SMTP in TLS. It accepts no mail and knows no users."""
    need_as_root("postfix")
    with folder() as directory:
        crt, key = issued.write(directory, "server")
        port, tls_port = free_port(), free_port()
        for part in ("etc", "spool", "data"):
            (directory / part).mkdir()
        shutil.chown(directory / "data", "postfix")
        (directory / "etc" / "main.cf").write_text(
            f"""
compatibility_level = 3.6
queue_directory = {directory}/spool
data_directory = {directory}/data
mail_owner = postfix
myhostname = mail.example
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
alias_maps =
alias_database =
smtpd_tls_cert_file = {crt}
smtpd_tls_key_file = {key}
smtpd_tls_security_level = may
maillog_file = /dev/null
maillog_file_prefixes = /dev
smtpd_peername_lookup = no
"""
        )
        (directory / "etc" / "master.cf").write_text(
            f"""
127.0.0.1:{port} inet n - n - - smtpd
127.0.0.1:{tls_port} inet n - n - - smtpd -o smtpd_tls_wrappermode=yes
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
anvil unix - - n - 1 anvil
tlsmgr unix - - n 1000? 1 tlsmgr
proxymap unix - - n - - proxymap
postlog unix-dgram n - n - 1 postlogd
"""
        )
        command = [need("postfix", at=SBIN), "-c", str(directory / "etc")]
        with running([*command, "start-fg"]):
            wait_until(lambda: accepts(port) and accepts(tls_port), "postfix")
            try:
                yield port, tls_port
            finally:
                subprocess.run([*command, "stop"], check=False, capture_output=True, timeout=PATIENCE_SECONDS)


@contextlib.contextmanager
def vsftpd(issued: Issued) -> Iterator[int]:
    """Run vsftpd for anonymous users, with AUTH TLS; yield its port."""
    need_as_root("vsftpd")
    with folder() as directory:
        crt, key = issued.write(directory, "server")
        port = free_port()
        for part in ("pub", "empty"):
            (directory / part).mkdir()
        (directory / "vsftpd.conf").write_text(
            f"listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\nanonymous_enable=YES\n"
            f"local_enable=NO\nanon_root={directory}/pub\nsecure_chroot_dir={directory}/empty\nseccomp_sandbox=NO\n"
            f"xferlog_enable=NO\nssl_enable=YES\nallow_anon_ssl=YES\nrsa_cert_file={crt}\nrsa_private_key_file={key}\n"
            "ssl_ciphers=HIGH\nrequire_ssl_reuse=NO\nforce_local_logins_ssl=NO\nforce_anon_logins_ssl=NO\n"
            "force_anon_data_ssl=NO\ndelay_failed_login=0\nmax_login_fails=1\n"
        )
        with running([need("vsftpd", at=SBIN), str(directory / "vsftpd.conf")]):
            wait_until(lambda: accepts(port), "vsftpd")
            yield port


@contextlib.contextmanager
def slapd(issued: Issued) -> Iterator[tuple[int, int]]:
    """Run slapd: dc=corp,dc=example with three people, admin's password "secret"; yield ports of LDAP and LDAPS."""
    program = need("slapd", at=SBIN)
    with folder() as directory:
        crt, key = issued.write(directory, "server")
        port, tls_port = free_port(), free_port()
        (directory / "db").mkdir()
        conf = directory / "slapd.conf"
        conf.write_text(
            f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {directory}/pid
TLSCertificateFile {crt}
TLSCertificateKeyFile {key}
database mdb
suffix "dc=corp,dc=example"
rootdn "cn=admin,dc=corp,dc=example"
rootpw secret
directory {directory}/db
maxsize 1048576
"""
        )
        people = "".join(
            f"dn: uid=u{number},dc=corp,dc=example\nobjectClass: inetOrgPerson\nuid: u{number}\ncn: U\nsn: U\n\n"
            for number in range(3)
        )
        ldif = directory / "start.ldif"
        ldif.write_text(
            f"dn: dc=corp,dc=example\nobjectClass: dcObject\nobjectClass: organization\no: Corp\ndc: corp\n\n{people}"
        )
        subprocess.run(
            [need("slapadd", at=SBIN), "-q", "-f", str(conf), "-l", str(ldif)],
            check=True, capture_output=True, timeout=PATIENCE_SECONDS,
        )  # fmt: skip
        urls = f"ldap://127.0.0.1:{port} ldaps://127.0.0.1:{tls_port}"
        with running([program, "-d", "0", "-h", urls, "-f", str(conf)]):
            wait_until(lambda: accepts(port) and accepts(tls_port), "slapd")
            yield port, tls_port


@contextlib.contextmanager
def sshd() -> Iterator[int]:
    """Run sshd; yield its port."""
    need_as_root("ssh-keygen")
    program = need("sshd", at=SBIN)
    Path("/run/sshd").mkdir(exist_ok=True)
    with folder() as directory:
        key, port = directory / "key", free_port()
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)],
            check=True,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
        )
        command = [program, "-D", "-f", "/dev/null", "-h", str(key), "-p", str(port), "-o", "ListenAddress=127.0.0.1"]
        with running([*command, "-o", f"PidFile={directory}/pid"]):
            wait_until(lambda: accepts(port), "sshd")
            yield port


@contextlib.contextmanager
def freeradius() -> Iterator[int]:
    """Run freeradius with the client 127.0.0.1, secret "shared", and the user probe, password "secret"."""
    need_as_root()
    program = need("freeradius", at=SBIN)
    with folder() as directory:
        port = free_port()
        (directory / "dictionary").write_text("$INCLUDE /usr/share/freeradius/dictionary\n")
        (directory / "users").write_text('probe Cleartext-Password := "secret"\n  Reply-Message := "welcome"\n')
        (directory / "radiusd.conf").write_text(
            f"""
            name = test
            prefix = /usr
            raddbdir = {directory}
            run_dir = {directory}
            logdir = {directory}
            libdir = /usr/lib/freeradius
            pidfile = {directory}/pid
            max_request_time = 5
            security {{
              allow_core_dumps = no
              reject_delay = 0
              status_server = yes
            }}
            log {{
              destination = stdout
            }}
            thread pool {{
              start_servers = 1
              max_servers = 2
            }}
            client local {{
              ipaddr = 127.0.0.1
              secret = shared
            }}
            modules {{
              pap {{
              }}
              files {{
                usersfile = {directory}/users
              }}
            }}
            server default {{
              listen {{
                type = auth
                ipaddr = 127.0.0.1
                port = {port}
              }}
              authorize {{
                files
                pap
              }}
              authenticate {{
                Auth-Type PAP {{
                  pap
                }}
              }}
            }}
            """
        )
        with running([program, "-f", "-l", "stdout", "-d", str(directory), "-D", str(directory)]):
            wait_until(lambda: is_bound(port), "freeradius")
            yield port


@contextlib.contextmanager
def kamailio() -> Iterator[int]:
    """Run kamailio, which answers requests to sip:well@ with 200 and others with 404; yield its port, UDP and TCP."""
    program = need("kamailio", at=SBIN)
    with folder() as directory:
        port = free_port()
        conf = directory / "kamailio.cfg"
        conf.write_text(
            f"""#!KAMAILIO
            debug=0
            log_stderror=no
            fork=yes
            children=1
            tcp_children=1
            auto_aliases=no
            listen=udp:127.0.0.1:{port}
            listen=tcp:127.0.0.1:{port}
            mpath="/usr/lib/x86_64-linux-gnu/kamailio/modules/"
            loadmodule "sl.so"
            loadmodule "pv.so"
            request_route {{
              if ($rU == "well") {{ sl_send_reply("200", "All is well"); exit; }}
              sl_send_reply("404", "Not here");
            }}
            """
        )
        command = [program, "-DD", "-f", str(conf), "-Y", str(directory), "-P", str(directory / "pid"), "-m", "16"]
        with running(command):
            wait_until(lambda: accepts(port), "kamailio")
            yield port


@contextlib.contextmanager
def kea() -> Iterator[tuple[int, int]]:
    """Run kea for relays on loopback, pool 127.0.9.100-120; yield (server port, port that it answers to)."""
    need_as_root()
    program = need("kea-dhcp4", at=SBIN)
    with folder() as directory:
        port, client_port = free_port(), free_port()
        conf = {
            "Dhcp4": {
                "interfaces-config": {"interfaces": ["lo/127.0.0.1"], "dhcp-socket-type": "udp"},
                "lease-database": {"type": "memfile", "persist": False},
                "valid-lifetime": 600,
                "subnet4": [{"subnet": "127.0.0.0/16", "pools": [{"pool": "127.0.9.100-127.0.9.120"}]}],
                "loggers": [{"name": "kea-dhcp4", "output_options": [{"output": "stdout"}], "severity": "INFO"}],
            }
        }
        (directory / "kea.json").write_text(json.dumps(conf))
        command = [program, "-c", str(directory / "kea.json"), "-p", str(port), "-P", str(client_port)]
        places = {"KEA_PIDFILE_DIR": str(directory), "KEA_LOCKFILE_DIR": str(directory)}
        with running(command, env={**os.environ, **places}):
            wait_until(lambda: is_bound(port), "kea")
            yield port, client_port


@contextlib.contextmanager
def ntpd() -> Iterator[str]:
    """Run a time server in a network namespace of its own, as it knows no port but 123; yield the namespace's name.

    It takes this machine's clock for stratum 3, a second after it began, and never sets it.
    """
    need_as_root("ip")
    program = need("ntpd", at=SBIN)
    name = f"btimd-ntp-{os.getpid()}"
    with folder() as directory:
        (directory / "ntp.conf").write_text(
            f"tos orphan 3 orphanwait 1\ndriftfile {directory}/drift\nrestrict default\ndisable ntp\n"
        )
        subprocess.run(["ip", "netns", "add", name], check=True, timeout=PATIENCE_SECONDS)
        try:
            subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True, timeout=PATIENCE_SECONDS)
            inside = ["ip", "netns", "exec", name]
            with running([*inside, program, "-n", "-g", "-c", f"{directory}/ntp.conf", "-p", f"{directory}/pid"]):
                yield name
        finally:
            subprocess.run(["ip", "netns", "del", name], check=True, timeout=PATIENCE_SECONDS)


@contextlib.contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Make the sockets of this thread in another network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    with Path("/proc/thread-self/ns/net").open() as own, Path("/run/netns", namespace).open() as other:
        assert libc.setns(other.fileno(), 0) == 0
        try:
            yield
        finally:
            assert libc.setns(own.fileno(), 0) == 0


def is_bound(port: int) -> bool:
    """Tell whether somebody takes datagrams there."""
    wanted = f"0100007F:{port:04X}"
    lines = Path("/proc/net/udp").read_text(encoding="ascii").splitlines()
    return any(line.split()[1] == wanted for line in lines[1:])


@contextlib.contextmanager
def nginx_h2(issued: Issued) -> Iterator[tuple[int, int, int]]:
    """Run nginx; yield ports of HTTP/2 without TLS, of HTTP/2 in TLS, and of TLS with HTTP/1.1 only."""
    program = need("nginx")
    with folder() as directory:
        crt, key = issued.write(directory, "server")
        plain, tls, old = free_port(), free_port(), free_port()
        (directory / "html").mkdir()
        (directory / "html" / "big.txt").write_text("erp is well\n" * 60_000)
        (directory / "html" / "huge.txt").write_text("erp is well\n" * 200_000)
        temporary = "".join(
            f"{kind}_temp_path {directory}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (directory / "nginx.conf").write_text(
            f"""{"user root;" if os.geteuid() == 0 else ""} daemon off; pid {directory}/nginx.pid;
            error_log {directory}/error.log; worker_processes 1; events {{}}
            http {{ access_log off; {temporary} root {directory}/html;
              ssl_certificate {crt}; ssl_certificate_key {key};
              server {{ listen 127.0.0.1:{plain} http2; listen 127.0.0.1:{tls} ssl http2; listen 127.0.0.1:{old} ssl;
                location = /health {{ return 200 "erp is well\\n"; }}
                location = /broken {{ return 500; }}
              }} }}"""
        )
        with running([program, "-p", str(directory), "-c", str(directory / "nginx.conf")]):
            wait_until(lambda: accepts(plain) and accepts(tls) and accepts(old), "nginx")
            yield plain, tls, old
