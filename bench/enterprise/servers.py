"""The servers of every host: their files, how they are started, when they are ready. Each may be started again."""

import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bench.enterprise.certificates import write_certificates
from bench.enterprise.hosts import Host, Machines, run, wait_until
from bench.enterprise.plan import (
    ADDRESS,
    AGENT_PORT,
    BEACON_PORT,
    BRANCHES,
    ERP_PORT,
    METRICS_PORT,
    NAMES,
    PDU_PORT,
    ROUTERS,
    SERVERS,
    SHOP_PORT,
    USERS_PER_BRANCH,
    WORKER_PORT,
    ZONE,
)

PYTHON: Final = "/usr/bin/python3"
INSIDE: Final = Path(__file__).parent / "inside"
MAX_CONNECTIONS: Final = 30
ORDERS_LIMIT: Final = 200
_TABLES: Final = """
SET ROLE OWNER;
CREATE TABLE items (id integer PRIMARY KEY, content text);
INSERT INTO items SELECT id, 'item ' || id FROM generate_series(0, 99) id;
CREATE TABLE orders (id serial PRIMARY KEY, item integer, body text);
ALTER TABLE orders ALTER body SET STORAGE EXTERNAL;
GRANT SELECT ON items, orders TO btimd;
GRANT INSERT ON orders TO btimd;
"""
_ACCOUNT: Final = (
    "objectClass: organizationalRole\nobjectClass: simpleSecurityObject\ncn: {name}\nuserPassword: {name}-secret\n"
)
_PORTS_WAIT: Final = 300.0

Start = Callable[[Host], None]


def postgres_folder() -> Path:
    """Return where the newest PostgreSQL on this machine has its programs."""
    return max(Path("/usr/lib/postgresql").glob("*/bin"))


def _script(host: Host, name: str, script: str, *arguments: str) -> None:
    host.spawn(name, PYTHON, str(INSIDE / f"{script}.py"), *arguments, environment={"PYTHONDONTWRITEBYTECODE": "1"})


def start_postgres(host: Host) -> None:
    """Start PostgreSQL; the first time its cluster is made, on a file system of its own that can run full."""
    disk = host.folder / "disk"
    data = disk / "data"
    programs = postgres_folder()
    is_new = not data.exists()
    shutil.chown(disk, "postgres")
    (data / "postmaster.pid").unlink(missing_ok=True)
    if is_new:
        run("su", "postgres", "-c", f"{programs}/initdb -D {data} -A trust -N -U postgres -E UTF8 --locale=C")
        with (data / "pg_hba.conf").open("a") as file:
            file.write("host all all 10.77.0.0/16 trust\n")
    host.spawn(
        "postgres", "su", "postgres", "-c",
        f"exec {programs}/postgres -D {data} -h {host_address(host)} -p 5432 -k {host.folder}/disk -c fsync=off"
        f" -c max_connections={MAX_CONNECTIONS} -c superuser_reserved_connections=3 -c autovacuum=off"
        " -c wal_level=minimal -c max_wal_senders=0 -c min_wal_size=32MB -c max_wal_size=64MB -c shared_buffers=16MB",
    )  # fmt: skip
    if is_new:
        wait_until(lambda: host.listens(5432), _PORTS_WAIT, "PostgreSQL")
        sql(host, "postgres", "CREATE ROLE shop LOGIN; CREATE ROLE erp LOGIN; CREATE ROLE btimd LOGIN;")
        for name in ("shop", "erp", "btimd"):
            sql(host, "postgres", f"CREATE DATABASE {name} OWNER {name}")
        for name in ("shop", "erp"):
            sql(host, name, _TABLES.replace("OWNER", name))


def sql(host: Host, database: str, text: str) -> str:
    """Run SQL as the database's owner, from its own host."""
    return host.run(
        str(postgres_folder() / "psql"), "-h", str(host.folder / "disk"), "-U", "postgres", "-d", database, "-Atq",
        "-v", "ON_ERROR_STOP=1", "-f", "-", text=text,
    )  # fmt: skip


def host_address(host: Host) -> str:
    """Return the address of a host."""
    return ADDRESS[host.name]


def _redis(host: Host) -> None:
    host.spawn(
        "redis", "redis-server", "--bind", host_address(host), "--port", "6379", "--save", "", "--appendonly", "no",
        "--protected-mode", "no", "--dir", str(host.folder),
    )  # fmt: skip


