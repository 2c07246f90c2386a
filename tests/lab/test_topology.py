from ipaddress import ip_address, ip_network

from btimd.lab.topology import BUSINESS, BUSINESSES, HOSTS, REGION_PREFIX, SEGMENTS, SERVER_PREFIX, name_table


def test_hosts_and_segments_lie_in_their_networks() -> None:
    assert all(ip_address(host.address) in ip_network(SERVER_PREFIX) for host in HOSTS)
    for segment in SEGMENTS:
        assert ip_address(segment.address(4)) in ip_network(REGION_PREFIX[segment.region])
        assert set(segment.businesses) <= BUSINESS.keys()


def test_erp_and_hr_share_a_database_and_hosts_and_banking_shares_neither() -> None:
    erp, hr, bank = BUSINESSES
    assert erp.database == hr.database != bank.database
    assert (erp.web.host, erp.application.host) == (hr.web.host, hr.application.host)
    assert {bank.web.host, bank.application.host, bank.database.host}.isdisjoint(
        {erp.web.host, erp.application.host, erp.database.host}
    )


def test_every_business_and_every_server_has_a_name() -> None:
    assert name_table() == {
        "erp.lab.example": "127.20.1.10",
        "hr.lab.example": "127.20.1.10",
        "bank.lab.example": "127.20.1.20",
        "dns1.lab.example": "127.20.0.53",
        "db1.lab.example": "127.20.3.10",
        "db2.lab.example": "127.20.3.20",
        "erp-web.lab.example": "127.20.1.10",
        "erp-app.lab.example": "127.20.2.10",
        "hr-web.lab.example": "127.20.1.10",
        "hr-app.lab.example": "127.20.2.10",
        "bank-web.lab.example": "127.20.1.20",
        "bank-app.lab.example": "127.20.2.20",
    }
