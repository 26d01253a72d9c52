"""Word counts: how many words and letters of one text another one changes, drops or makes up."""

import json
import re
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from schemas import MissingWeightsError

Normaliser = Callable[[str], str]
NormaliserName = Literal["english", "basic"]

WITHOUT_SPACES = frozenset({"zh", "ja", "th", "lo", "my", "yue"})
"""Languages that do not part words: their letters are counted as words, as Whisper's paper does."""


def counts_letters(normaliser: NormaliserName, language: str) -> bool:
    """Say whether the normaliser parts all letters of ``language``, so that letters are its words."""
    return normaliser == "basic" and language in WITHOUT_SPACES


def normaliser_for(language: str) -> NormaliserName:
    """Return which of Whisper's normalisers its paper scores ``language`` with."""
    return "english" if language == "en" else "basic"


def load_normaliser(name: NormaliserName, language: str) -> Normaliser:
    """Return what takes case, punctuation and, for English, spelling and numerals out of a text."""
    from whisper.normalizers import BasicTextNormalizer, EnglishTextNormalizer  # noqa: PLC0415

    if name == "english":
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)  # it leaves closing its table to Python
            normalise: Normaliser = EnglishTextNormalizer()
    else:
        normalise = BasicTextNormalizer(split_letters=counts_letters(name, language))
    return lambda text: " ".join(filter(_is_word, normalise(text).split()))


def load_english_normaliser(spellings: Path) -> Normaliser:
    """Return the English one without Whisper's package: transformers' copy of it, with its table.

    Raises ``MissingWeightsError`` without such a table.
    """
    from transformers.models.whisper.english_normalizer import EnglishTextNormalizer  # noqa: PLC0415

    try:
        table = json.loads(spellings.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MissingWeightsError(f"{spellings} is no table of spellings: {error}") from error
    normalise: Normaliser = EnglishTextNormalizer(table)
    return lambda text: " ".join(filter(_is_word, normalise(text).split()))


def _is_word(written: str) -> bool:
    """Say whether anybody could say it: of "Well..." the normaliser leaves a dot as a word of its own."""
    return any(map(str.isalnum, written))


def error_rates(said: str, heard: str, *, letters: bool = False) -> dict[str, float]:
    """Return word and character error rate, and inserted and deleted words, each per word of ``said``.

    ``said`` must hold a word. Over 1 if more is made up than was said. Spaces are characters, unless words
    are ``letters``: then nobody wrote them.
    """
    import jiwer  # noqa: PLC0415

    words = jiwer.process_words(said, heard)
    spoken = words.hits + words.substitutions + words.deletions
    return {
        "wer": float(words.wer),
        "cer": float(words.wer if letters else jiwer.cer(said, heard)),
        "inserted": words.insertions / spoken,
        "deleted": words.deletions / spoken,
    }


def language_code(label: str) -> str | None:
    """Return Whisper's code for a language as corpora label it: ``de``, ``de-AT``, ``en_us``, ``English``.

    None for a label that says nothing to Whisper.
    """
    from transformers.models.whisper.tokenization_whisper import LANGUAGES, TO_LANGUAGE_CODE  # noqa: PLC0415

    main = re.split(r"[-_]", label.strip().lower())[0]
    return main if main in LANGUAGES else TO_LANGUAGE_CODE.get(main)
