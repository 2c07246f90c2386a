import pytest

from btimd.probes import options


def test_texts_become_numbers() -> None:
    given = {"count": "5", "loss": "12.5 %", "rtt": "80ms", "long": "1.5s", "hex": "hex:0a0b", "text": "é"}
    assert options.whole(given, "count", 1, low=1, high=9) == 5
    assert options.whole(given, "none", 1, low=1, high=9) == 1
    assert options.share(given, "loss", 0.0) == 0.125
    assert options.share(given, "none", 20.0) == 0.2
    assert (options.seconds(given, "rtt", None), options.seconds(given, "long", None)) == (0.08, 1.5)
    assert options.seconds(given, "none", None) is None
    assert (options.octets(given, "hex"), options.octets(given, "text")) == (b"\n\x0b", "é".encode())
    assert options.one_of({}, "a", "x", ("x", "y")) == "x"


@pytest.mark.parametrize(
    ("text", "read", "message"),
    [
        ("ten", lambda o: options.whole(o, "k", 1, low=1, high=9), "k 'ten' is no whole number from 1 to 9; write \"1\""),
        ("10", lambda o: options.whole(o, "k", 1, low=1, high=9), "from 1 to 9"),
        ("²", lambda o: options.whole(o, "k", 1, low=1, high=9), "from 1 to 9"),
        ("nan", lambda o: options.share(o, "k", 20.0), "k 'nan' is no percentage from 0 to 100; write \"20\""),
        ("101", lambda o: options.share(o, "k", 20.0), "is no percentage"),
        ("5", lambda o: options.seconds(o, "k", None), "k '5' is no time; write it with its unit"),
        ("z", lambda o: options.one_of(o, "k", "x", ("x", "y")), "k 'z' is unknown; write one of x, y"),
        ("hex:0", lambda o: options.octets(o, "k"), "is no hexadecimal text"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_in_words(text: str, read: object, message: str) -> None:
    assert callable(read)
    with pytest.raises(ValueError) as caught:
        read({"k": text})
    assert message in str(caught.value)
