import pytest
from hypothesis import given
from hypothesis import strategies as st

from btimd.probes.wire.dialogue import AnswerError
from btimd.probes.wire.scram import MOST_ITERATIONS, Scram, nonce_of, prepared

CHALLENGE = b"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"


def example() -> Scram:
    return Scram("SCRAM-SHA-256", "user", "pencil", "rOprNGfwEbeRWgbNEkqO")


def test_the_example_of_rfc_7677() -> None:
    scram = example()
    assert scram.first == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    assert scram.answer(CHALLENGE) == (
        b"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
    )
    assert scram.finish(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=") == ""


def test_the_example_of_rfc_5802() -> None:
    scram = Scram("SCRAM-SHA-1", "user", "pencil", "fyko+d2lbbFgONRv9qkxdawL")
    assert scram.answer(b"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096") == (
        b"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
    )
    assert scram.finish(b"v=rmF9pqV8S7suAoZWja4dJRkFsKQ=") == ""


def test_an_error_is_told_and_a_false_signature_is_refused() -> None:
    scram = example()
    assert scram.finish(b"e=invalid-proof") == "invalid-proof"
    assert scram.finish(b"e=") == "an error without a word"
    with pytest.raises(AnswerError, match="signature"):
        scram.finish(b"v=")
    scram.answer(CHALLENGE)
    with pytest.raises(AnswerError, match="signature"):
        scram.finish(b"v=7rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")


@pytest.mark.parametrize(
    ("challenge", "reason"),
    [
        (b"", "nonce"),
        (CHALLENGE.replace(b"r=r", b"r=x"), "nonce"),
        (b"r=rOprNGfwEbeRWgbNEkqO,s=AAAA,i=1", "nonce"),
        (CHALLENGE.replace(b"4096", b"999999999"), f"at most {MOST_ITERATIONS}"),
        (CHALLENGE.replace(b"4096", b"0"), "iterations"),
        (CHALLENGE.replace(b"s=W22ZaJ0SNY7soEsUEjb6gQ==", b"s="), "salt of 0"),
        (CHALLENGE.replace(b"s=W", b"s=*"), "base64"),
    ],
)
def test_a_challenge_that_makes_no_sense_is_refused(challenge: bytes, reason: str) -> None:
    with pytest.raises(AnswerError, match=reason):
        example().answer(challenge)


def test_names_and_passwords_are_prepared() -> None:
    assert Scram("SCRAM-SHA-1", "a=b,c", "", "n").first == b"n,,n=a=3Db=2Cc,r=n"
    assert prepared("I\u00adX") == "IX", "RFC 4013, section 3"
    assert prepared("\u2168") == "IX"
    assert prepared("a\u00a0b") == "a b"
    assert prepared("a\u0007\u00e9") == "a\u0007\u00e9", "forbidden: left as it is"


def test_a_nonce_is_chance_without_commas() -> None:
    assert nonce_of(1) != nonce_of(2)
    assert "," not in nonce_of(1)


@given(st.binary(max_size=80))
def test_garbage_is_read_or_refused(garbage: bytes) -> None:
    for speak in (example().answer, example().finish):
        try:
            speak(garbage)
        except AnswerError:
            continue