def _rabbitmq(host: Host) -> None:
    base = host.folder / "mq"
    if not base.exists():
        base.mkdir()
        (base / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = {host_address(host)}:5672\nloopback_users = none\nlog.file = false\n"
            f"prometheus.tcp.ip = {host_address(host)}\nprometheus.tcp.port = {METRICS_PORT}\n"
        )
        (base / "enabled_plugins").write_text("[rabbitmq_prometheus].\n")
        for file in (base, *base.iterdir()):
            shutil.chown(file, "rabbitmq", "rabbitmq")
    host.spawn("rabbitmq", *rabbit(host, "/usr/lib/rabbitmq/bin/rabbitmq-server"))


def rabbit(host: Host, command: str) -> list[str]:
    """Return a command of RabbitMQ's with the environment of the host's broker."""
    base = host.folder / "mq"
    return [
        "env", "HOSTNAME=localhost", "HOME=/var/lib/rabbitmq", "RABBITMQ_NODENAME=btent@localhost",
        "RABBITMQ_CONF_ENV_FILE=/dev/null", f"RABBITMQ_CONFIG_FILE={base}/rabbitmq",
        f"RABBITMQ_ENABLED_PLUGINS_FILE={base}/enabled_plugins", f"RABBITMQ_MNESIA_BASE={base}/mnesia",
        f"RABBITMQ_LOG_BASE={base}/log", f"RABBITMQ_PID_FILE={base}/pid", "ERL_EPMD_ADDRESS=127.0.0.1",
        "RABBITMQ_DIST_PORT=25679", "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=+S 1:1 +sbwt none",
        "su", "rabbitmq", "-s", "/bin/bash", "-c", command,
    ]  # fmt: skip


def _slapd(host: Host) -> None:
    base = host.folder / "ldap"
    if not base.exists():
        (base / "db").mkdir(parents=True)
        (base / "slapd.conf").write_text(
            "".join(f"include /etc/ldap/schema/{name}.schema\n" for name in ("core", "cosine", "inetorgperson"))
            + "modulepath /usr/lib/ldap\nmoduleload back_mdb\nmoduleload back_monitor\n"
            f"pidfile {base}/slapd.pid\ndatabase mdb\n"
            'suffix "dc=corp,dc=test"\nrootdn "cn=admin,dc=corp,dc=test"\nrootpw secret\n'
            f"directory {base}/db\nmaxsize 104857600\nindex uid eq\ndatabase monitor\n"
        )
        entries = "".join(
            f"dn: {name}\n{text}\n"
            for name, text in (
                ("dc=corp,dc=test", "objectClass: domain\ndc: corp\n"),
                ("ou=people,dc=corp,dc=test", "objectClass: organizationalUnit\nou: people\n"),
                ("ou=services,dc=corp,dc=test", "objectClass: organizationalUnit\nou: services\n"),
                (
                    "uid=zhang,ou=people,dc=corp,dc=test",
                    "objectClass: inetOrgPerson\nuid: zhang\ncn: Zhang Wei\nsn: Zhang\nuserPassword: zhang-secret\n",
                ),
                *((f"cn={name},ou=services,dc=corp,dc=test", _ACCOUNT.format(name=name)) for name in ("erp", "btimd")),
            )
        )
        host.run("slapadd", "-q", "-f", str(base / "slapd.conf"), text=entries)
    host.spawn("slapd", "slapd", "-d", "0", "-h", f"ldap://{host_address(host)}:389", "-f", str(base / "slapd.conf"))


def change_password(host: Host, name: str, password: str) -> None:
    """Give a service account another password, as an administrator does."""
    host.run(
        "ldapmodify", "-x", "-H", f"ldap://{host_address(host)}:389", "-D", "cn=admin,dc=corp,dc=test", "-w", "secret",
        text=f"dn: cn={name},ou=services,dc=corp,dc=test\nchangetype: modify\nreplace: userPassword\n"
        f"userPassword: {password}\n",
    )  # fmt: skip


def write_names(host: Host, names: dict[str, str]) -> None:
    """Write the zone and let the name server read it."""
    (host.folder / "zone").write_text("".join(f"{address} {name}\n" for name, address in names.items()))
    host.signal("dnsmasq", signal.SIGHUP)


def _dnsmasq(host: Host) -> None:
    write_names(host, NAMES)
    host.spawn(
        "dnsmasq", "dnsmasq", "-k", "--no-resolv", "--no-hosts", f"--listen-address={host_address(host)}",
        "--bind-interfaces", f"--addn-hosts={host.folder}/zone", f"--local=/{ZONE}/", "--conf-file=/dev/null",
        f"--pid-file={host.folder}/dnsmasq.pid", "--user=root",
    )  # fmt: skip


