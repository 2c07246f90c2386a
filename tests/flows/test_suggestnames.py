from btimd.flows.suggestnames import named, new_id


def test_names_are_made_of_ports_and_addresses() -> None:
    assert named([25, 993, 143], ["25", "143", "993"], ["10.0.0.1"], {}) == (
        "imap-10.0.0.1",
        "imap 25, 143, 993 on 10.0.0.1",
    )
    assert named([4711], ["4711"], ["10.0.0.1"], {}) == ("port-4711-10.0.0.1", "port-4711 4711 on 10.0.0.1")


def test_names_of_servers_are_used_where_they_are_given() -> None:
    names = {"10.0.0.1": "web1.example.org", "10.0.0.2": "web2.example.org"}

    assert named([443], ["443"], ["10.0.0.1", "10.0.0.2"], names) == ("web-web", "web 443 on web1, web2")
    assert named([443], ["443"], ["10.0.0.1", "10.0.0.9"], names)[0] == "web-web1"


def test_ids_are_free_and_hold_nothing_but_letters_digits_and_dashes() -> None:
    assert new_id("web-10.0.0.1", ()) == "web-10-0-0-1"
    assert new_id("web-10.0.0.1", {"web-10-0-0-1"}) == "web-10-0-0-1-2"
    assert new_id("web-10.0.0.1", {"web-10-0-0-1-servers"}) == "web-10-0-0-1-2"
    assert new_id('"]\n[x', ()) == "x"
    assert new_id("企业", ()) == "service"
