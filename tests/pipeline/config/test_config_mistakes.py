"""What a wrong config is told: the place, the value and the way out."""

from pathlib import Path
from typing import Any

import pytest

from pipeline.config.resolve import resolve
from schemas import ConfigError
from tests.support.small_config import SMALL, mistakes, place_in, written

MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "an unknown key, told the closest of its own place": (
        {"ingest": {"sample_rate": 16000, "split": {"train": 1.0}}},
        "split:",
        "ingest.split: unknown key 'split'; did you mean 'splits'?",
    ),
    "a key that only another place has": (
        {"preference": {**SMALL["preference"], "takes": 77}},
        "takes: 77",
        (
            "preference.takes: unknown key 'takes'; known: criteria, pairs, vetoes, held_out, uncovered, "
            "band_limited"
        ),
    ),
    "a metric whose score would hide which model it was of": (
        {"metrics": [*SMALL["metrics"], {"kind": "stoi", "name": "model"}]},
        "kind: stoi",
        "metrics.5: a dataset has a column 'model' in any case; give this metric another 'name'",
    ),
    "a metric whose score is another metric's": (
        {"metrics": [*SMALL["metrics"], {"kind": "stoi", "name": "dnsmos_bak"}]},
        "kind: stoi",
        "metrics.5: 'dnsmos' gives a score 'dnsmos_bak' already; give this one another 'name'",
    ),
    "an unknown key of one form of several": (
        {"pools": {"noise": [{"synthesise": ["white"], "cuont": 2}]}},
        "cuont",
        "pools.noise.0.cuont: unknown key 'cuont'; did you mean 'count'?",
    ),
    "an unknown parameter": (
        {"degradations": {"chain": [{"kind": "noise", "snr": 5}]}},
        "snr",
        "degradations.chain.0.snr: noise has no 'snr'; did you mean 'snr_db'?",
    ),
    "a misspelled key of an entry": (
        {"degradations": {"chain": [{"kind": "clipping", "probabilty": 0.5}]}},
        "probabilty",
        "degradations.chain.0.probabilty: clipping has no 'probabilty'; did you mean 'probability'?",
    ),
    "a unit where a number belongs": (
        {"degradations": {"chain": [{"kind": "noise", "snr_db": "5 dB"}]}},
        "snr_db",
        (
            "degradations.chain.0.snr_db: should be a valid number, unable to parse string as a number, "
            "got '5 dB'"
        ),
    ),
    "an operator that does not exist": (
        {"metrics": [*SMALL["metrics"], {"kind": "pesk"}]},
        "kind: pesk",
        "metrics.5.kind: no metric is called 'pesk'; did you mean 'pesq'?",
    ),
    "a pool that is missing": (
        {"degradations": {"chain": [{"kind": "reverb"}]}},
        "kind: reverb",
        "degradations.chain.0: draws from the pool 'rir', which 'pools' does not have; it has: noise",
    ),
    "a pool that is empty": (
        {"pools": {"noise": []}},
        "noise: []",
        "pools.noise: the pool is empty",
    ),
    "a misspelled distribution": (
        {"degradations": {"chain": [{"kind": "noise", "snr_db": {"unifrom": [0, 5]}}]}},
        "snr_db",
        "degradations.chain.0.snr_db: there is no distribution 'unifrom'; did you mean 'uniform'?",
    ),
    "a range beyond the bounds of its field": (
        {"degradations": {"chain": [{"kind": "noise", "snr_db": {"uniform": [0, 500]}}]}},
        "snr_db",
        "degradations.chain.0.snr_db: should be less than or equal to 100, got 500.0",
    ),
    "a range that is upside down": (
        {"degradations": {"chain": [{"kind": "noise", "snr_db": {"uniform": [20, -5]}}]}},
        "snr_db",
        "degradations.chain.0.snr_db: the lower bound 20.0 is above the upper bound -5.0",
    ),
    "a flag where a number belongs": (
        {"seed": True},
        "seed: true",
        "seed: should be a number, got yes or no",
    ),
    "a flag for a number deep inside": (
        {"ingest": {"sample_rate": 16000, "splits": {"train": True}}},
        "train: true",
        "ingest.splits.train: should be a number, got yes or no",
    ),
    "a flag for a number of an entry": (
        {"restorers": [{"kind": "identity"}, {"kind": "wiener", "takes": True}]},
        "takes: true",
        "restorers.1.takes: should be a number, got yes or no",
    ),
    "a flag for a degradation's number": (
        {"degradations": {"chain": [{"kind": "noise", "snr_db": False}]}},
        "snr_db: false",
        "degradations.chain.0.snr_db: should be a number, got yes or no",
    ),
    "a flag within a range": (
        {"degradations": {"chain": [{"kind": "noise", "snr_db": {"uniform": [False, 5]}}]}},
        "snr_db",
        "degradations.chain.0.snr_db: uniform takes numbers, got [False, 5]",
    ),
    "a flag among the values for a number": (
        {"degradations": {"chain": [{"kind": "noise", "snr_db": {"one_of": [True, 5]}}]}},
        "snr_db",
        "degradations.chain.0.snr_db: should be a number, got yes or no",
    ),
    "settings that exclude one another": (
        {"degradations": {"chain": [{"kind": "clipping", "clipped_fraction": 0.1}]}},
        "kind: clipping",
        (
            "degradations.chain.0: set threshold, drive_db, clipped_fraction, both quantiles, gain_db or "
            "gains_db, and the others to null"
        ),
    ),
    "a restorer that draws from a pool": (
        {"restorers": [{"kind": "wiener", "takes": 2, "order": {"from_pool": "noise"}}]},
        "kind: wiener",
        "restorers.0: a restorer draws its settings from no pool",
    ),
    "takes of several networks": (
        {"restorers": [{"kind": "fast_enhancer", "takes": 2, "size": {"one_of": ["t", "b"]}}]},
        "size",
        "restorers.0.size: size is one for all takes; give each value an entry of its own",
    ),
    "a vote of a score that nothing gives": (
        {"preference": {"criteria": [*SMALL["preference"]["criteria"], "dnsmos_ovrll"]}},
        "dnsmos_ovrll",
        "preference.criteria.4: no metric gives 'dnsmos_ovrll'; did you mean 'dnsmos_ovrl'?",
    ),
    "a vote cast twice": (
        {"preference": {"criteria": [*SMALL["preference"]["criteria"], {"metric": "pesq"}]}},
        "metric: pesq",
        "preference.criteria.4: pesq votes already; one vote is enough",
    ),
    "an aspect without a vote": (
        {"preference": {"criteria": ["dnsmos_ovrl", "pesq", "estoi"]}},
        "criteria",
        (
            "preference.criteria: no criterion covers timbre_preservation; add one, or list it in "
            "'preference.uncovered' on purpose"
        ),
    ),
    "a wide band that nobody hears": (
        {"ingest": {"sample_rate": 44100}},
        "criteria",
        (
            "preference.criteria: at sample_rate 44100 no criterion hears above 8 kHz; add one such as "
            "multi_resolution_stft, or say 'preference.band_limited: true' on purpose"
        ),
    ),
    "a diagnostic that votes": (
        {"preference": {"criteria": [*SMALL["preference"]["criteria"], {"metric": "si_sdr"}]}},
        "metric: si_sdr",
        (
            "preference.criteria.4: si_sdr is a diagnostic (meaningless for generative models, which keep "
            "the words and not the waveform); say 'diagnostic: true' to insist"
        ),
    ),
    "takes that cannot differ": (
        {"restorers": [{"kind": "identity", "takes": 3}]},
        "takes: 3",
        "restorers.0.takes: identity gives the same audio every time; ask for one take",
    ),
    "a name that is taken": (
        {"restorers": [{"kind": "wiener", "takes": 2}, {"kind": "wpe", "name": "wiener"}]},
        "kind: wpe",
        "restorers.1: the name 'wiener' is taken; give this one a 'name' of its own",
    ),
    "candidates that are never compared": (
        {
            "restorers": [{"kind": "identity"}, {"kind": "wiener"}],
            "preference": {**SMALL["preference"], "pairs": {"between": "same_model"}},
        },
        "between",
        (
            "preference.pairs.between: same_model: there are no two candidates to compare; add takes "
            "to a model, or a model"
        ),
    ),
    "a corpus that is not there": (
        {"speech": [{"name": "voices", "path": "no/where"}]},
        "path: no/where",
        "speech.0.path: there is nothing at no/where",
    ),
    "a URL": (
        {"speech": [{"name": "voices", "path": "https://example.org/voices"}]},
        "path: https",
        (
            "speech.0.path: https:// is no object store that is known here; give one of s3:// (S3), gs:// "
            "(Google Cloud Storage), az:// (Azure Blob Storage)"
        ),
    ),
    "a URL with a secret": (
        {"speech": [{"name": "voices", "path": "s3://key:secret@voices"}]},
        "path: s3",
        (
            "speech.0.path: a s3:// URL of recordings is a bucket and a name; credentials go into the "
            "environment, where no log and no table sees them"
        ),
    ),
    "voices of babble that are not there": (
        {"pools": {"noise": [{"synthesise": ["babble"], "voices": "no/where"}]}},
        "voices: no/where",
        "pools.noise.0.voices: there is nothing at no/where",
    ),
    "a model that is not there": (
        {"restorers": [{"kind": "onnx", "path": "model.onnx", "takes": 2}]},
        "kind: onnx",
        "restorers.0: model.onnx cannot be read (No such file or directory): put the model there",
    ),
    "a model at a URL": (
        {"restorers": [{"kind": "onnx", "path": "https://example.org/model.onnx", "takes": 2}]},
        "kind: onnx",
        (
            "restorers.0: path: 'https://example.org/model.onnx' is a URL; only local or mounted "
            "paths can be read"
        ),
    ),
    "splits that do not sum to 1": (
        {"ingest": {"sample_rate": 16000, "splits": {"train": 0.5, "test": 0.6}}},
        "splits",
        "ingest.splits: split fractions must be 0 or more and sum to 1; {train: 0.5, test: 0.6} sums to 1.1",
    ),
    "a value of neither of two forms": (
        {"ingest": {"sample_rate": "fast"}},
        "sample_rate",
        (
            "ingest.sample_rate: should be a valid integer, unable to parse string as an integer or should "
            "be 'native', got 'fast'"
        ),
    ),
    "operators that are not there": (
        {"operators": ["mine.py"]},
        "mine.py",
        "operators.0: there is no file mine.py",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_says_where_the_mistake_is_and_the_way_out(mistake: str, tmp_path: Path) -> None:
    """One mistake gives one line: file, line, column, path of the setting, value, what to do."""
    changes, text, message = MISTAKES[mistake]
    path = written(tmp_path, **changes)

    lines = mistakes(path)

    assert lines == [f"{place_in(path, text)}: {message}"]


def test_fractions_where_whole_numbers_belong(tmp_path: Path) -> None:
    """The bounds would do; what is drawn between them does not, and is shown."""
    wiener = {"kind": "wiener", "takes": 2, "iterations": {"uniform": [1, 3]}}
    path = written(tmp_path, restorers=[wiener])

    (line,) = mistakes(path)

    told, _, drawn = line.rpartition(", got ")
    assert told == (
        f"{place_in(path, 'iterations')}: restorers.0.iterations: should be a valid integer, "
        "got a number with a fractional part"
    )
    assert 1 < float(drawn) < 3


def test_a_flag_for_a_metrics_number(tmp_path: Path) -> None:
    """Beside what else the metric lacks."""
    path = written(tmp_path, metrics=[*SMALL["metrics"], {"kind": "speech_bert_score", "layer": True}])

    lines = mistakes(path)

    assert f"{place_in(path, 'layer: true')}: metrics.5.layer: should be a number, got yes or no" in lines


def test_says_all_mistakes_at_once(tmp_path: Path) -> None:
    """Wrong keys, kinds, values, files and votes do not hide one another, not even within one entry."""
    path = written(
        tmp_path,
        sed=1,
        speech=[{"name": "voices", "path": "no/where", "speakers": "parent_folder"}],
        degradations={"chain": [{"kind": "nois", "probability": 2}, {"kind": "clipping", "threshold": 5}]},
        restorers=[{"kind": "identity", "takes": 0}, {"kind": "wiener", "iterations": 99}],
        preference={"criteria": ["pesk"]},
    )

    lines = mistakes(path)

    wrong = {line.split(": ")[1] for line in lines}
    assert wrong == {
        "sed",
        "speech.0.speakers",
        "speech.0.path",
        "degradations.chain.0.probability",
        "degradations.chain.0.kind",
        "degradations.chain.1.threshold",
        "restorers.0.takes",
        "restorers.1.iterations",
        "preference.criteria.0",
    }


@pytest.mark.parametrize(
    ("source", "line", "said"),
    [
        ("import math\nif True\n    pass\n", 2, "SyntaxError"),
        ("import math\n\nx = undefined\n", 3, "NameError"),
        ("import no_such_package\n", 1, "ModuleNotFoundError"),
    ],
)
def test_names_file_and_line_of_a_broken_operators_module(
    source: str, line: int, said: str, tmp_path: Path
) -> None:
    """And does not complain of the operators that it would have had."""
    (tmp_path / "mine.py").write_text(source)
    path = written(tmp_path, operators=["mine.py"], restorers=[{"kind": "my_model", "takes": 2}])

    (message,) = mistakes(path)

    assert message.startswith(f"{place_in(path, 'mine.py')}: operators.0: mine.py:{line}: ")
    assert said in message


@pytest.mark.parametrize("text", ["", "- name: small\n", "small\n"])
def test_a_config_is_a_mapping(text: str, tmp_path: Path) -> None:
    """An empty file, a list and a word are refused."""
    path = tmp_path / "odd.yaml"
    path.write_text(text)

    assert mistakes(path) == [
        "odd.yaml: a config is a mapping of settings, see 'python -m pipeline schema'",
    ]


def test_a_config_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """By its path."""
    with pytest.raises(ConfigError, match=r"absent\.yaml: cannot be read: No such file"):
        resolve(tmp_path / "absent.yaml")