def use_certificate(host: Host, file: str) -> None:
    """Install one of the certificates, as an operator does."""
    shutil.copy(host.folder.parent / "certificates" / f"{file}.pem", host.folder / "shop.pem")


def _haproxy(host: Host) -> None:
    if not (host.folder / "shop.pem").exists():
        use_certificate(host, "good")
    members = "".join(
        f"  server {name} {ADDRESS[name]}:80 check inter 500ms fall 2 rise 2\n" for name in ("web1", "web2")
    )
    (host.folder / "haproxy.cfg").write_text(
        "global\n  maxconn 500\n  nbthread 1\n"
        "defaults\n  mode http\n  timeout connect 1s\n  timeout client 10s\n  timeout server 5s\n  retries 1\n"
        "  option redispatch\n"
        f"frontend shop\n  bind {host_address(host)}:443 ssl crt {host.folder}/shop.pem\n  monitor-uri /lb-alive\n"
        "  default_backend web\n"
        f"backend web\n  balance roundrobin\n  option httpchk GET /alive\n{members}"
    )
    host.spawn("haproxy", "haproxy", "-db", "-f", str(host.folder / "haproxy.cfg"))


def restart_haproxy(host: Host) -> None:
    """Let it read its certificate anew."""
    host.signal("haproxy -db", signal.SIGKILL)
    _haproxy(host)


def _nginx(host: Host) -> None:
    base = host.folder / "nginx"
    base.mkdir(exist_ok=True)
    temporary = " ".join(
        f"{kind}_temp_path {base}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (base / "nginx.conf").write_text(
        f"daemon off; user root; pid {base}/pid; error_log {base}/error.log; worker_processes 1; events {{}}\n"
        f"http {{ access_log off; {temporary}\n"
        f" server {{ listen {host_address(host)}:80;\n"
        '  location = /alive { return 200 "alive\\n"; }\n'
        f"  location / {{ proxy_pass http://{ADDRESS['app1']}:{SHOP_PORT};\n"
        "   proxy_connect_timeout 1s; proxy_read_timeout 4s; } } }\n"
    )
    host.spawn("nginx", "nginx", "-p", str(base), "-c", str(base / "nginx.conf"))


def _shop(host: Host) -> None:
    _script(host, "shop", "shop", host_address(host), str(SHOP_PORT), str(host.folder / "mood"))


def _worker(host: Host) -> None:
    _script(host, "worker", "worker", host_address(host), str(WORKER_PORT))


def _erp(host: Host) -> None:
    _script(host, "erp", "erp", host_address(host), str(ERP_PORT), str(host.folder / "mood"))


def _agent(host: Host) -> None:
    _script(host, "agent", "agent", host_address(host), str(AGENT_PORT))


def _pdu(host: Host) -> None:
    _script(host, "pdu", "pdu", host_address(host), str(PDU_PORT), str(host.folder))


def _branch(host: Host) -> None:
    _script(
        host, "branch", "branch", host_address(host), str(BEACON_PORT), str(USERS_PER_BRANCH),
        str(host.folder.parent / "certificates" / "authority.pem"),
    )  # fmt: skip


def _snmpd(host: Host) -> None:
    (host.folder / "snmpd.conf").write_text(
        f"agentAddress udp:161\nrocommunity public\nsysName {host.name}\nsysLocation rack\n"
    )
    host.spawn(
        "snmpd", "snmpd", "-f", "-Lf", str(host.folder / "snmpd.own.log"), "-C", "-c", str(host.folder / "snmpd.conf"),
        environment={"SNMP_PERSISTENT_DIR": str(host.folder / "snmp"), "MIBS": ""},
    )  # fmt: skip


def _dovecot(host: Host) -> None:
    base = host.folder / "dovecot"
    (base / "run").mkdir(parents=True, exist_ok=True)
    boxes = host.folder / "boxes"
    boxes.mkdir(exist_ok=True)
    shutil.chown(boxes, "nobody", "nogroup")
    log = base / "log"
    log.touch()
    log.chmod(0o666)
    (base / "dovecot.conf").write_text(
        f"protocols = imap\nlisten = {host_address(host)}\nbase_dir = {base}/run\nlog_path = {log}\nssl = no\n"
        f"disable_plaintext_auth = no\nauth_mechanisms = plain login\nmail_location = maildir:{boxes}/%n\n"
        "first_valid_uid = 100\nfirst_valid_gid = 0\ndefault_internal_user = root\ndefault_login_user = dovenull\n"
        "passdb {\n  driver = static\n  args = password=mail-secret\n}\n"
        f"userdb {{\n  driver = static\n  args = uid=nobody gid=nogroup home={boxes}/%n allow_all_users=yes\n}}\n"
        "service imap-login {\n  chroot =\n  inet_listener imap {\n    port = 143\n  }\n"
        "  inet_listener imaps {\n    port = 0\n  }\n}\n"
        "service anvil {\n  chroot =\n}\n"
        "service auth {\n  unix_listener auth-userdb {\n    mode = 0666\n  }\n}\n"
        "service stats {\n  unix_listener stats-writer {\n    mode = 0666\n  }\n}\n"
    )
    host.spawn("dovecot", "dovecot", "-F", "-c", str(base / "dovecot.conf"))


