"""Chance, records and failures: what published simulators get wrong there, and that this one does not."""

import io
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
import soundfile

from schemas import OperatorSpec, Source, Status
from stages.audio.flac import decode_flac, encode_flac
from stages.audio.waveform import AudioSource, Waveform
from stages.degradations import DEGRADATIONS, Degradation
from stages.degradations.audiomentations import AudiomentationsTransform
from stages.degradations.bit_depth import BitDepth
from stages.degradations.coloured_noise import ColouredNoise
from stages.degradations.wind import Wind
from stages.degrade.memory_source import MemoryAudioSource
from stages.degrade.stage import DegradeInput
from stages.ingest.pools import PoolSettings, PoolStage
from stages.operators.distributions import Distribution
from stages.plan.chain import Step
from stages.plan.conditions import Utterance
from stages.plan.drawing import Occasion, draw_steps
from stages.runtime.attempt import attempt
from tests.support.degrade_inputs import RATE, chain, recipe, stage_over
from tests.support.speech_like import speech_like

SPEECH = speech_like(1.0)


@pytest.fixture
def pools(hiss: Waveform) -> MemoryAudioSource:
    """Return a noise and a room."""
    held = MemoryAudioSource()
    held.add("noise", "hiss", hiss)
    response = np.zeros(2_000, np.float32)
    response[[100, 700]] = 0.5, 0.2
    held.add("rir", "room", Waveform(response, RATE))
    return held


@pytest.mark.parametrize("said", [False, "False", "false", 0])
def test_a_no_is_a_no_however_it_is_written(said: object) -> None:
    """In URGENT 2025 ``bool("False")`` is true, and wind always clips."""
    assert bool("False")

    wind = Wind.model_validate({"seed": 1, "snr_db": 0.0, "clipping": said})
    again = DEGRADATIONS.build(OperatorSpec.model_validate_json(wind.spec.model_dump_json()))

    assert wind.clipping is False
    assert again == wind


@pytest.mark.parametrize("probability", [0.1, 0.9])
def test_a_probability_is_that_of_happening(probability: float) -> None:
    """In URGENT it is that of not happening, which at its default of a half does not show."""
    step = Step(kind="bit_depth", probability=probability)

    drawn = [draw_steps([step], Occasion(Utterance(str(n)), 0, 0, {})) for n in range(500)]

    assert Counter(map(len, drawn))[1] == pytest.approx(500 * probability, abs=30)


def test_chance_is_named_by_the_run_and_the_utterance() -> None:
    """In URGENT it is the number of the file alone; in AATC, Sidon and SonicMaster what ran before."""
    step = Step(kind="coloured_noise")

    drawn = {
        (seed, name): draw_steps([step], Occasion(Utterance(name), 0, seed, {}))
        for seed in (1, 2)
        for name in ("fileid_1", "fileid_2")
    }

    assert len({str(steps) for steps in drawn.values()}) == 4
    assert draw_steps([step], Occasion(Utterance("fileid_2"), 0, 1, {})) == drawn[1, "fileid_2"]


def test_threads_do_not_share_chance(pools: MemoryAudioSource) -> None:
    """In AATC threads draw from one generator in whatever order they come."""
    plans = [DegradeInput(recipe(*chain(pools), id=str(n)), encode_flac(SPEECH)) for n in range(12)]
    stage = stage_over(pools)

    alone = [stage.process([plan])[0] for plan in plans]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda plan: stage_over(pools).process([plan])[0], plans))

    assert alone == together


def test_a_record_makes_the_noise_again_and_not_only_its_level() -> None:
    """In audiomentations frozen parameters of AddGaussianSNR keep the level and draw other noise."""
    transform = AudiomentationsTransform(transform="AddGaussianSNR", seed=5)
    again = DEGRADATIONS.build(OperatorSpec.model_validate_json(transform.spec.model_dump_json()))

    first, second = (each.apply(SPEECH, MemoryAudioSource()).samples for each in (transform, again))

    np.testing.assert_array_equal(first, second)


