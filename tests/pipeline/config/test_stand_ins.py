"""What stands in for operators whose weights are not in the cache, as far as a config says so."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from pipeline.config.resolve import ResolvedConfig, operators_in, resolve
from pipeline.config.schema import Config
from pipeline.config.stand_ins import StandIn, read_stand_ins
from pipeline.store.workspace import Workspace
from schemas import WorkspaceError
from stages.metrics import METRICS
from stages.restorers import RESTORERS
from stages.weights.files import CACHE_VARIABLE
from stages.weights.has_weights import HasWeights
from tests.support.small_config import mistakes, place_in, resolved, written

OTHERS = ({"kind": "pesq"}, {"kind": "estoi"}, {"kind": "spectral_envelope"})
VOTES = ["nisqa_mos", "pesq", "estoi", "spectral_envelope"]
BY_DNSMOS = {"nisqa_mos": {"metric": "dnsmos_ovrl", "margin": 0.2}}
DNSMOS = {"kind": "dnsmos", "scores": {"nisqa_mos": "dnsmos_ovrl"}}


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Begin with a cache of the test's own, without any weights."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def with_nisqa(stand_in: Any, **preference: Any) -> dict[str, Any]:
    """Return settings in which NISQA votes, and something stands in for it."""
    metrics = [{"kind": "nisqa", "without_weights": stand_in}, *OTHERS]
    return {"metrics": metrics, "preference": {"criteria": VOTES, **preference}}


def names_in(run: ResolvedConfig) -> tuple[list[str], list[str], list[str]]:
    """Return the names of restorers, metrics and votes."""
    restorers, metrics = ([setup.name for setup in setups] for setups in (run.restorers, run.metrics))
    return restorers, metrics, [criterion.metric for criterion in run.criteria]


def put_weights(kind: str) -> None:
    """Put files of the right names into the cache; nothing of what is in them is looked at."""
    member = {**METRICS, **RESTORERS}[kind]
    operator = member()
    assert isinstance(operator, HasWeights)
    assert operator.published is not None
    for file in operator.published.files:
        place = operator.published.folder / file.name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(b"weights")


def test_a_stand_in_takes_the_place_and_the_vote(tmp_path: Path) -> None:
    """By the score that is named for it, with a margin of its own; what happened is part of the config."""
    run = resolved(tmp_path, **with_nisqa({"kind": "dnsmos", "scores": BY_DNSMOS}))

    _, metrics, votes = names_in(run)
    assert metrics == ["dnsmos", "pesq", "estoi", "spectral_envelope"]
    assert votes == ["dnsmos_ovrl", "pesq", "estoi", "spectral_envelope"]
    assert run.criteria[0].margin == 0.2
    assert run.config.stand_ins == {
        "metric nisqa": "its weights were not here when the run began; dnsmos stands in, dnsmos_ovrl "
        "voting in place of nisqa_mos"
    }
    assert run.stand_ins == (
        StandIn(
            family="metric",
            name="nisqa",
            stand_in="dnsmos",
            weights=("nisqa",),
            are_here=False,
            is_used=True,
        ),
    )
    assert Config.model_validate_json(run.config.model_dump_json()) == run.config
    plain = resolved(tmp_path, **with_nisqa(DNSMOS))
    assert plain.criteria[0].margin == plain.outputs()["dnsmos_ovrl"].noise_floor


def test_with_its_weights_an_operator_is_in_the_run(tmp_path: Path) -> None:
    """Others in the cache are no reason for a stand-in: that they are wrong is said."""
    put_weights("nisqa")

    (refused,) = mistakes(written(tmp_path, **with_nisqa(DNSMOS)))

    assert "the weights of nisqa" in refused
    assert "as published" in refused


def test_what_is_needed_is_not_what_stands_in(tmp_path: Path) -> None:
    """Weights are listed and fetched for the operators that the config means; not for those a run lacks."""
    path = written(tmp_path, **with_nisqa(DNSMOS))
    begun = resolve(path).stand_ins

    assert "nisqa" in {operator.kind for operator in operators_in(path)}
    assert "nisqa" not in {operator.kind for operator in operators_in(path, begun=lambda _: begun)}


def test_restorers_are_replaced_or_left_out(tmp_path: Path) -> None:
    """Also where a rule names them."""
    run = resolved(
        tmp_path,
        restorers=[
            {"kind": "gtcrn", "without_weights": {"kind": "wiener", "takes": 2}},
            {"kind": "identity"},
            {"kind": "dtln", "without_weights": "leave_out"},
        ],
        preference={
            "criteria": ["dnsmos_ovrl", "pesq", "estoi", "spectral_envelope"],
            "pairs": {"never_chosen": ["dtln", "gtcrn"]},
        },
    )

    assert names_in(run)[0] == ["wiener", "identity"]
    assert run.restorers[0].takes == 2
    assert run.rules.pairs.never_chosen == ("wiener",)
    assert run.config.stand_ins["restorer dtln"].endswith("; it is left out")


def test_one_that_is_in_the_config_stands_in_as_it_is(tmp_path: Path) -> None:
    """With one vote, not two. Vetoes on scores that are not there fall away, and that is said."""
    run = resolved(
        tmp_path,
        **with_nisqa(
            {"kind": "estoi"},
            uncovered=["perceptual_quality"],
            vetoes=[{"score": "nisqa_mos", "at_least": 2}, {"score": "pesq", "at_least": 1}],
        ),
    )

    assert names_in(run)[1:] == (
        ["pesq", "estoi", "spectral_envelope"],
        ["pesq", "estoi", "spectral_envelope"],
    )
    assert [veto.score for veto in run.rules.vetoes] == ["pesq"]
    assert (
        "estoi voting in place of nisqa_mos; no veto looks at nisqa_mos"
        in run.config.stand_ins["metric nisqa"]
    )


def test_held_out_scores_are_replaced_too(tmp_path: Path) -> None:
    """A metric by its name, a score by the one in its place; what is left out is not held out."""
    metrics = [{"kind": "dnsmos"}, *OTHERS]
    votes = ["dnsmos_ovrl", "pesq", "estoi", "spectral_envelope"]
    stand_ins = [({"kind": "stoi"}, ("stoi",)), ("leave_out", ())]
    for stand_in, expected in stand_ins:
        for name in ("nisqa", "nisqa_mos"):
            run = resolved(
                tmp_path,
                metrics=[*metrics, {"kind": "nisqa", "without_weights": stand_in}],
                preference={"criteria": votes, "held_out": [name]},
            )
            assert run.held_out == expected


@pytest.mark.parametrize(
    ("stand_in", "at", "said"),
    [
        ("leave_it", "without_weights", "should be 'leave_out', got 'leave_it'"),
        ({"kind": "dnsmoss"}, "kind: dnsmoss", "no metric is called 'dnsmoss'; did you mean 'dnsmos'?"),
        ({"kind": "dnsmos", "wrong": 1}, "wrong", "dnsmos has no 'wrong'"),
        ({"kind": "utmos"}, "without_weights", "utmos needs weights too (utmos22_strong)"),
        ({"kind": "plcmos", "scores": {"nisqa_most": "plcmos"}}, "nisqa_most", "did you mean 'nisqa_mos'?"),
        ({"kind": "si_sdr"}, "without_weights", "which score of si_sdr votes in place of nisqa_mos?"),
        ("leave_out", "criteria", "no criterion covers perceptual_quality"),
        (
            {"kind": "pesq", "name": "estoi"},
            "without_weights",
            "'estoi' is in the config with other settings",
        ),
    ],
)
def test_mistakes_in_stand_ins_have_their_place(tmp_path: Path, stand_in: Any, at: str, said: str) -> None:
    """In the file as it was written, not as it was changed."""
    path = written(tmp_path, **with_nisqa(stand_in))

    found = [line for line in mistakes(path) if said in line]

    assert len(found) == 1
    assert found[0].startswith(f"{place_in(path, at)}: ")


def test_both_cases_are_checked_wherever_the_config_is_read(tmp_path: Path) -> None:
    """What would be a mistake on a machine with all weights is one here, and says so."""
    path = written(tmp_path, **with_nisqa(DNSMOS, held_out=["nisqa_noi", "dnsmos_sig"]))

    said = mistakes(path)

    assert "no metric or score is called 'dnsmos_sig'" in "".join(
        s for s in said if s.endswith("(with all weights)")
    )


def test_a_run_keeps_what_it_began_with(tmp_path: Path) -> None:
    """Weights that have come since are not used; those that have gone since are asked for."""
    path = written(tmp_path, **with_nisqa(DNSMOS))
    without = resolve(path).stand_ins
    asked: list[str] = []

    def begun(name: str, *, is_used: bool) -> Sequence[StandIn]:
        asked.append(name)
        return [each.model_copy(update={"is_used": is_used}) for each in without]

    put_weights("nisqa")
    run = resolve(path, begun=lambda name: begun(name, is_used=True))
    assert names_in(run)[1][0] == "dnsmos"
    assert run.stand_ins[0].are_here

    (tmp_path / "cache").rename(tmp_path / "elsewhere")
    with pytest.raises(Exception, match="began with the weights of nisqa, so nothing stands in for it"):
        resolve(path, begun=lambda name: begun(name, is_used=False))
    assert asked == ["small", "small"]


def test_configs_without_stand_ins_keep_their_hash(tmp_path: Path) -> None:
    """The settings are not written where nobody said them."""
    written_out = resolved(tmp_path).config.model_dump_json()

    assert "without_weights" not in written_out
    assert "stand_ins" not in written_out


def test_a_folder_in_the_place_of_what_a_run_began_with_is_said_with_the_way_out(tmp_path: Path) -> None:
    """It is nobody's traceback."""
    (tmp_path / "stand_ins.json").mkdir()

    with pytest.raises(WorkspaceError, match=r"stand_ins\.json.* remove it"):
        read_stand_ins(Workspace(tmp_path).stand_ins)
