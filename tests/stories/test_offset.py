"""Speech that lies on a constant offset: the noise that is asked for is the noise that is heard."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from stages.audio.flac import decode_flac_bytes
from tests.support import tiny
from tests.support.bundled_speech import bundled
from tests.support.in_process import run_here
from tests.support.sided import rows_of

OFFSETS = (0.0, 0.05, 0.3)


def test_an_offset_takes_no_part_in_the_snr(tmp_path: Path) -> None:
    """What is recorded is true of every recording, and the same noise is as loud in each."""
    speech = 0.5 * bundled(1).samples
    (tmp_path / "speech").mkdir()
    for offset in OFFSETS:
        soundfile.write(tmp_path / "speech" / f"by_{offset}.wav", speech + offset, 16_000)
    chain = [{"kind": "noise", "snr_db": 5, "snr_definition": "rms_full"}]
    noise = [{"synthesise": ["white"], "duration_s": 3}]  # of which next to nothing is below 20 Hz
    config = tiny.cheap_config(tmp_path / "speech", degradations={"chain": chain}, pools={"noise": noise})

    run_here(tiny.write_config(tmp_path, config), tmp_path / "workspace")

    rows = {row["degraded_id"]: {} for row in rows_of(tmp_path / "workspace" / "dataset", "candidates")}
    for row in rows_of(tmp_path / "workspace" / "dataset", "candidates"):
        if row["kind"] != "restored":
            rows[row["degraded_id"]][row["kind"]] = decode_flac_bytes(row["audio"]["bytes"]).samples
    heard = [
        20.0 * np.log10(np.std(sides["clean"]) / np.std(sides["degraded"] - sides["clean"]))
        for sides in rows.values()
    ]
    assert heard == pytest.approx([5.0] * len(OFFSETS), abs=0.1)
