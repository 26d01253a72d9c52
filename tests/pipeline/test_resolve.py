"""What a wrong config is told, and what a right one becomes."""

import copy
import hashlib
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.config import Config
from pipeline.places import load
from pipeline.resolve import resolve
from schemas import ConfigError
from stages.distributions import Uniform
from tests.neural_weights import write_dac
from tests.small_config import SMALL, mistakes, place_in, resolved, written

CONFIGS = Path(__file__).parents[2] / "configs"


@pytest.mark.parametrize("name", ["demo", "gensr_pref"])
def test_configs_that_ship_can_be_run(name: str) -> None:
    """Every operator, file and vote of a shipped config is there."""
    run = resolve(CONFIGS / f"{name}.yaml")

    assert run.config.name == name


def test_the_papers_config_lacks_models_weights_and_recordings_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With speech and pools there: three models without environment, three metrics without weights."""
    monkeypatch.setenv("UNANIMOUS_WEIGHTS", str(tmp_path / "weights"))
    monkeypatch.setenv("UNANIMOUS_ENVIRONMENTS", str(tmp_path / "environments"))
    path = Path(shutil.copy(CONFIGS / "gensr_pref_paper.yaml", tmp_path))
    for pool in ("clean", "noise", "responses"):
        (tmp_path / "corpora" / pool).mkdir(parents=True)

    lines = mistakes(path)

    lacking = [line.split(": ", 1)[1] for line in lines]
    expected = [
        "restorers.0: the environment of anyenhance has no interpreter",
        "restorers.1: the environment of llase_g1 has no interpreter",
        "restorers.2: the environment of flowse has no interpreter",
        "metrics.0: the weights of nisqa are not all there",
        "metrics.2: the weights of speech_bert_score are not all there",
        "metrics.3: the weights of wavlm_speaker_similarity are not all there",
    ]
    assert len(lacking) == len(expected)
    assert [found[: len(start)] for found, start in zip(lacking, expected, strict=True)] == expected


def test_both_recipes_damage_speech_alike() -> None:
    """Chain, level rule, rate and seed of the recipe and of the paper's variant are the same."""
    names = ("gensr_pref", "gensr_pref_paper")

    ours, papers = (Config.model_validate(load(CONFIGS / f"{name}.yaml").data) for name in names)

    assert papers.degradations == ours.degradations
    assert (papers.ingest.sample_rate, papers.seed) == (ours.ingest.sample_rate, ours.seed)
    assert papers.preference.pairs.between == ours.preference.pairs.between == "same_model"


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
    "fractions where whole numbers belong": (
        {"restorers": [{"kind": "wiener", "takes": 2, "iterations": {"uniform": [1, 3]}}]},
        "iterations",
        (
            "restorers.0.iterations: should be a valid integer, got a number with a fractional part, "
            "got 1.126467318312863"
        ),
    ),
    "settings that exclude one another": (
        {"degradations": {"chain": [{"kind": "clipping", "clipped_fraction": 0.1}]}},
        "kind: clipping",
        (
            "degradations.chain.0: set threshold or clipped_fraction or both quantiles or gain_db, "
            "and the others to null"
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
        "speech.0.path: 'https://example.org/voices' is a URL; only local or mounted paths can be read",
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


def test_a_pool_that_no_step_draws_from_is_fine(tmp_path: Path) -> None:
    """It is simply not made."""
    run = resolved(tmp_path, degradations={"chain": [{"kind": "clipping"}]})

    assert {pool for step in run.chain for pool in step.pools} == set()


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


def test_a_model_is_pinned_to_its_file(tmp_path: Path) -> None:
    """The digest of the file becomes part of the model, wherever the config is run from."""
    (tmp_path / "model.onnx").write_bytes(b"graph")

    run = resolved(tmp_path, restorers=[{"kind": "onnx", "path": "model.onnx", "takes": 2}])

    digest = hashlib.sha256(b"graph").hexdigest()
    assert run.restorers[0].restorer.fingerprint_params["sha256"] == digest


def test_refuses_another_model_than_was_asked_for(tmp_path: Path) -> None:
    """A file whose digest is not the config's is told both."""
    (tmp_path / "model.onnx").write_bytes(b"graph")
    wanted, found = "0" * 64, hashlib.sha256(b"graph").hexdigest()
    path = written(tmp_path, restorers=[{"kind": "onnx", "path": "model.onnx", "takes": 2, "sha256": wanted}])

    lines = mistakes(path)

    place = place_in(path, "kind: onnx")
    assert lines == [f"{place}: restorers.0: the file has SHA-256 {found}, but {wanted} is asked for"]


@pytest.mark.parametrize(
    ("assignment", "said"),
    [
        ("seed", "--set seed: expected name.of.setting=value"),
        (".seed=1", "--set .seed=1: expected name.of.setting=value"),
        (
            "restorers.9.takes=2",
            "--set restorers.9.takes=2: restorers is a list of 2, so there is no '9' in it",
        ),
        ("seed.x=1", "--set seed.x=1: seed: should be a valid integer, got {'x': 1}"),
        ("name.x=1", "--set name.x=1: name is 'small', so there is no 'x' in it"),
        ("seed={", "--set seed={: the value is not YAML: '{'"),
        (
            "seed=5 dB",
            "--set seed=5 dB: seed: should be a valid integer, unable to parse string as an integer",
        ),
        ("sed=5", "--set sed=5: sed: unknown key 'sed'; did you mean 'seed'?"),
        (
            "ingst.channels=mean",
            "--set ingst.channels=mean: ingst: unknown key 'ingst'; did you mean 'ingest'?",
        ),
    ],
)
def test_names_the_option_that_is_wrong(assignment: str, said: str, tmp_path: Path) -> None:
    """A mistake on the command line is not blamed on the file."""
    path = written(tmp_path)

    (line,) = mistakes(path, [assignment])

    assert line.startswith(said)


def test_sets_what_the_command_line_says(tmp_path: Path) -> None:
    """Values are read as YAML, list items go by number, and the last one says it."""
    path = written(tmp_path)

    run = resolve(path, ["restorers.1.takes=3", "degradations.chain.0.snr_db={uniform: [0, 9]}", "seed=7"])

    assert run.restorers[1].takes == 3
    assert run.chain[0].draws["snr_db"] == Uniform(low=0, high=9)
    assert run.config.seed == 7


def test_speech_of_ones_own_stands_in_for_the_configs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder is enough: relative to where the user is, called as a corpus may be called."""
    path = written(tmp_path)
    (tmp_path / "elsewhere" / "my#talks 2.1").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "elsewhere")

    run = resolve(path, (), {"speech": "my#talks 2.1"})

    (corpus,) = run.config.speech
    assert corpus.name == "my-talks-2.1"
    assert Path(corpus.path) == tmp_path / "elsewhere" / "my#talks 2.1"


def test_pools_of_ones_own_stand_in_for_the_configs(tmp_path: Path) -> None:
    """Options name the recordings of the pools 'noise' and 'rir'."""
    path = written(tmp_path, degradations={"chain": [{"kind": "noise"}, {"kind": "reverb"}]})
    (tmp_path / "street").mkdir()
    (tmp_path / "halls").mkdir()

    run = resolve(path, (), {"noise": str(tmp_path / "street"), "responses": str(tmp_path / "halls")})

    paths = {
        pool: [getattr(part, "path", None) for part in parts] for pool, parts in run.config.pools.items()
    }
    assert paths == {"noise": [str(tmp_path / "street")], "rir": [str(tmp_path / "halls")]}


def test_says_when_an_options_recordings_would_not_be_used(tmp_path: Path) -> None:
    """Responses for a chain without reverberation are a misunderstanding."""
    path = written(tmp_path)
    (tmp_path / "halls").mkdir()

    lines = mistakes(path, responses=str(tmp_path / "halls"))

    assert lines == ["--responses halls: pools.rir: no degradation draws from the pool 'rir'"]


def test_a_folder_that_is_not_there_is_the_options_mistake(tmp_path: Path) -> None:
    """The message names the option, not a line of the file."""
    path = written(tmp_path)

    lines = mistakes(path, speech=str(tmp_path / "nowhere"), noise="https://example.org/noise")

    assert lines == [
        "--speech nowhere: speech.0.path: there is nothing at nowhere",
        (
            "--noise https://example.org/noise: pools.noise.0.path: 'https://example.org/noise' is a URL; "
            "only local or mounted paths can be read"
        ),
    ]


def test_relative_paths_start_from_the_configs_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever the command is given."""
    path = written(tmp_path)
    monkeypatch.chdir("/")

    run = resolve(path)

    assert run.path(run.config.speech[0].path) == str(tmp_path / "voices")


def test_the_hash_of_a_config_does_not_depend_on_where_it_lies(tmp_path: Path) -> None:
    """Only on what it says."""
    (tmp_path / "here").mkdir()
    (tmp_path / "there").mkdir()

    here, there = resolved(tmp_path / "here"), resolved(tmp_path / "there")

    assert here.config_hash == there.config_hash
    assert resolved(tmp_path / "here", seed=1).config_hash != here.config_hash


@pytest.mark.parametrize("text", ["", "- name: small\n", "small\n"])
def test_a_config_is_a_mapping(text: str, tmp_path: Path) -> None:
    """An empty file, a list and a word are refused."""
    path = tmp_path / "odd.yaml"
    path.write_text(text)

    assert mistakes(path) == [
        "odd.yaml: a config is a mapping of settings, see 'python -m pipeline schema'",
    ]


def test_defaults_of_votes_come_from_the_scores(tmp_path: Path) -> None:
    """A criterion without a margin must be won by more than its score's noise floor."""
    votes = ["dnsmos_ovrl", {"metric": "pesq", "margin": 0.2}, "estoi", "spectral_envelope"]

    run = resolved(tmp_path, preference={"criteria": votes})

    margins = {criterion.metric: criterion.margin for criterion in run.criteria}
    assert margins["pesq"] == 0.2
    assert margins["estoi"] == run.outputs()["estoi"].noise_floor


def test_a_config_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    """By its path."""
    with pytest.raises(ConfigError, match=r"absent\.yaml: cannot be read: No such file"):
        resolve(tmp_path / "absent.yaml")


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
PLACES = [
    (),
    ("speech",),
    ("speech", 0),
    ("speech", 0, "path"),
    ("ingest",),
    ("pools",),
    ("pools", "noise"),
    ("pools", "noise", 0),
    ("degradations",),
    ("degradations", "chain"),
    ("degradations", "chain", 0),
    ("degradations", "chain", 0, "kind"),
    ("degradations", "chain", 0, "snr_db"),
    ("restorers", 1),
    ("restorers", 1, "kind"),
    ("restorers", 1, "takes"),
    ("metrics",),
    ("metrics", 0, "kind"),
    ("preference",),
    ("preference", "criteria"),
    ("preference", "criteria", 0),
]


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), value=ANYTHING)
def test_whatever_a_config_says_it_is_a_run_or_a_mistake(
    place: tuple[str | int, ...], value: Any, tmp_path: Path
) -> None:
    """Never a traceback: anything may stand anywhere."""
    changed: Any = {"config": copy.deepcopy(dict(SMALL))}
    inner, last = changed, "config"
    for part in place:
        inner, last = inner[last], part
    inner[last] = value
    path = written(tmp_path)
    path.write_text(yaml.safe_dump(changed["config"], sort_keys=False, allow_unicode=True), encoding="utf-8")

    try:
        run = resolve(path)
    except ConfigError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert run.config_hash


def test_ones_own_speech_is_no_substitute(tmp_path: Path) -> None:
    """The header and the card do not call bundled what the user has brought along."""
    run = resolve(CONFIGS / "gensr_pref.yaml", (), {"speech": str(tmp_path)})

    assert run.config.substitutes["speech corpus"] == f"your own, {tmp_path.name}"
    assert "synthesised" in run.config.substitutes["noise corpus"]


def test_a_degradation_is_known_by_its_weights_wherever_they_lie(tmp_path: Path) -> None:
    """A copy of a codec's weights in another folder makes no other plan."""
    here, there, other = (tmp_path / name for name in ("here", "there", "other"))
    write_dac(here)
    shutil.copytree(here, there)
    write_dac(other, sample_rate=24_000)

    described = [
        resolved(tmp_path, degradations={"chain": [{"kind": "neural_codec", "path": str(path)}]})
        .chain[0]
        .described
        for path in (here, there, other)
    ]

    assert described[0] == described[1] != described[2]
