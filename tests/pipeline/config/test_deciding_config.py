"""What a config says of choosing: rules, vetoes, held-out scores; and what it is told where that is wrong."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from pipeline.config.schema import Config
from schemas.field_docs import describe_schema
from tests.support.small_config import SMALL, mistakes, place_in, resolved, written

VOTES = SMALL["preference"]["criteria"]
CONFIDENCE_IS_NO_VOTE = (
    "how sure a model is of a take is on a scale of its own and no evidence of quality, so it neither votes "
    "nor judges; as a veto say 'min_confidence'"
)
MISTAKES: dict[str, tuple[dict[str, Any], str, str]] = {
    "a veto of a score that nothing gives": (
        {"vetoes": [{"score": "estoy", "at_least": 0.5}]},
        "estoy",
        "preference.vetoes.0.score: no metric gives 'estoy'; did you mean 'estoi'?",
    ),
    "a veto without a bound": (
        {"vetoes": [{"score": "estoi"}]},
        "score: estoi",
        "preference.vetoes.0: give 'at_least', 'at_most' or both",
    ),
    "a veto of nothing": (
        {"vetoes": [{"side": "both"}]},
        "side: both",
        "preference.vetoes.0: give 'score', 'max_length_change_s' or 'min_confidence', one of them",
    ),
    "a veto of a score without a name": (
        {"vetoes": [{"score": "", "at_least": 0.5}]},
        "score: ''",
        "preference.vetoes.0.score: should have at least 1 character, got ''",
    ),
    "a veto of two things": (
        {"vetoes": [{"score": "estoi", "at_least": 0.5, "max_length_change_s": 0.1}]},
        "score: estoi",
        "preference.vetoes.0: give 'score', 'max_length_change_s' or 'min_confidence', one of them",
    ),
    "a veto of a length with a score's bound": (
        {"vetoes": [{"max_length_change_s": 0.1, "at_most": 0.1}]},
        "max_length_change_s",
        "preference.vetoes.0: 'at_least' and 'at_most' are bounds on a 'score'",
    ),
    "a veto upside down": (
        {"vetoes": [{"score": "estoi", "at_least": 0.5, "at_most": 0.1}]},
        "score: estoi",
        "preference.vetoes.0: 'at_least' 0.5 is above 'at_most' 0.1",
    ),
    "two vetoes that could not be told apart": (
        {
            "vetoes": [
                {"score": "estoi", "at_least": 0.5},
                {"score": "estoi", "at_least": 0.5, "unmeasured": "pass"},
            ]
        },
        "score: estoi",
        (
            "preference.vetoes.1: there is a veto 'chosen estoi under 0.5' already; "
            "give this one a 'name' of its own"
        ),
    ),
    "a vote of what a model thinks of itself": (
        {"criteria": [*VOTES, {"metric": "confidence", "margin": 0.5, "diagnostic": True}]},
        "confidence",
        f"preference.criteria.4: {CONFIDENCE_IS_NO_VOTE}",
    ),
    "a veto of what a model thinks of itself, as if it were a score": (
        {"vetoes": [{"score": "confidence", "at_least": -2}]},
        "score: confidence",
        f"preference.vetoes.0.score: {CONFIDENCE_IS_NO_VOTE}",
    ),
    "a judge that is the model itself": (
        {"held_out": ["confidence"]},
        "held_out",
        f"preference.held_out.0: {CONFIDENCE_IS_NO_VOTE}",
    ),
    "a vote that is held out": (
        {"held_out": ["pesq"]},
        "held_out",
        "preference.held_out.0: pesq votes; what takes part in choosing cannot judge the choice",
    ),
    "a metric held out whose score is a veto": (
        {"held_out": ["si_sdr"], "vetoes": [{"score": "si_sdr", "at_least": 0.0}]},
        "held_out",
        "preference.held_out.0: si_sdr is a veto; what takes part in choosing cannot judge the choice",
    ),
    "a held-out metric that is not there": (
        {"held_out": ["si_sdrr"]},
        "held_out",
        "preference.held_out.0: no metric or score is called 'si_sdrr'; did you mean 'si_sdr'?",
    ),
    "a number of pairs without its rule": (
        {"pairs": {"k": 3}},
        "pairs",
        "preference.pairs: 'keep: top_k' and 'k', the number of pairs to keep, go together",
    ),
    "a model that is not there and must not win": (
        {"pairs": {"never_chosen": ["identty"]}},
        "never_chosen",
        "preference.pairs.never_chosen.0: no restorer is called 'identty'; did you mean 'identity'?",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_says_what_is_wrong_with_choosing(mistake: str, tmp_path: Path) -> None:
    """One line each: the file and the line, the setting, the way out."""
    changes, text, message = MISTAKES[mistake]
    path = written(tmp_path, preference={**SMALL["preference"], **changes})

    (line,) = mistakes(path)

    place, _, said = line.partition(": ")
    assert said == message
    if mistake.startswith("a veto"):
        assert place.startswith(place_in(path, text).rpartition(":")[0])
    assert place.startswith("small.yaml:")


@pytest.mark.parametrize("score_clean", [True, False])
def test_a_restorer_called_clean_is_not_the_clean_reference(tmp_path: Path, *, score_clean: bool) -> None:
    """Two models cannot have one name, and a model of that name would never be chosen."""
    path = written(
        tmp_path,
        score_clean=score_clean,
        restorers=[{"kind": "identity", "name": "clean"}, {"kind": "wiener"}],
    )

    (line,) = mistakes(path)

    assert line.endswith(
        "restorers.0: 'clean' is what the clean reference is called, and may not win; give it another 'name'"
    )


def test_a_scale_is_the_declared_noise_floor_unless_it_is_said(tmp_path: Path) -> None:
    """As the margin is."""
    criteria = [*VOTES[:-1], {"metric": VOTES[-1], "margin": 0.5, "scale": 0.25}]

    run = resolved(tmp_path, preference={"criteria": criteria})

    floors = {name: output.noise_floor for name, output in run.outputs().items()}
    assert [(c.margin, c.scale) for c in run.criteria[:-1]] == [(floors[n], floors[n]) for n in VOTES[:-1]]
    assert (run.criteria[-1].margin, run.criteria[-1].scale) == (0.5, 0.25)


def test_a_metric_that_is_held_out_is_held_out_with_all_its_scores(tmp_path: Path) -> None:
    """A single score is held out by its own name."""
    votes = {"criteria": ["pesq", "estoi", "spectral_envelope"], "uncovered": ["perceptual_quality"]}

    whole = resolved(tmp_path, preference={**votes, "held_out": ["dnsmos"]})
    single = resolved(tmp_path, preference={**SMALL["preference"], "held_out": ["dnsmos_bak"]})

    assert {"dnsmos_sig", "dnsmos_bak", "dnsmos_ovrl"} <= set(whole.held_out)
    assert single.held_out == ("dnsmos_bak",)


def test_editors_know_what_may_be_said_of_choosing(tmp_path: Path) -> None:
    """The schema takes a config with every part of it, and describes each."""
    schema = describe_schema(Config)
    pairs = {"keep": "top_k", "k": 2, "between": "same_model", "max_per_model_pair": 1}
    vetoes = [
        {"score": "si_sdr", "at_most": 60, "side": "rejected", "unmeasured": "pass", "name": "copy"},
        {"max_length_change_s": 0.1, "side": "both"},
    ]
    whole = {**SMALL, "preference": {**SMALL["preference"], "pairs": pairs, "vetoes": vetoes, "held_out": []}}

    assert not list(Draft202012Validator(schema).iter_errors(whole))
    assert resolved(tmp_path, preference=whole["preference"]).rules.vetoes[0].label == "copy"
    for part in ("PairRule", "Veto"):
        for name, field in schema["$defs"][part]["properties"].items():
            assert "description" in field or "$ref" in field, (part, name)
