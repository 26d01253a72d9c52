"""Settings, speech and pools from the command line, in place of the config's."""

from pathlib import Path

import pytest

from pipeline.config.resolve import resolve
from stages.operators.distributions import Uniform
from tests.support.small_config import mistakes, written

CONFIGS = Path(__file__).parents[3] / "configs"


def test_sets_what_the_command_line_says(tmp_path: Path) -> None:
    """Values are read as YAML, list items go by number, and the last one says it."""
    path = written(tmp_path)

    run = resolve(path, ["restorers.1.takes=3", "degradations.chain.0.snr_db={uniform: [0, 9]}", "seed=7"])

    assert run.restorers[1].takes == 3
    assert run.chain[0].draws["snr_db"] == Uniform(low=0, high=9)
    assert run.config.seed == 7


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


def test_ones_own_speech_is_no_substitute(tmp_path: Path) -> None:
    """The header and the card do not call bundled what the user has brought along."""
    run = resolve(CONFIGS / "gensr_pref.yaml", (), {"speech": str(tmp_path)})

    assert run.config.substitutes["speech corpus"] == f"your own, {tmp_path.name}"
    assert "synthesised" in run.config.substitutes["noise corpus"]


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
            "--noise https://example.org/noise: pools.noise.0.path: https:// is no object store that is "
            "known here; give one of s3:// (S3), gs:// (Google Cloud Storage), az:// (Azure Blob Storage)"
        ),
    ]
