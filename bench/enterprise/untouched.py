"""Faults that nobody looked at while the diagnosis was tuned: what they score says how it does elsewhere.

Once one of them has made somebody change the diagnosis or the model, it belongs to bench/enterprise/faults.py.
"""

from typing import Final

from bench.enterprise.breaking import (
    filtered,
    host_down,
    hung,
    killed,
    mood,
    names,
    power,
    pulled,
    stuttering,
    together,
)
from bench.enterprise.faults import make

_SHOP, _ERP, _MAIL = "shop fails", "ERP fails", "mail fails"
_TABLE: Final = (
    make("web2-hung", "process hung", "one of two web servers hangs", "nginx2", "", hung("web2", "nginx")),
    make("rabbit-hung", "process hung", "RabbitMQ hangs", "rabbit", _SHOP, hung("mq1", "beam.smp")),
    make(
        "redis-starved",
        "slow",
        "Redis gets too little processor",
        "redis",
        "shop is slow",
        stuttering("cache1", "redis-server", stopped=1.6, running=0.03),
    ),
    make(
        "erp-wrong-page",
        "wrong answer",
        "the ERP answers 200 with another page",
        "erp-app",
        _ERP,
        mood("app2", '{"wrong": 1}'),
    ),
    make("mail-record-gone", "DNS record", "the mail server's name is gone", "name-mail", _MAIL, names(mail=None)),
    make(
        "mail-unplugged",
        "link down",
        "the mail host's cable is pulled",
        "host-mail1",
        _MAIL,
        pulled("sw2", "mail1"),
    ),
    make("shop-host-down", "host down", "the shop's host is off", "host-app1", _SHOP, host_down("app1")),
    make("switch-a-down", "switch down", "the switch of rack a is off", "sw1", f"{_SHOP}, {_ERP}", host_down("sw1")),
    make("rack-a-dark", "power", "rack a has no power", "power-a", f"{_SHOP}, {_ERP}", power("a")),
    make(
        "core-lossy",
        "link lossy",
        "the core router loses four packets of ten",
        "net-core",
        "everything is slow, fails",
        filtered("core", "-m", "statistic", "--mode", "random", "--probability", "0.4", "-j", "DROP"),
    ),
    make(
        "firewall-drops-south",
        "firewall drop",
        "the core drops south's way to the ERP",
        "south-erp",
        "ERP fails in south",
        filtered("core", "-s", "10.77.20.0/24", "-d", "10.77.101.21", "-p", "tcp", "--dport", "8080", "-j", "DROP"),
    ),
    make(
        "dovecot-and-web1",
        "two at once",
        "mail boxes gone, one web server killed",
        "dovecot, nginx1",
        _MAIL,
        together(killed("mail1", "dovecot", "dovecot"), killed("web1", "nginx", "nginx")),
    ),
    make(
        "postgres-and-backup",
        "two at once",
        "PostgreSQL killed, north's backup line cut",
        "postgres, link-north-backup",
        f"{_SHOP}, {_ERP}",
        together(killed("db1", "postgres", "postgres"), pulled("wan2", "accn")),
    ),
    make(
        "erp-and-south",
        "two at once",
        "the ERP application killed, line to south cut",
        "erp-app, link-south",
        f"{_ERP}, all fails in south",
        together(killed("app2", "erp", "erp.py"), pulled("wan2", "accs")),
    ),
)
UNTOUCHED: Final = {fault.name: fault for fault in _TABLE}
