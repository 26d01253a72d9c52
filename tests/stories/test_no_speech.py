"""A corpus with recordings in which nobody speaks: they are no references, and people find out."""

import re
from pathlib import Path

import numpy as np
import soundfile

from stages.audio.resampling import resample
from stages.operators.rng import rng_for
from tests.support import rows, tiny
from tests.support.bundled_speech import bundled
from tests.support.in_process import run_here

RATE = 16_000
SECONDS = 5


def _write_corpus(folder: Path) -> None:
    """Write sentences that can serve, as they are or oddly, and three recordings that are no references."""
    voice, narrow = bundled(1).samples, resample(bundled(2, 8_000), RATE).samples
    t = np.arange(SECONDS * RATE) / RATE
    dither = rng_for(0, "dither").integers(-1, 2, SECONDS * RATE) / 2**15
    folder.mkdir()
    soundfile.write(folder / "real.wav", voice, RATE)
    soundfile.write(folder / "same.wav", np.stack([voice, 0.9 * voice], axis=1), RATE)
    soundfile.write(folder / "narrow.wav", narrow, RATE)
    soundfile.write(folder / "clipped.wav", np.clip(20 * voice, -1, 1), RATE)
    soundfile.write(folder / "faint.wav", 1e-3 * bundled(3).samples, RATE, subtype="PCM_24")
    soundfile.write(folder / "last_bit.wav", dither, RATE)
    soundfile.write(folder / "mains.wav", 0.05 * np.sin(2 * np.pi * 50 * t), RATE)
    soundfile.write(folder / "opposite.wav", np.stack([voice, -0.97 * voice], axis=1), RATE)


def test_what_is_no_speech_is_refused_with_its_reason_and_shown_in_the_report(tmp_path: Path) -> None:
    """Dither, hum and opposite channels are unfit; odd audio is used, counted and named in the report."""
    _write_corpus(tmp_path / "clips")
    config = tiny.write_config(tmp_path, tiny.cheap_config(tmp_path / "clips", shard_seconds=300))

    run_here(config, tmp_path / "workspace")

    assert rows.outcomes(tmp_path / "workspace", "ingest") == {
        **dict.fromkeys(("real", "same", "narrow", "clipped", "faint"), "ok"),
        **dict.fromkeys(("last_bit", "mains"), "unfit/no_speech"),
        "opposite": "unfit/channels_cancel",
    }
    details = rows.details(tmp_path / "workspace", "ingest")
    assert "as steady as hum or hiss: its level, -92" in str(details["last_bit"])
    assert "mixed down they lose 33" in str(details["opposite"])
    page = (tmp_path / "workspace" / "report.html").read_text()
    section = re.sub(r"<[^>]+>", " ", page[page.index('id="corpus"') : page.index('id="scores"')])
    found = " ".join(section.split())
    for said in (
        "8 recordings gave 5 utterances",
        "under −50 dBFS 1 20.0% clips/faint −80",
        "can hold 2 40.0% clips/faint up to 2,953 of 8,000 Hz clips/narrow up to 3,922 of 8,000 Hz",
        "at the top 1 20.0% clips/clipped",
        "made mono 1 20.0% clips/same 2 channels",
        "no speech 2 25.0% clips/last_bit as steady as hum",
        "channels cancel 1 12.5% clips/opposite mixed down",
    ):
        assert said in found