def test_numbers_are_recorded_as_numbers(pools: MemoryAudioSource) -> None:
    """In DNS and URGENT settings are words, in a file's name or a column, and parsed back from there."""
    noise = ColouredNoise(seed=3, snr_db=7.123456789, slope_db_per_octave=-3.3)

    (row,) = stage_over(pools).process([DegradeInput(recipe(noise.spec), encode_flac(SPEECH))])

    assert DEGRADATIONS.build(OperatorSpec.model_validate_json(noise.spec.model_dump_json())) == noise
    assert row.applied[0].number("snr_db") == pytest.approx(7.123456789, abs=1e-4)


class Fails(Degradation):
    """A codec that does not work here."""

    kind: ClassVar[str] = "fails"
    draws: ClassVar[Mapping[str, Distribution]] = {}

    def apply(self, speech: Waveform, sources: AudioSource) -> Waveform:  # noqa: ARG002
        """Raise as a library does."""
        raise RuntimeError("no such encoder")


def test_a_failure_is_a_reason_and_no_audio(pools: MemoryAudioSource) -> None:
    """In URGENT a codec's exception is printed, and the next line reads what is not there."""
    DEGRADATIONS.register(Fails)
    plan = DegradeInput(recipe(BitDepth(bits=8).spec, Fails().spec), encode_flac(SPEECH))

    tried = attempt("degrade", lambda: stage_over(pools).process([plan]))

    assert tried.value is None
    assert tried.outcome.status is Status.FAILED
    assert tried.outcome.detail == "RuntimeError"


def test_codecs_need_nothing_that_is_gone() -> None:
    """SpeechBrain, audiotools and URGENT use torchaudio.io and apply_codec, which torchaudio has no more."""
    code = """
import sys
from stages.degradations.av_codec import AvCodec
from stages.degradations.codec import Codec
from stages.degrade.memory_source import MemoryAudioSource
from tests.support.speech_like import speech_like
speech, none = speech_like(0.3), MemoryAudioSource()
for codec in ("mp3", "opus", "vorbis", "alaw", "ulaw", "gsm"):
    Codec(codec=codec, bitrate_kbps=32, quality=0.3).apply(speech, none)
for codec in ("aac", "g722", "opus_voice"):
    AvCodec(codec=codec, bitrate_kbps=48).apply(speech, none)
print(sorted({"torch", "torchaudio"} & set(sys.modules)))
"""
    root = Path(__file__).parents[2]

    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=root, check=True)

    assert ran.stdout.strip() == "[]"


def test_noise_in_stereo_is_taken_for_its_mean() -> None:
    """In audiomentations a noise of two channels is an exception in the middle of a run."""
    file = io.BytesIO()
    left, right = SPEECH.samples, SPEECH.samples[::-1]
    soundfile.write(file, np.column_stack([left, right]), RATE, format="WAV", subtype="FLOAT")
    stage = PoolStage(PoolSettings(pool="noise", holds="noise"), lambda _: io.BytesIO(file.getvalue()))
    source = Source(id="n/a", corpus="n", path="a.wav", name="a.wav", content="0" * 64)

    (row,) = stage.process([source])

    assert row.audio is not None
    np.testing.assert_allclose(decode_flac(row.audio).samples, (left + right) / 2, atol=1e-6)


def test_a_worker_does_not_grow(pools: MemoryAudioSource) -> None:
    """In torch-audiomentations memory leaks with several processes; here none is held after a record."""
    stage = stage_over(pools)
    plans = [DegradeInput(recipe(*chain(pools), id=str(n)), encode_flac(SPEECH)) for n in range(60)]
    stage.process(plans[:20])
    tracemalloc.start()

    for plan in plans[20:]:
        stage.process([plan])
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert held < 2 * SPEECH.samples.nbytes
