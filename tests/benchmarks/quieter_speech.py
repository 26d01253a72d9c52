"""Recordings with less noise of their own, as clean sides for the training of restorers.

    python -m tests.benchmarks.quieter_speech MANIFEST.csv --out FOLDER [--kept 0.07]

Every recording of a manifest (columns path, speaker, licence) becomes a FLAC file: the mean of what
``gtcrn`` and ``nsnet2`` make of it, with a share of the recording kept, which hides the artefacts of both.
What is there already is not made again. FOLDER gets a manifest.csv of its own. A clean side with noise in it
teaches a model to leave noise; this is what the shipped restorers' clean sides went through.
"""

import argparse
import csv
import os
from pathlib import Path

from stages.threads import ONE_THREAD

os.environ.update(ONE_THREAD)

import numpy as np
import soundfile

from pipeline.text import say
from stages.audio.resampling import fit_length, resample
from stages.audio.waveform import Samples, Waveform
from stages.operators.restorer import Restorer
from stages.restorers.gtcrn import Gtcrn
from stages.restorers.nsnet2 import Nsnet2

SAMPLE_RATE = 16_000


def quieten(samples: Samples, restorers: list[Restorer], kept: float) -> Samples:
    """Return samples at 16 kHz with their noise lowered to about ``kept`` of what it was."""
    waveform = Waveform(samples, SAMPLE_RATE)
    restored = [
        fit_length(each.restore([waveform], [np.random.default_rng(0)])[0].samples, samples.size)
        for each in restorers
    ]
    quiet: Samples = kept * samples + (1.0 - kept) * np.mean(restored, axis=0)
    return quiet.astype(np.float32)


def main() -> None:
    """Write the folder."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--kept", type=float, default=0.07)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    restorers: list[Restorer] = [Gtcrn(), Nsnet2()]
    for restorer in restorers:
        restorer.load("cpu")
    with arguments.manifest.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows, start=1):
        source = arguments.manifest.parent / row["path"]
        row["path"] = f"{source.stem}.flac"
        if not (arguments.out / row["path"]).exists():
            samples, rate = soundfile.read(source, dtype="float32")
            low = resample(Waveform(samples, rate), SAMPLE_RATE).samples
            quiet = quieten(low, restorers, arguments.kept)
            soundfile.write(arguments.out / row["path"], quiet, SAMPLE_RATE, subtype="PCM_16")
        if number % 100 == 0:
            say(f"{number:,} of {len(rows):,}")
    with (arguments.out / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
