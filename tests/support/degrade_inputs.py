"""Recipes as the degrade stage meets them."""

from schemas import OperatorSpec, Recipe, Split
from stages.audio.cache import AudioCache
from stages.audio.waveform import AudioSource
from stages.degradations.bandwidth import Bandwidth
from stages.degradations.clipping import Clipping
from stages.degradations.noise import Noise
from stages.degradations.reverb import Reverb
from stages.degrade.memory_source import MemoryAudioSource
from stages.degrade.stage import DegradeStage, LevelRule

RATE = 16_000


def recipe(*steps: OperatorSpec, **changes: object) -> Recipe:
    """Return a recipe of these steps."""
    fields = {
        "id": "utt-1~0",
        "utterance_id": "utt-1",
        "source_id": "c/utt-1",
        "corpus": "c",
        "repeat": 0,
        "split": Split.TRAIN,
        "sample_rate": RATE,
        "num_samples": RATE,
        "bandwidth_hz": 8_000.0,
        "steps": steps,
        "sources": (),
    }
    return Recipe.model_validate({**fields, **changes})


def chain(sources: MemoryAudioSource, snr_db: float = 5.0) -> list[OperatorSpec]:
    """Return reverberation, clipping, limited bandwidth and noise: AATC's order."""
    noise = Noise(noise=sources.refs("noise")[0], offset_fraction=0.4, snr_db=snr_db)
    reverb = Reverb(response=sources.refs("rir")[0])
    return [reverb.spec, Clipping(threshold=0.4).spec, Bandwidth(sample_rate_hz=8_000).spec, noise.spec]


def stage_over(sources: AudioSource, level: LevelRule = "guard") -> DegradeStage:
    """Return the stage over these pools."""
    return DegradeStage(sources, AudioCache(), level)
