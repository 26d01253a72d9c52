"""A dataset is verified as it was exported, and everything that was tampered with is found."""

import io
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from pipeline.cli.commands.verify import verify_command
from pipeline.verify.verify import Verified, verify_dataset
from schemas import IntegrityError, UserError
from stages.weights.files import weights_digest
from tests.support.forked_commands import typed
from tests.support.tampering import Rows, found, pairs_of, retold, tamper
from tests.support.tiny import Finished
from tests.support.tiny_metrics import lawful_metric


@pytest.fixture
def dataset(undisturbed: Path, tmp_path: Path) -> Path:
    """Return a copy of the tiny run's dataset, to tamper with."""
    return Path(shutil.copytree(undisturbed / "workspace" / "dataset", tmp_path / "dataset"))


def test_an_exported_dataset_is_what_it_says(dataset: Path) -> None:
    """Every file, row and sample, and all scores of all pairs."""
    verified = verify_dataset(dataset, rows=None)

    assert verified.is_sound, verified.findings
    assert verified.files == 3
    assert verified.sampled == verified.pairs > 3
    assert verified.rescored == ("multi_resolution_stft", "estoi", "spectral_envelope")
    assert not verified.not_rescored


def test_one_changed_byte_is_found(dataset: Path) -> None:
    """In a file of any table, whether or not it still opens."""
    for table in ("candidates", "pairs"):
        (file,) = (dataset / table).glob("*.parquet")
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)

    wrong = found(dataset)

    assert any(line.startswith("candidates/train-00000-of-00001.parquet: SHA-256") for line in wrong)
    assert any(line.startswith("pairs/train-00000-of-00001.parquet: SHA-256") for line in wrong)


def louder(cell: Mapping[str, Any]) -> dict[str, Any]:
    """Return a recording whose second half is another one."""
    samples, rate = soundfile.read(io.BytesIO(cell["bytes"]))
    samples[samples.size // 2 :] = np.roll(samples, 999)[samples.size // 2 :] * 0.5
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format="FLAC", subtype="PCM_24")
    return {**cell, "bytes": buffer.getvalue()}


def test_other_audio_is_found_by_its_samples_and_its_scores(dataset: Path) -> None:
    """A recording was changed, and the file's digest made to fit."""
    tamper(dataset, lambda rows: rows[1].update(chosen=louder(rows[1]["chosen"])))

    wrong = found(dataset)

    name = pairs_of(dataset)[1]["pair_id"]
    assert any(line.startswith(f"{name}: SHA-256 of chosen: published") for line in wrong)
    assert any(line.startswith(f"{name}: chosen_estoi: published 0.") for line in wrong)
    assert all(line.startswith(name) for line in wrong)


def test_audio_whose_digest_was_made_to_fit_has_other_scores(dataset: Path) -> None:
    """Scores are computed again from what is published: this is what hashes alone cannot tell."""

    def change(rows: Rows) -> None:
        for column in ("", "_model", "_take", "_digest"):
            rows[0][f"chosen{column}"] = rows[0][f"rejected{column}"]

    tamper(dataset, change)

    assert any(": chosen_estoi: published 0." in line for line in found(dataset))


def test_a_score_that_was_changed_is_found(dataset: Path) -> None:
    """In its margin, in the table of candidates, and by the metric itself, even where all else fits."""

    def change(rows: Rows) -> None:
        rows[0]["chosen_estoi"] += 0.01

    tamper(dataset, change)
    wrong = found(dataset)
    assert any("margin_estoi: published" in line for line in wrong)
    assert any("chosen_estoi: published" in line and "in 'scores'" in line for line in wrong)
    assert any("chosen_estoi: published" in line and "scores" not in line for line in wrong)

    tamper(dataset, lambda rows: rows[0].update(margin_estoi=rows[0]["margin_estoi"] + 0.01))
    for table in ("candidates", "scores"):
        shutil.rmtree(dataset / table)
        retold(dataset, lambda said, table=table: said["tables"].pop(table))
    wrong = [line for line in found(dataset) if not line.startswith("unanimous.json: ")]  # means
    others = [line for line in wrong if ": strength: " not in line]  # estoi may be its smallest margin
    assert [": chosen_estoi: published" in line for line in others] == [True]


def test_pairs_that_were_turned_round_are_found(dataset: Path) -> None:
    """The rejected side is not better by the criteria that the dataset names."""

    def change(rows: Rows) -> None:
        for name in [column for column in rows[0] if column.startswith("chosen")]:
            other = name.replace("chosen", "rejected")
            rows[0][name], rows[0][other] = rows[0][other], rows[0][name]
        for name in [column for column in rows[0] if column.startswith("margin_")]:
            rows[0][name] *= -1

    tamper(dataset, change)
    wrong = found(dataset)

    assert sum("vote of" in line for line in wrong) == 3
    others = [line for line in wrong if "vote of" not in line and not line.startswith("unanimous.json")]
    assert [line.rpartition(" ")[2] for line in others] == ["keep", "keeps"]


def test_rows_that_were_taken_away_or_doubled_are_found(dataset: Path) -> None:
    """By the file's count, by the funnel, and by names."""
    tamper(dataset, lambda rows: rows.pop())
    assert any("pairs: rows: published" in line for line in found(dataset, rows=0))

    tamper(dataset, lambda rows: rows.append(dict(rows[0])))
    assert any("pair_id: published one row, found 2 rows" in line for line in found(dataset, rows=0))


