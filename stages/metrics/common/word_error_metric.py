"""Word errors of a recogniser: what it hears in a candidate, against the transcript or against the clean."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import ClassVar

from schemas import Outcome, Reason, UnfitError
from stages.audio.waveform import Samples
from stages.metrics.common.word_error_rate import error_rates, language_code
from stages.operators.metric import Aspect, Better, Comparison, Measured, Metric, Output
from stages.operators.metric_bases import require_audible, try_measuring

_SHORTEST_S = 0.1
Text = str | Outcome
"""What is heard in one recording, or why that cannot be known."""


_SAID = {
    "wer": "word error rate",
    "cer": "character error rate",
    "inserted": "words made up, per word that was said: a guard against hallucination",
    "deleted": "words lost, per word that was said",
}


def word_error_outputs(
    noise_floors: Mapping[str, float], note: str = "", votes: Sequence[str] = ()
) -> dict[str, Output]:
    """Return the four rates, all of them lower where it is better; ``note`` ends what is said of each."""
    return {
        suffix: Output(
            aspect=Aspect.CONTENT_CONSISTENCY,
            better=Better.LOWER,
            low=0.0,
            noise_floor=noise_floors[suffix],
            votes=suffix in votes,
            note=f"{said}; {note}" if note else said,
        )
        for suffix, said in _SAID.items()
    }


class WordErrorMetric(Metric):
    """What all comparisons of words share: which are listened to, and the reasons for those that are not."""

    level_dependent: ClassVar[bool] = True
    removes_dc: ClassVar[bool] = True

    @property
    @abstractmethod
    def listens_for(self) -> str:
        """The language that the recogniser is told to hear, as Whisper's code for it."""

    @abstractmethod
    def texts_of(self, recordings: Sequence[Samples]) -> Sequence[Text]:
        """Return what the recogniser hears in each recording at the metric's rate."""

    @abstractmethod
    def reference_texts(self, comparisons: Sequence[Comparison]) -> Sequence[Text]:
        """Return the words that each candidate should hold."""

    @abstractmethod
    def normalise(self, text: str) -> str:
        """Return the words of a text as they are compared."""

    @abstractmethod
    def no_words(self) -> UnfitError:
        """Return the reason for a reference that holds no word."""

    @property
    def counts_letters(self) -> bool:
        """Whether letters are the words, as in languages that do not part them."""
        return False

    def score(self, batch: Sequence[Comparison]) -> Sequence[Measured | Outcome]:
        """Return the rates of each comparison, or why there are none; all is heard at once."""
        checked = [try_measuring(partial(self._check_and_measure, comparison)) for comparison in batch]
        sound = [
            comparison
            for comparison, fault in zip(batch, checked, strict=True)
            if not isinstance(fault, Outcome)
        ]
        heard = self.texts_of([comparison.candidate.samples for comparison in sound])
        said = self.reference_texts(sound)
        rates = iter([self._rates_or_reason(*texts) for texts in zip(said, heard, strict=True)])
        return [fault if isinstance(fault, Outcome) else next(rates) for fault in checked]

    def _check_and_measure(self, comparison: Comparison) -> Measured:
        self._require_our_language(comparison.language)
        require_audible(comparison.candidate, "candidate", _SHORTEST_S)
        if self.needs_clean:
            require_audible(comparison.clean, "clean", _SHORTEST_S)
        return {}

    def _require_our_language(self, label: str | None) -> None:
        spoken = None if label is None else language_code(label)
        if spoken not in {None, self.listens_for}:
            message = f"the words are in {label!r}, and the metric listens for {self.listens_for!r}"
            raise UnfitError(Reason.NO_TRANSCRIPT, message)

    def _rates_or_reason(self, said: Text, heard: Text) -> Measured | Outcome:
        if isinstance(said, Outcome):
            return said.model_copy(update={"detail": f"clean {said.detail}"})
        if isinstance(heard, Outcome):
            return heard.model_copy(update={"detail": f"candidate {heard.detail}"})
        return try_measuring(partial(self._rates, said, heard))

    def _rates(self, said: str, heard: str) -> Measured:
        reference = self.normalise(said)
        if not reference:
            raise self.no_words()
        return error_rates(reference, self.normalise(heard), letters=self.counts_letters)


class TranscriptErrors(WordErrorMetric):
    """Against the words that were said, as the corpus has them."""

    needs_transcript: ClassVar[bool] = True
    needs_clean: ClassVar[bool] = False

    def reference_texts(self, comparisons: Sequence[Comparison]) -> Sequence[Text]:
        """Return the transcripts."""
        return [comparison.transcript or "" for comparison in comparisons]

    def no_words(self) -> UnfitError:
        """Return that the transcript holds no word."""
        return UnfitError(Reason.NO_TRANSCRIPT, "no word is left of the transcript once it is normalised")


class CleanErrors(WordErrorMetric):
    """Against what the recogniser hears in the clean reference, which is heard once for all candidates."""

    def reference_texts(self, comparisons: Sequence[Comparison]) -> Sequence[Text]:
        """Return the texts of the clean references."""
        return self.texts_of([comparison.clean.samples for comparison in comparisons])

    def no_words(self) -> UnfitError:
        """Return that nothing was heard in the clean reference."""
        return UnfitError(Reason.SILENT, "no word was recognised in the clean reference")
