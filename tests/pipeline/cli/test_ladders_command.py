"""``ladders``, typed as a user would: a table of what each score notices, and who may vote."""

import csv
from pathlib import Path

import numpy as np
import soundfile

from tests.support.command_line import written
from tests.support.forked_commands import typed


def test_says_who_may_vote(tmp_path: Path) -> None:
    """Every score has a row and every ladder a column; nothing is written."""
    config = written(tmp_path, metrics=[{"kind": "si_sdr"}, {"kind": "estoi"}], preference=PREFERENCE)
    before = sorted(tmp_path.rglob("*"))

    done = typed("ladders", config, "--utterances", "2")

    assert done.returncode == 0, done.stderr
    assert "utterance 2 of 2" in done.stdout
    assert "2 utterances of 2 known speakers" in done.stdout
    header, _, *rows = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert header.count("|") == 12
    assert [row.split("|")[1].strip() for row in rows] == ["si_sdr", "estoi"]
    si_sdr = [cell.strip() for cell in rows[0].split("|")]
    assert si_sdr[3] == "**1.00 / 1.00**", "SI-SDR falls with the SNR, and decides on it"
    assert si_sdr[9] == "no value", "two utterances of two speakers have no other words"
    assert si_sdr[11] in {"yes", "no"}
    assert sorted(tmp_path.rglob("*")) == before


def test_words_and_voices_come_from_all_recordings(tmp_path: Path) -> None:
    """One utterance of many is asked for, and is spliced with others that nobody asked for."""
    config = written(tmp_path, metrics=[{"kind": "si_sdr"}, {"kind": "estoi"}], preference=PREFERENCE)
    with (tmp_path / "sentences.csv").open(newline="", encoding="utf-8") as file:
        first, second, *_ = csv.DictReader(file)
    again = {**second, "id": "again", "speaker": first["speaker"]}
    with (tmp_path / "sentences.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, first)
        writer.writeheader()
        writer.writerows([first, second, again])

    done = typed("ladders", config, "--utterances", "1")

    assert done.returncode == 0, done.stderr
    row = next(line for line in done.stdout.splitlines() if line.startswith("| si_sdr"))
    assert "1 utterance of 1 known speaker" in done.stdout
    assert "no value" not in row


def test_leaves_silence_and_damage_out(tmp_path: Path) -> None:
    """They can neither be made worse nor lend their words: they are named, and the others go on."""
    config = written(tmp_path, metrics=[{"kind": "si_sdr"}, {"kind": "estoi"}], preference=PREFERENCE)
    soundfile.write(tmp_path / "silent.flac", np.zeros(16_000), 16_000)
    (tmp_path / "broken.flac").write_bytes((tmp_path / "silent.flac").read_bytes()[:60])
    with (tmp_path / "sentences.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "sentences.csv").open("a", newline="", encoding="utf-8") as file:
        for odd in ("silent", "broken"):
            row = {**rows[0], "id": odd, "path": tmp_path / f"{odd}.flac"}
            csv.DictWriter(file, rows[0]).writerow(row)

    done = typed("ladders", config, "--utterances", "4")

    assert done.returncode == 0, done.stderr
    assert "silent is left out: silent" in done.stdout
    assert "broken is left out: " in done.stdout
    assert "2 utterances of 2 known speakers" in done.stdout


def test_silence_alone_is_no_speech(tmp_path: Path) -> None:
    """There is nothing to measure, and no table of nothing."""
    soundfile.write(tmp_path / "silent.flac", np.zeros(16_000), 16_000)
    speech = [{"name": "quiet", "path": str(tmp_path / "silent.flac")}]
    config = written(
        tmp_path, speech=speech, metrics=[{"kind": "si_sdr"}, {"kind": "estoi"}], preference=PREFERENCE
    )

    done = typed("ladders", config)

    assert done.returncode == 2
    assert "no speech in 1 recording; ladders have nothing to stand on" in done.stderr


PREFERENCE = {
    "criteria": ["estoi"],
    "uncovered": ["perceptual_quality", "signal_fidelity", "timbre_preservation"],
}
