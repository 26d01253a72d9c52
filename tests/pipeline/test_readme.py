"""What the README and the pages beside it show works as it stands there, and what they link to is there."""

import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import yaml

from pipeline.config.schema import Config, PreferenceSettings
from pipeline.dataset.card import load_lines
from pipeline.dataset.card_tables import describe_columns
from pipeline.store.dataset_columns import (
    MEANINGS,
    MEANINGS_IN_CANDIDATES,
    MEANINGS_IN_PAIRS,
    MEANINGS_OF_ROUNDS,
    TABLES,
    DatasetTable,
    columns_of,
)
from schemas import Params
from stages.audio.waveform import Waveform
from stages.degradations import DEGRADATIONS
from stages.degrade.memory_source import MemoryAudioSource
from stages.metrics import METRICS
from stages.operators.metric import Comparison
from stages.operators.rng import rng_for
from stages.operators.user_modules import OperatorModule, install_modules
from stages.restorers import RESTORERS
from tests.support.small_config import resolved

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = [
    README,
    ROOT / "ARCHITECTURE.md",
    ROOT / "docker" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]


def _blocks(language: str, page: Path = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.fixture
def own_operators() -> None:
    """Load the file of operators that the README shows."""
    (source,) = [block for block in _blocks("python") if "DEGRADATIONS" in block]
    install_modules([OperatorModule(name="unanimous_user_readme", path="my_operators.py", source=source)])


@pytest.mark.usefixtures("own_operators")
def test_the_degradation_of_ones_own_degrades(clean: Waveform) -> None:
    """It writes silence where and for as long as it says, and nothing else."""
    dropout = DEGRADATIONS["dropout"].model_validate({"start_fraction": 0.5, "length_ms": 100})

    damaged = dropout.apply(clean, MemoryAudioSource())

    assert not damaged.samples[8_000:9_600].any()
    np.testing.assert_array_equal(damaged.samples[9_600:], clean.samples[9_600:])


@pytest.mark.usefixtures("own_operators")
def test_the_restorer_of_ones_own_restores(clean: Waveform) -> None:
    """It turns down what is quiet and leaves the rest."""
    expander = RESTORERS["expander"].model_validate({"depth_db": 20})
    is_quiet = np.abs(clean.samples) < 0.1 * np.abs(clean.samples).max()

    (restored,) = expander.restore([clean], [rng_for(0, "take")])

    np.testing.assert_array_equal(restored.samples[~is_quiet], clean.samples[~is_quiet])
    np.testing.assert_allclose(restored.samples[is_quiet], 0.1 * clean.samples[is_quiet], rtol=1e-6)


@pytest.mark.usefixtures("own_operators")
def test_the_metric_of_ones_own_measures(clean: Waveform) -> None:
    """A candidate whose envelope moves as the clean one's scores 1, whatever its level; noise scores less."""
    noise = clean.with_samples(rng_for(0, "noise").standard_normal(clean.samples.size))
    metric = METRICS["envelope_correlation"]()

    same, other = metric.score([Comparison(clean.scale(0.5), clean), Comparison(noise, clean)])

    assert same == {"": pytest.approx(1.0)}
    assert isinstance(other, dict)
    assert other[""] < 0.5


@pytest.mark.parametrize("kind", ["expander", "dropout"])
@pytest.mark.usefixtures("own_operators")
def test_defaults_can_be_drawn(kind: str) -> None:
    """What the operators say of drawing is within the bounds of their parameters."""
    family = DEGRADATIONS if kind in DEGRADATIONS else RESTORERS
    drawn: Params = {name: d.draw(rng_for(0, name), {}) for name, d in family[kind].draws.items()}

    assert family[kind].model_validate(drawn).model_dump() == drawn


def test_the_config_is_one() -> None:
    """The config that the README shows has the shape of a config."""
    (text,) = _blocks("yaml")

    config = Config.model_validate(yaml.safe_load(text))

    assert config.restorers[1].takes == 5


def test_the_preference_of_the_page_on_configs_is_one() -> None:
    """As the README's config."""
    _, text, *_ = _blocks("yaml", ROOT / "docs" / "config.md")

    assert PreferenceSettings.model_validate(yaml.safe_load(text)["preference"]).held_out == ("si_sdr",)


def test_the_stand_ins_of_the_page_on_configs_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its comment says."""
    monkeypatch.setenv("UNANIMOUS_WEIGHTS", str(tmp_path / "weights"))
    text, *_ = _blocks("yaml", ROOT / "docs" / "config.md")
    sections = yaml.safe_load(text)
    sections["metrics"] += [{"kind": kind} for kind in ("pesq", "estoi", "spectral_envelope")]
    sections["restorers"].append({"kind": "identity"})

    run = resolved(tmp_path, **sections)

    assert [setup.name for setup in run.restorers] == ["spectral_gate", "identity"]
    assert [setup.name for setup in run.metrics] == ["dnsmos", "pesq", "estoi", "spectral_envelope"]
    assert [c.metric for c in run.criteria] == ["dnsmos_ovrl", "pesq", "estoi", "spectral_envelope"]


def test_the_defaults_that_the_readme_names_are_those_of_a_config() -> None:
    """Each setting that everybody changes stands there with its default."""
    (text,) = _blocks("yaml")
    config = Config.model_validate(yaml.safe_load(text)).model_dump()
    named = re.findall(r"^- `([\w.]+)` \(([\d.]+)\):", README.read_text(encoding="utf-8"), flags=re.MULTILINE)

    assert [name for name, _ in named] == [
        "seed", "failure_budget", "deadline_s", "shard_seconds", "export.audio_bits"
    ]  # fmt: skip
    for name, default in named:
        section, _, key = name.rpartition(".")
        assert (config[section] if section else config)[key] == float(default)


def test_the_lines_that_load_are_those_that_a_run_prints() -> None:
    """The README and the end of a run say the same."""
    assert load_lines("runs/demo/dataset", "train") in _blocks("python")


def test_the_readme_is_short() -> None:
    """Under 1,500 words; the rest has pages of its own."""
    assert len(README.read_text(encoding="utf-8").split()) < 1_500


@pytest.mark.parametrize("table", TABLES)
def test_every_column_of_the_dataset_is_explained(table: DatasetTable) -> None:
    """By its name, or by what columns of both sides have in common."""
    meanings = {**MEANINGS, **MEANINGS_IN_PAIRS, **MEANINGS_IN_CANDIDATES}
    named = set(re.findall(r"[\w…]+", " ".join([*meanings, *meanings.values()])))
    columns = columns_of(table, ["X"])

    unexplained = [name for name in columns if not {name, f"…_{name}", f"…_{name.partition('_')[2]}"} & named]

    assert unexplained == []


@pytest.mark.parametrize(
    "meanings", [MEANINGS, MEANINGS_IN_PAIRS, MEANINGS_IN_CANDIDATES, MEANINGS_OF_ROUNDS]
)
def test_the_page_of_the_dataset_says_what_its_card_says(meanings: Mapping[str, str]) -> None:
    """In the same tables."""
    page = (ROOT / "docs" / "dataset.md").read_text(encoding="utf-8")

    assert describe_columns(meanings) in page


def test_the_map_names_every_folder() -> None:
    """Each package has its line, and no line is of a package that is gone."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `((?:pipeline|stages)/[\w/]+)/` \|", text, flags=re.MULTILINE)
    packages = [
        path.parent for name in ("pipeline", "stages") for path in (ROOT / name).glob("**/__init__.py")
    ]
    folders = {str(path.relative_to(ROOT)) for path in packages} - {"pipeline", "stages"}

    assert sorted(named) == sorted(folders | {"stages/restorers/workers"})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file that is there, and to a heading that is in it."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in target]

    assert [target for target in targets if not _leads_somewhere(page, target)] == []


def _leads_somewhere(page: Path, target: str) -> bool:
    name, _, heading = target.partition("#")
    path = page.parent / name if name else page
    return path.exists() and (not heading or heading in _anchors(path))


def _anchors(page: Path) -> set[str]:
    """Return the names that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
