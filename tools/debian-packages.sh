#!/bin/sh
# Installs the Debian packages that the tests need, and only those that are missing. Shared by `make test` and CI.
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
#   snmpd, snmp, lldpd    real SNMP agents and LLDP neighbours (libsnmp-base: their MIBs)
#   kea, isc-dhcp         real DHCP servers and a client, for leases
#   freeradius-utils      radclient, for RADIUS accounting
#   freeradius, slapd, openssh-server, ntpsec, kamailio, vsftpd, postfix, dovecot   real servers for application checks
#   mariadb-server, redis-server, rabbitmq-server, tomcat10   real databases and middleware
#   haproxy, bind9, iptables, nftables   the enterprise in network namespaces and its faults
#   monitoring-plugins, prometheus-node-exporter, prometheus-alertmanager   plugins, an exporter, alerts
#   rsyslog, rsyslog-gnutls   a real sender of syslog over TLS
#   openssl, systemd      certificates for tests of TLS; systemd-analyze for the unit
set -eu
wanted="softflowd pmacct nfdump iproute2 tcpreplay openvswitch-switch ethtool tshark libpcap0.8 influxdb victoria-metrics nginx-light postgresql dnsmasq-base snmpd snmp lldpd libsnmp-base kea-dhcp4-server isc-dhcp-server isc-dhcp-client freeradius-utils freeradius postfix dovecot-imapd dovecot-pop3d vsftpd slapd ldap-utils openssh-server ntpsec kamailio mariadb-server redis-server rabbitmq-server tomcat10 python3-psycopg2 python3-amqp python3-ldap3 python3-redis haproxy bind9 iptables nftables monitoring-plugins-basic monitoring-plugins-standard prometheus-node-exporter prometheus-alertmanager rsyslog rsyslog-gnutls bsdutils curl openssl systemd"
missing=""
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ]; then
  echo "The tests also need:$missing" >&2
  echo "Run this once: sudo apt-get install --no-install-recommends$missing" >&2
  [ "${CI:-}" = true ] && exit 1
  echo "Without them the tests of real servers are skipped, each with its reason." >&2
  exit 0
fi
echo "-- installing$missing"
apt-get update -qq
# shellcheck disable=SC2086  # a list of packages
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq -o DPkg::Lock::Timeout=300 --no-install-recommends $missing
