"""The degrade stage: steps that misbehave, and records that cannot be degraded."""

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
import pytest

from schemas import BrokenError, Outcome, Reason, Status, UnfitError, UnknownOperatorError
from stages.audio.flac import encode_flac
from stages.audio.waveform import AudioSource, Waveform
from stages.degradations import DEGRADATIONS, Degradation
from stages.degradations.clipping import Clipping
from stages.degrade.memory_source import MemoryAudioSource
from stages.degrade.stage import DegradeInput
from stages.operators.degradation import Scene
from stages.operators.distributions import Distribution
from tests.support.degrade_inputs import recipe, stage_over


class Misbehaving(Degradation):
    """What no degradation may be; registered while these tests run."""

    kind: ClassVar[str] = "misbehaving"
    draws: ClassVar[Mapping[str, Distribution]] = {}
    how: str

    def apply(self, speech: Waveform, sources: AudioSource) -> Waveform:  # noqa: ARG002
        """Return what is wrong in one way."""
        return {
            "shorter": speech.with_samples(speech.samples[:-1]),
            "slower": Waveform(speech.samples, speech.sample_rate // 2),
            "not a number": speech.with_samples(speech.samples * np.float32(np.nan)),
            "silent": speech.scale(0.0),
            "endless fact": speech,
        }[self.how]

    def damage(self, scene: Scene, sources: AudioSource) -> Scene:
        """Report a fact that is not finite, if that is what is wrong."""
        facts = {"level_db": float("inf")} if self.how == "endless fact" else {}
        return Scene(self.apply(scene.degraded, sources), scene.reference, facts)


@pytest.fixture
def misbehaving() -> type[Degradation]:
    """Register the misbehaving degradation for this file."""
    return DEGRADATIONS.register(Misbehaving)


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        ("shorter", Reason.WRONG_SHAPE),
        ("slower", Reason.WRONG_SHAPE),
        ("not a number", Reason.NOT_FINITE),
        ("endless fact", Reason.NOT_FINITE),
    ],
)
def test_catches_a_step_that_misbehaves(
    how: str, reason: Reason, clean: Waveform, misbehaving: type[Degradation]
) -> None:
    """A step that breaks the family's laws is named, with the reason."""
    record = DegradeInput(recipe(misbehaving(how=how).spec), encode_flac(clean))

    with pytest.raises(BrokenError, match="misbehaving") as caught:
        stage_over(MemoryAudioSource()).process([record])

    assert caught.value.reason is reason


def test_silence_is_unfit(clean: Waveform, misbehaving: type[Degradation]) -> None:
    """Degraded speech of which nothing is left cannot be restored."""
    record = DegradeInput(recipe(misbehaving(how="silent").spec), encode_flac(clean))

    with pytest.raises(UnfitError, match="degraded speech is silent") as caught:
        stage_over(MemoryAudioSource()).process([record])

    assert caught.value.reason is Reason.SILENT


@pytest.mark.parametrize("clean_is_there", [True, False])
def test_skips_what_has_no_recipe(clean_is_there: bool, clean: Waveform) -> None:  # noqa: FBT001 - a parameter
    """A recipe that came to nothing has a row all the same, and its neighbours are degraded."""
    audio = encode_flac(clean) if clean_is_there else None
    nothing = recipe(status=Status.UNFIT, reason=Reason.TOO_SHORT)
    good = DegradeInput(recipe(Clipping(threshold=0.1).spec, id="utt-2~0"), encode_flac(clean))

    skipped, done = stage_over(MemoryAudioSource()).process([DegradeInput(nothing, audio), good])

    assert (skipped.status, skipped.reason) == (Status.SKIPPED, Reason.NO_VALUE_UPSTREAM)
    assert skipped.degraded is None
    assert done.is_ok


def test_has_a_row_for_every_outcome(clean: Waveform) -> None:
    """What broke becomes the recipe's row, with the reason."""
    broken = Outcome(status=Status.FAILED, reason=Reason.ERROR, detail="ValueError")
    record = DegradeInput(recipe(), encode_flac(clean))

    row = stage_over(MemoryAudioSource()).without_value(record, broken)

    assert (row.id, row.status, row.reason, row.detail) == ("utt-1~0", *broken.fields.values())
    assert stage_over(MemoryAudioSource()).name_of(record) == row.id


def test_another_version_of_an_operator_stops_the_run(clean: Waveform) -> None:
    """A recipe that this code would carry out differently is refused, not approximated."""
    old = Clipping(threshold=0.5).spec.model_copy(update={"version": 99})

    with pytest.raises(UnknownOperatorError, match=f"version {Clipping.version} here, not 99"):
        stage_over(MemoryAudioSource()).process([DegradeInput(recipe(old), encode_flac(clean))])
