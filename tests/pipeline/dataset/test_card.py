"""A dataset card: its head in the hub's own words, and the lines that load the dataset."""

import ast
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from pipeline.config.operators import RestorerSetup
from pipeline.dataset.card import load_lines
from pipeline.dataset.card_front_matter import languages_of, licence_of, size_category_of, source_datasets_of
from pipeline.dataset.card_tables import describe_models
from pipeline.dataset.provenance import model_facts_of
from stages.restorers.sepformer import SepFormer
from stages.weights.files import CACHE_VARIABLE


class Restorers(NamedTuple):
    """As much of a run as its models' facts are taken from."""

    restorers: tuple[RestorerSetup, ...]


OTHER = {"license": "other", "license_link": "LICENSE.md"}


def test_corpora_are_named_as_the_hub_names_what_was_extended() -> None:
    """Each once, in the characters that it takes."""
    assert source_datasets_of(["VCTK 0.92", "bundled", "VCTK 0.92", "∅"]) == [
        *("extended|other-bundled", "extended|other-vctk-0.92")
    ]


def test_languages_are_codes_and_what_is_none_is_left_to_the_rows() -> None:
    """Country and script go, spellings of one language are one; a name would have the card refused."""
    assert languages_of(["en-US", "EN", "pt_BR", "zh-Hant-TW", "yue", "English", "", "x1"]) == [
        *("en", "pt", "yue", "zh")
    ]


@pytest.mark.parametrize(
    ("licence", "said"),
    [
        ("CC-BY-4.0", {"license": "cc-by-4.0"}),
        ("Apache-2.0 AND MIT", {"license": ["apache-2.0", "mit"]}),
        ("unknown", {"license": "unknown"}),
        (None, {"license": "unknown"}),
        ("LicenseRef-Research only", OTHER | {"license_name": "licenseref-research-only"}),
        ("MIT AND mine", OTHER | {"license_name": "mit-and-mine"}),
    ],
)
def test_licences_are_the_hubs_where_it_has_them(licence: str | None, said: dict[str, Any]) -> None:
    """Others are ``other`` with a name and a link, and what nobody stated is unknown."""
    assert licence_of(licence) == said


@pytest.mark.parametrize("path", ['a "quoted" folder', "back\\slash", "Zo\u00eb's"])
def test_the_lines_that_load_name_any_folder(path: str) -> None:
    """They are Python, whatever a folder is called."""
    (call,) = (
        n
        for n in ast.walk(ast.parse(load_lines(path, "train")))
        if isinstance(n, ast.Call) and n.args and getattr(n.func, "id", "") == "load_dataset"
    )

    assert ast.literal_eval(call.args[0]) == path


def test_the_lines_that_load_warn_of_what_datasets_cannot_open() -> None:
    """A bracket in the name of a folder above is a pattern to it."""
    assert "move the folder" in load_lines("/data/run [2]/dataset", "train")
    assert "move the folder" not in load_lines("/data/run (2)/dataset", "train")


@pytest.mark.parametrize(
    ("rows", "said"),
    [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**6 - 1, "100K<n<1M"), (3 * 10**7, "10M<n<100M")],
)
def test_sizes_are_the_hubs_classes(rows: int, said: str) -> None:
    """From the least to more than anybody has."""
    assert size_category_of(rows) == said


def test_weights_from_an_address_that_moves_are_said_to_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the digest of what this run had; a copy of the user's own came from nowhere."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    setups = [
        RestorerSetup(name, SepFormer(path=path, sha256="0" * 64), 1, {}, 0.0)
        for name, path in (("fetched", None), ("own", tmp_path))
    ]

    fetched, own = (describe_models(model_facts_of(Restorers((setup,)))) for setup in setups)  # type: ignore[arg-type]

    said = "unpinned where it came from: encoder.ckpt, masknet.ckpt, decoder.ckpt"
    assert said in fetched
    assert "unpinned" not in own
    assert "0" * 64 in fetched