def _postfix(host: Host) -> None:
    base, spool, data = host.folder / "postfix", host.folder / "disk/spool", host.folder / "postfix-data"
    if not base.exists():
        for folder in (base, spool, data):
            folder.mkdir()
        shutil.chown(data, "postfix")
        (base / "main.cf").write_text(
            f"compatibility_level = 3.6\nqueue_directory = {spool}\ndata_directory = {data}\nmail_owner = postfix\n"
            f"myhostname = mail.{ZONE}\nmydestination =\ninet_protocols = ipv4\n"
            f"inet_interfaces = {host_address(host)}\n"
            f"mynetworks = 10.77.0.0/16\nvirtual_mailbox_domains = {ZONE}\nvirtual_transport = discard:\n"
            f"maillog_file = {host.folder}/postfix-maillog\nmaillog_file_prefixes = {host.folder}\nalias_maps =\n"
            "alias_database =\nsmtpd_peername_lookup = no\nqueue_minfree = 20000000\nmessage_size_limit = 1000000\n"
        )
        rows = Path("/usr/share/postfix/master.cf.dist")
        text = (rows if rows.exists() else Path("/etc/postfix/master.cf")).read_text()
        lines = []
        for line in text.splitlines():
            words = line.split()
            is_row = len(words) >= 8 and not line.startswith(("#", " ", "\t"))
            lines.append(" ".join([*words[:4], "n", *words[5:]]) if is_row else line)
        (base / "master.cf").write_text("\n".join(lines) + "\n")
        shutil.copy("/etc/postfix/dynamicmaps.cf", base) if Path("/etc/postfix/dynamicmaps.cf").exists() else None
    (spool / "pid/master.pid").unlink(missing_ok=True)
    host.run("postfix", "-c", str(base), "start")


SERVICES: Final[dict[str, dict[str, tuple[Start, int]]]] = {
    "lb1": {"haproxy": (_haproxy, 443), "agent": (_agent, AGENT_PORT)},
    "web1": {"nginx": (_nginx, 80)},
    "web2": {"nginx": (_nginx, 80)},
    "app1": {"shop": (_shop, SHOP_PORT), "worker": (_worker, WORKER_PORT), "agent": (_agent, AGENT_PORT)},
    "app2": {"erp": (_erp, ERP_PORT), "agent": (_agent, AGENT_PORT)},
    "db1": {"postgres": (start_postgres, 5432)},
    "cache1": {"redis": (_redis, 6379)},
    "mq1": {"rabbitmq": (_rabbitmq, 5672)},
    "ldap1": {"slapd": (_slapd, 389)},
    "dns1": {"dnsmasq": (_dnsmasq, 53)},
    "mail1": {"postfix": (_postfix, 25), "dovecot": (_dovecot, 143)},
    "pdu": {"pdu": (_pdu, PDU_PORT)},
    **{name: {"branch": (_branch, BEACON_PORT)} for name in BRANCHES},
}
"""What runs where, and the TCP port that says it is ready."""
AGENT_HOSTS: Final = (*(server.name for server in SERVERS), *ROUTERS)
"""Hosts with an SNMP agent."""


def start_service(machines: Machines, host: str, service: str, *, wait: bool = True) -> None:
    """Start one server; waits until it listens."""
    start, port = SERVICES[host][service]
    start(machines[host])
    if wait:
        wait_until(lambda: machines[host].listens(port), _PORTS_WAIT, f"{service} on {host}")


def start_host(machines: Machines, host: str) -> None:
    """Start all servers of a host."""
    if host in AGENT_HOSTS:
        _snmpd(machines[host])
    for service in SERVICES.get(host, {}):
        start_service(machines, host, service)


def prepare(machines: Machines) -> None:
    """Write what several hosts share."""
    folder = machines.folder / "certificates"
    folder.mkdir()
    write_certificates(folder)