def test_a_licence_that_was_made_freer_is_found(dataset: Path) -> None:
    """A row is under the most restrictive licence of what went into it."""
    tamper(dataset, lambda rows: rows[0].update(row_licence="CC0-1.0"))

    assert any("row_licence: published CC0-1.0, found unknown" in line for line in found(dataset, rows=0))


def test_an_utterance_in_two_splits_is_found(dataset: Path) -> None:
    """And so is a noise recording, here of the one that most rows share."""
    (train,) = (dataset / "scores").glob("*.parquet")
    shutil.copy(train, train.with_name("test-00000-of-00001.parquet"))

    def tell(said: dict[str, Any]) -> None:
        files = json.loads(json.dumps(said["tables"]["scores"]["train"]).replace("train-", "test-"))
        said["tables"]["scores"]["test"] = files

    retold(dataset, tell)
    wrong = found(dataset, rows=0)

    assert "utterance clips/a: split: published one, found test, train" in wrong
    assert any(line.startswith("recording noise:noise-0/") and "split" in line for line in wrong)


def test_files_that_are_missing_or_foreign_are_found(dataset: Path) -> None:
    """A dataset is all of its files and no others."""
    (file,) = (dataset / "pairs").glob("*.parquet")
    rows = len(pairs_of(dataset))
    file.rename(file.with_name("train-00000-of-00002.parquet"))

    wrong = found(dataset)

    assert f"pairs/train-00000-of-00001.parquet: file: published {rows} rows, found none" in wrong
    assert any(line.startswith("pairs/train-00000-of-00002.parquet: file: published none") for line in wrong)


def test_a_metric_that_is_another_one_here_is_not_passed_over(dataset: Path) -> None:
    """Its scores are not verified, and that is said with the reason; the others are."""
    retold(dataset, lambda said: said["metrics"][1]["identity"].update(code=99))
    retold(dataset, lambda said: said["metrics"][2]["identity"].update(kind="gone"))

    verified = verify_dataset(dataset, rows=1)

    assert verified.is_sound
    assert verified.rescored == ("multi_resolution_stft",)
    assert "not 99" in verified.not_rescored["estoi"]
    assert "no metric is called 'gone'" in verified.not_rescored["spectral_envelope"]


def test_weights_are_known_by_their_digest(finished: Finished, tmp_path: Path) -> None:
    """A dataset says which weights, not where; those of another network are not taken for them."""
    weights = Path(lawful_metric("vqscore", tmp_path / "weights").place)
    config = finished.settings()
    finished.run_again(metrics=[*config["metrics"], {"kind": "vqscore", "path": str(weights)}])
    dataset = finished.workspace / "dataset"
    moved = weights.rename(tmp_path / "moved")

    without = verify_dataset(dataset, rows=1)
    given = verify_dataset(dataset, rows=1, locations={weights_digest(moved): str(moved)})

    assert given.is_sound, given.findings
    assert "vqscore" in given.rescored
    assert not given.not_rescored
    assert without.is_sound
    assert "vqscore" in without.not_rescored


def test_audio_that_was_rounded_is_held_to_noise_floors(
    finished: Finished, capsys: pytest.CaptureFixture[str]
) -> None:
    """Scores were computed at 24 bits: at 16 they may differ a little, and that is said."""
    finished.run_again(export={"audio_bits": 16})
    dataset = finished.workspace / "dataset"

    verify_command(dataset, 2, 0, (), "cpu")
    assert "scored at 24 bits, published at 16" in capsys.readouterr().out

    tamper(dataset, lambda rows: rows[0].update(chosen=louder(rows[0]["chosen"])))
    assert any("chosen_estoi" in line for line in found(dataset))


def test_a_sample_is_drawn_by_its_seed(dataset: Path) -> None:
    """Few rows now and others another time; a change in one that is not drawn goes unnoticed in audio."""
    tamper(dataset, lambda rows: rows[2].update(clean=louder(rows[2]["clean"])))

    noticed = (bool(found_in(verify_dataset(dataset, rows=2, seed=seed))) for seed in range(40))
    first = next(noticed)  # and as few more as are needed: each hears two pairs by every metric
    assert (not first) in noticed


def test_the_command_fails_for_a_dataset_that_was_changed(
    dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Row, score and both values are told; exit code 1, and 2 where there is no dataset."""
    assert typed("verify", dataset, "--rows", "1").stdout.endswith("nothing wrong in all of that\n")
    tamper(dataset, lambda rows: rows[0].update(chosen_estoi=0.9))

    with pytest.raises(IntegrityError, match=r"is not what it says: \d findings") as error:
        verify_command(dataset, 0, 0, (), "cpu")

    assert error.value.exit_code == 1
    assert "wrong: clips/a:0/0: margin_estoi: published" in capsys.readouterr().out
    with pytest.raises(UserError, match="is no dataset of this program"):
        verify_dataset(tmp_path, rows=1)


def found_in(verified: Verified) -> list[str]:
    """Return what is wrong with audio."""
    return [str(finding) for finding in verified.findings if "SHA-256 of" in finding.what]
