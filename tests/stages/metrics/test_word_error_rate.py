"""What word errors promise: counts by hand, of what somebody can say."""

import pytest

from stages.metrics.common.word_error_rate import NormaliserName, counts_letters, error_rates, load_normaliser


@pytest.mark.parametrize(
    ("said", "heard", "wer", "cer", "inserted", "deleted"),
    [
        ("one two three four", "one two three four", 0.0, 0.0, 0.0, 0.0),
        ("one two three four", "one too three four five", 0.5, 6 / 18, 0.25, 0.0),
        ("one two three four", "one two", 0.5, 11 / 18, 0.0, 0.5),
        ("one two three four", "", 1.0, 1.0, 0.0, 1.0),
        ("one", "one and two and three", 4.0, 6.0, 4.0, 0.0),
    ],
)
def test_counts_words_as_by_hand(  # noqa: PLR0917 - a row of the table above
    said: str, heard: str, wer: float, cer: float, inserted: float, deleted: float
) -> None:
    """Errors per word or letter that was said; nothing heard is every word lost."""
    expected = {"wer": wer, "cer": cer, "inserted": inserted, "deleted": deleted}

    assert error_rates(said, heard) == pytest.approx(expected)


def test_spelling_is_no_error() -> None:
    """English is compared without case, punctuation, contractions, spelling variants and written numerals."""
    normalise = load_normaliser("english", "en")

    assert normalise("It's colour, Mr. Smith: twenty-five!") == normalise("it is color mister smith 25")


@pytest.mark.parametrize("name", ["english", "basic"])
@pytest.mark.parametrize("written", ["Well...", "Well…", "Well", " - well - ", "% well.", "\u200b well"])
def test_what_nobody_can_say_is_no_word(written: str, name: NormaliserName) -> None:
    """Dots that Whisper's normaliser leaves behind would be words that every candidate has lost."""
    assert load_normaliser(name, "en")(written) == "well"


@pytest.mark.parametrize(
    ("heard", "rate"), [("今天天汽好,", 0.2), ("今天天气", 0.2), ("今天 天气好", 0.0), ("", 1.0)]
)
def test_languages_without_spaces_are_compared_by_letters(heard: str, rate: float) -> None:
    """Chinese has no words to count, so each letter counts, and the spaces that part them do not."""
    normalise = load_normaliser("basic", "zh")

    rates = error_rates(normalise("今天天气好"), normalise(heard), letters=counts_letters("basic", "zh"))

    assert (rates["wer"], rates["cer"]) == pytest.approx((rate, rate))
