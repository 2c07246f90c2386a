#!/bin/sh
# Installs the Debian packages that the tests need, and only those that are missing. Shared by `make test` and CI.
# Nothing asks, and no server that comes with a package is started or comes up at the next boot: tests start their own.
#   softflowd, pmacct     real exporters, between network namespaces (iproute2) and of captures (tcpreplay); a peer
#   nfdump                a peer of the benches
#   tshark                the oracle of the packet decoder, and what dissects evidence
#   libpcap0.8            compiles capture filters
#   openvswitch-switch    a real switch that exports NetFlow, IPFIX and sFlow (ethtool: without offloads)
#   influxdb              InfluxDB 1.x, for /write and its query language
#   victoria-metrics      takes the InfluxDB 2 write API unchanged
#   nginx-light           the v2 -> 1.x shim, and a real web server for HTTP probes
#   postgresql            a real database for SQL probes
#   dnsmasq-base          a real DNS server for DNS probes
#   snmpd, snmp, lldpd    real SNMP agents and LLDP neighbours (libsnmp-base: their MIBs); snmptrapd takes traps
#   kea, isc-dhcp         real DHCP servers and a client, for leases
#   freeradius-utils      radclient, for RADIUS accounting
#   freeradius, slapd, openssh-server, ntpsec, kamailio, vsftpd, postfix, dovecot   real servers for application checks
#   mariadb-server, redis-server, rabbitmq-server, tomcat10   real databases and middleware
#   haproxy, bind9, iptables, nftables   the enterprise in network namespaces and its faults
#   monitoring-plugins, prometheus-node-exporter, prometheus-alertmanager   plugins, an exporter, alerts
#   rsyslog, rsyslog-gnutls   a real sender and receiver of syslog over TLS
#   request-tracker5, redmine   real ticket systems (rt5-standalone, puma: their web servers; each with SQLite)
#   openssl, systemd      certificates for tests of TLS; systemd-analyze for the unit
set -eu
wanted="softflowd pmacct nfdump iproute2 tcpreplay openvswitch-switch ethtool tshark libpcap0.8 influxdb victoria-metrics nginx-light postgresql dnsmasq-base snmpd snmp snmptrapd lldpd libsnmp-base kea-dhcp4-server isc-dhcp-server isc-dhcp-client freeradius-utils freeradius postfix dovecot-imapd dovecot-pop3d vsftpd slapd ldap-utils openssh-server ntpsec kamailio mariadb-server redis-server rabbitmq-server tomcat10 python3-psycopg2 python3-amqp python3-ldap3 python3-redis haproxy bind9 iptables nftables monitoring-plugins-basic monitoring-plugins-standard prometheus-node-exporter prometheus-alertmanager rsyslog rsyslog-gnutls request-tracker5 rt5-db-sqlite rt5-standalone redmine redmine-sqlite puma bsdutils curl openssl systemd"
missing=""
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  echo "The tests also need:$missing" >&2
  echo "Run this once: sudo tools/debian-packages.sh" >&2
  [ "${CI:-}" = true ] && exit 1
  echo "Without them the tests of real servers are skipped, each with its reason." >&2
  exit 0
fi

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
unknown=""
known=""
for package in $missing; do
  if apt-cache show --no-all-versions "$package" >/dev/null 2>&1; then known="$known $package"; else unknown="$unknown $package"; fi
done
if [ -n "$unknown" ]; then
  echo "This release of the distribution has no package$unknown." >&2
  [ "${CI:-}" = true ] && exit 1
  echo "The tests that need them are skipped, each with its reason." >&2
  [ -n "$known" ] || exit 0
fi
echo "-- installing$known"

work=$(mktemp -d)
policy=/usr/sbin/policy-rc.d
clean() {
  rm -rf "$work"
  [ -z "${mine:-}" ] || rm -f "$policy"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM
if [ ! -e "$policy" ]; then  # what invoke-rc.d asks: no package may start its server
  mine=true
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi
# Tests give each server data of its own, so what packages would set up for the machine is left out where it can be:
# Redmine alone must have a database in its settings, as its Gemfile looks there for the adapters that it loads.
debconf-set-selections <<'ANSWERS'
postfix postfix/main_mailer_type select Local only
postfix postfix/mailname string localhost
slapd slapd/no_configuration boolean true
wireshark-common wireshark-common/install-setuid boolean false
request-tracker5 request-tracker5/dbconfig-install boolean false
redmine redmine/instances/default/dbconfig-install boolean true
redmine redmine/instances/default/database-type select sqlite3
man-db man-db/auto-update boolean false
ANSWERS
# Debian's bundler takes the packaged gems for installed; the one within libruby does not (since 3.1.7).
export RUBYLIB=/usr/share/rubygems-integration/all/gems/bundler-2.3.15/lib
fast=""
[ "${CI:-}" != true ] || fast="-o DPkg::Options::=--force-unsafe-io"  # a machine that is thrown away

dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p' | sort >"$work/before"
# shellcheck disable=SC2086  # lists
apt-get install -y -qq -o DPkg::Lock::Timeout=300 $fast --no-install-recommends $known
dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' | sed -n 's/^ii *//p' | sort >"$work/after"

# ntpsec stays, as it takes the place of what kept the machine's clock; so does systemd itself.
comm -13 "$work/before" "$work/after" | grep -vE '^(ntpsec|systemd|dbus|udev)' | while read -r package; do
  dpkg-query -L "$package" 2>/dev/null
done >"$work/files"
if command -v update-rc.d >/dev/null; then
  sed -n 's#^/etc/init.d/##p' "$work/files" | while read -r script; do
    update-rc.d "$script" disable </dev/null >/dev/null 2>&1 || true
  done
fi
if command -v systemctl >/dev/null; then
  sed -n 's#^\(/usr\)\{0,1\}/lib/systemd/system/\([^/@]*\.\(service\|socket\|timer\)\)$#\2#p' "$work/files" | while read -r unit; do
    systemctl -q disable "$unit" </dev/null >/dev/null 2>&1 || true
  done
fi
