"""``score``: files that are there already, by the panel of a run, with a run's numbers and reasons."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import soundfile
import yaml

from pipeline.panel import Panel
from stages.audio.flac import decode_flac_bytes
from tests.support.forked_commands import typed
from tests.support.tiny import write_speech

VOTES = ("multi_resolution_stft", "estoi", "spectral_envelope")


@pytest.fixture(scope="module")
def made(undisturbed: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the candidates of a run as files beside their clean references, and its config."""
    folder = tmp_path_factory.mktemp("scored")
    (folder / "run").symlink_to(undisturbed / "workspace")
    (folder / "tiny.yaml").symlink_to(undisturbed / "tiny.yaml")
    for row in candidates_of(folder):
        if row["kind"] != "degraded":
            name = "clean" if row["kind"] == "clean" else f"{row['model']}-{row['take']}"
            path = folder / "files" / name / f"{row['degraded_id'].replace('/', '_')}.flac"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(row["audio"]["bytes"])
    return folder


def candidates_of(folder: Path) -> list[dict[str, Any]]:
    """Return the candidates of the run, with the scores that it gave them."""
    rows: list[dict[str, Any]] = pq.read_table(folder / "run" / "dataset" / "candidates").to_pylist()
    return rows


def restored_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Walk the takes of the run that have audio."""
    return (row for row in candidates_of(folder) if row["kind"] == "restored" and row["audio"])


def score(folder: Path, *words: object, out: str = "scores.parquet", check: bool = True) -> Any:
    """Score as a user would, in this process; return what was printed."""
    place = ("--workspace", folder / "scored", "--out", folder / out, "--executor", "local")
    done = typed("score", folder / "tiny.yaml", *words, *place)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def folders_of(folder: Path) -> list[Path]:
    """Return the folders of candidates."""
    return sorted(path for path in (folder / "files").iterdir() if path.name != "clean")


def test_files_get_the_scores_of_a_run(made: Path) -> None:
    """To the bit, for each take and score; and the share of the others of its item that each one beats."""
    score(made, *folders_of(made), "--clean", made / "files" / "clean")

    scored = pq.read_table(made / "scores.parquet").to_pylist()
    found = {(row["model"], row["item"]): row for row in scored}
    expected = list(restored_rows(made))
    assert len(found) == len(expected) == 12
    for row in expected:
        ours = found[f"{row['model']}-{row['take']}", row["degraded_id"].replace("/", "_")]
        assert ours["digest"] == row["digest"]
        assert [ours[name] for name in VOTES] == [row[name] for name in VOTES]
        assert ours["missing_scores"] == row["missing_scores"] == []
    pairs = pq.read_table(made / "run" / "dataset" / "pairs", columns=["pair_id"]).num_rows
    assert sum(row["beaten_share"] for row in scored) == pytest.approx(pairs / 2), "of three, others are two"


def test_goes_on_where_it_ended(made: Path) -> None:
    """What was scored is not scored again, and a folder that comes later is all that is new."""
    first, *rest = folders_of(made)
    words = ("--clean", made / "files" / "clean")
    score(made, first, *rest, *words)
    before = (made / "scores.parquet").read_bytes()

    again = score(made, first, *rest, *words)
    assert "done: nothing left" in again.stdout
    assert (made / "scores.parquet").read_bytes() == before

    new = made / "files-later" / "later"
    new.mkdir(parents=True)
    for path in first.iterdir():
        (new / path.name).write_bytes(path.read_bytes())
    later = score(made, first, *rest, new, *words)
    assert "done: 8 tickets" in later.stdout, "of its two shards the files, and three metrics"


def test_memory_and_files_agree(made: Path) -> None:
    """The panel in Python gives what the command writes, and so what a run gives."""
    panel = Panel.load(made / "tiny.yaml")
    rows = list(restored_rows(made))[:3]
    clean = {row["degraded_id"]: row["audio"] for row in candidates_of(made) if row["kind"] == "clean"}
    sides = [
        [decode_flac_bytes(audio["bytes"]).samples for audio in audios]
        for audios in ([row["audio"] for row in rows], [clean[row["degraded_id"]] for row in rows])
    ]

    scores = panel.score(*sides, sample_rate=16_000)

    for item, row in zip(scores.items, rows, strict=True):
        assert {name: item[name].value for name in panel.names} == {name: row[name] for name in panel.names}


def test_what_cannot_be_scored_has_its_reason(made: Path, tmp_path: Path) -> None:
    """Noise that is no audio, silence, another length, another rate, no reference: neighbours go on."""
    rng, files, clean = np.random.default_rng(0), tmp_path / "mine", tmp_path / "clean"
    files.mkdir()
    clean.mkdir()
    speech = decode_flac_bytes(next(restored_rows(made))["audio"]["bytes"]).samples
    for name in ("good", "broken", "silent", "short", "slow", "alone", "deaf"):
        noisy = speech + 0.01 * rng.standard_normal(speech.size)
        kept = {"silent": 0.0 * noisy, "short": noisy[:-160]}.get(name, noisy)
        soundfile.write(files / f"{name}.wav", kept, 8_000 if name == "slow" else 16_000, "FLOAT")
        if name != "alone":
            soundfile.write(clean / f"{name}.flac", speech, 16_000)
    (files / "broken.wav").write_bytes(b"no audio at all")
    (clean / "deaf.flac").write_bytes(b"no audio either")

    place = ("--workspace", tmp_path / "w", "--out", tmp_path / "s.csv", "--executor", "local")
    panel = tmp_path / "panel.yaml"
    panel.write_text(yaml.safe_dump({"metrics": [{"kind": "estoi"}, {"kind": "dnsmos"}]}))
    done = typed("score", panel, files, "--clean", clean, *place)

    assert done.returncode == 0, done.stderr
    with (tmp_path / "s.csv").open() as file:
        rows = {row["item"]: row for row in csv.DictReader(file)}
    assert float(rows["good"]["estoi"]) > 0.5
    assert (rows["broken"]["status"], rows["broken"]["reason"]) == ("unfit", "unreadable")
    assert (rows["silent"]["status"], rows["silent"]["reason"]) == ("failed", "silent")
    for name, status, reason in (
        ("short", "failed", "wrong_shape"),
        ("slow", "failed", "wrong_shape"),
        ("alone", "unfit", "no_reference"),
    ):
        assert f'"score": "estoi", "status": "{status}", "reason": "{reason}"' in rows[name]["missing_scores"]
        assert rows[name]["dnsmos_ovrl"], "a score without a reference is there all the same"
    assert rows["deaf"]["detail"].startswith("clean reference: unreadable")
    assert rows["good"]["path"].endswith("mine/good.wav")
    assert "estoi: 2 files without, no_reference" in done.stdout


def test_refuses_what_it_cannot_mean(made: Path, tmp_path: Path) -> None:
    """One clear line each, and nothing written."""
    first = folders_of(made)[0]
    cases = {
        "no candidate has a clean reference in other": (first, "--clean", made / "other"),
        "two candidates would be called": (f"same={first}", f"same={folders_of(made)[1]}"),
        "there is no": (tmp_path / "nowhere",),
    }
    write_speech(made / "other", ["z"])
    for message, words in cases.items():
        done = score(made, *words, out="none.parquet", check=False)
        assert done.returncode == 2
        assert message in done.stderr
    wrong = score(made, first, out="none.txt", check=False)
    assert "the file ends with .parquet or .csv" in wrong.stderr
    assert not list(made.glob("none.*"))


def test_a_panel_is_a_config_with_metrics(tmp_path: Path) -> None:
    """It needs nothing else; what is no setting of any config is a mistake with its place."""
    path = tmp_path / "panel.yaml"
    path.write_text(yaml.safe_dump({"metrics": [{"kind": "estoi"}, {"kind": "si_sdr"}]}))
    assert Panel.load(path).names == ("estoi", "si_sdr")
    path.write_text("metrics:\n  - kind: estoi\nmetricks: []\n")
    done = typed("score", path, tmp_path)
    assert done.returncode == 2
    assert "panel.yaml:3:1: metricks: a panel has no 'metricks'; did you mean 'metrics'?" in done.stderr
