"""What an audit against listeners promises, on ratings whose truth is known."""

import json
import shutil
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from pipeline.audit.human_agreement import human_audit_of
from pipeline.audit.human_records import HumanAudit, JudgeAgreement
from pipeline.audit.ratings import HumanRatings, read_human_ratings
from pipeline.audit.records import Interval
from pipeline.config.resolve import ResolvedConfig, resolve
from pipeline.listening.votes import Origin, Stimulus, Vote, VoteBook, VoteChoice
from pipeline.store.workspace import Workspace
from pipeline.tables.sql import RunTables
from stages.operators.rng import rng_for
from tests.support.in_process import typed_here
from tests.support.listeners import scores_in, tables_of, write_ratings
from tests.support.made_once import made_once
from tests.support.made_run import METRICS, write_run

UTTERANCES = 80
SETTINGS = {
    "preference": {
        "criteria": [{"metric": name, "margin": 0.1, "scale": 0.1} for name in METRICS[:2]],
        "held_out": [METRICS[2]],
        "uncovered": ["perceptual_quality", "content_consistency", "timbre_preservation"],
    }
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run with six candidates each of 80 utterances, all scores independent."""
    return made_once(tmp_path_factory, "rated", _make)


def _make(folder: Path) -> None:
    write_run(folder / "run", shards=2, utterances=UTTERANCES // 2, seconds=0.05, **SETTINGS)


@pytest.fixture(scope="module")
def run(folder: Path) -> ResolvedConfig:
    """Return its config."""
    return resolve(folder / "run" / "made.yaml")


@pytest.fixture(scope="module")
def workspace(folder: Path) -> Workspace:
    """Return its workspace, in which nobody has voted."""
    return Workspace(folder / "run" / "workspace")


@pytest.fixture(scope="module")
def tables(run: ResolvedConfig, workspace: Workspace) -> RunTables:
    """Return its tables."""
    return tables_of(run, workspace)


def audit_of_csv(tables: RunTables, file: Path, workspace: Workspace) -> HumanAudit:
    """Return the audit against the ratings in a file."""
    given = read_human_ratings(file, workspace)
    assert given is not None
    return human_audit_of(tables, given)


def judges_in(found: HumanAudit) -> Mapping[str, JudgeAgreement]:
    """Return the judges by name."""
    return {judge.judge: judge for judge in found.judges}


def opinion(value: float) -> float:
    """Return an opinion score of a distance: the less the better."""
    return float(3.0 - 1.9 * np.tanh(value))


def holds(interval: Interval | None, value: float) -> bool:
    """Say whether an interval is there and holds a value."""
    assert interval is not None
    assert interval.low is not None
    assert interval.high is not None
    return interval.low <= value <= interval.high


def share_alike(one: Mapping[str, float], other: Mapping[str, float]) -> float:
    """Return in which share of the comparisons two scores favour the same side, counted one by one."""
    rows = {name.rpartition("/")[0].rpartition("/")[0] for name in one}
    found = [
        (one[a] < one[b]) == (other[a] < other[b])
        for row in rows
        for a, b in combinations(sorted(name for name in one if name.startswith(f"{row}/")), 2)
    ]
    return sum(found) / len(found)


def test_listeners_who_hear_as_one_score_agree_with_it_alone(
    tables: RunTables, workspace: Workspace, tmp_path: Path
) -> None:
    """With it in all comparisons, in every bucket and in rank; with another as often as the two agree."""
    scores = scores_in(tables, "first")
    file = write_ratings(
        tmp_path / "r.csv", "candidate_id,mos", [(name, opinion(v)) for name, v in scores.items()]
    )

    found = audit_of_csv(tables, file, workspace)

    assert (found.ratings, found.utterances, found.recordings) == (6 * UTTERANCES, UTTERANCES, 6 * UTTERANCES)
    assert found.comparisons == found.from_opinions == 15 * UTTERANCES
    assert found.unmatched == ()
    first, second, third, both = (judges_in(found)[name] for name in (*METRICS, "unanimous"))
    for share in (first.agreement, first.beyond_margin, first.correlation, both.beyond_margin):
        assert share == Interval(value=1.0, low=1.0, high=1.0)
    assert {bucket.agreement.value for bucket in first.buckets if bucket.agreement} == {1.0}
    for other in (second, third):
        assert other.agreement is not None
        assert other.agreement.value == pytest.approx(share_alike(scores, scores_in(tables, other.judge)))
    assert (first.part, third.part) == ("votes", "held_out")
    assert both.agreement is None
    assert both.comparisons == 15 * UTTERANCES > both.decisive > 0


def test_listeners_who_guess_agree_with_nobody(
    tables: RunTables, workspace: Workspace, tmp_path: Path
) -> None:
    """One half is in nearly all intervals of scores, of unanimity and of the pairs, as 95 % promises."""
    held = []
    for seed in range(5):
        rng = rng_for(seed, "guess")
        rows = [(name, rng.uniform(1.0, 5.0)) for name in scores_in(tables, "first")]
        file = write_ratings(tmp_path / f"{seed}.csv", "candidate_id,mos", rows)

        found = judges_in(audit_of_csv(tables, file, workspace))

        assert set(found) == {"unanimous", "pairs", *METRICS}
        held += [holds(judge.beyond_margin, 0.5) for judge in found.values()]
    assert sum(held) >= 22


def test_agreement_rises_with_the_difference(tables: RunTables, workspace: Workspace, tmp_path: Path) -> None:
    """Listeners whose ear is noisier than the score: agreement rises by bucket and with unanimity."""
    rng = rng_for(0, "ear")
    first, second = (scores_in(tables, name) for name in METRICS[:2])
    heard = {name: value + second[name] + rng.standard_normal() for name, value in first.items()}
    rows = [(name, opinion(value / 2)) for name, value in heard.items()]
    file = write_ratings(tmp_path / "r.csv", "candidate_id,mos", rows)

    found = judges_in(audit_of_csv(tables, file, workspace))

    shares = [bucket.agreement.value for bucket in found["first"].buckets if bucket.agreement]
    assert shares[0] < 0.6
    assert shares[-1] > 0.65
    assert shares[-1] > max(shares[:3])
    assert found["unanimous"].beyond_margin is not None
    assert found["first"].agreement is not None
    assert found["unanimous"].beyond_margin.value > found["first"].agreement.value + 0.1
    assert sum(bucket.comparisons for bucket in found["first"].buckets) == 15 * UTTERANCES


def test_correlation_is_spearmans(tables: RunTables, workspace: Workspace, tmp_path: Path) -> None:
    """As SciPy has it, in the direction in which the score is better."""
    rng = rng_for(0, "ear")
    scores = scores_in(tables, "second")
    opinions = [round(opinion(value + rng.standard_normal()), 1) for value in scores.values()]
    file = write_ratings(tmp_path / "r.csv", "candidate_id,mos", zip(scores, opinions, strict=True))

    found = judges_in(audit_of_csv(tables, file, workspace))["second"]

    expected = spearmanr([-value for value in scores.values()], opinions).statistic
    assert found.correlation is not None
    assert found.correlation.value == pytest.approx(expected)
    assert holds(found.correlation, expected)
    assert found.recordings == 6 * UTTERANCES


def test_intervals_are_those_of_utterances(tables: RunTables, workspace: Workspace, tmp_path: Path) -> None:
    """1.96 √(p (1 − p) / n) for one comparison each, and no narrower for the same answers three times."""
    rng = rng_for(0, "coin")
    rows = sorted({name.rpartition("/")[0].rpartition("/")[0] for name in scores_in(tables, "first")})
    scores = scores_in(tables, "first")
    asked = []
    for row in rows:
        sides = sorted((f"{row}/model-0/0", f"{row}/model-1/0"), key=lambda name: scores[name])
        asked.append((*sides, "a" if rng.random() < 0.7 else "b"))
    once = write_ratings(tmp_path / "once.csv", "a,b,preferred", asked)
    thrice = write_ratings(tmp_path / "thrice.csv", "a,b,preferred", asked * 3)

    shares = [judges_in(audit_of_csv(tables, file, workspace))["first"].agreement for file in (once, thrice)]

    assert shares[0] == shares[1]
    share = shares[0]
    assert share is not None
    assert share.value == sum(answer == "a" for *_, answer in asked) / UTTERANCES
    half = 1.96 * np.sqrt(share.value * (1 - share.value) / UTTERANCES)
    assert share.low == pytest.approx(share.value - half, abs=0.02)
    assert share.high == pytest.approx(share.value + half, abs=0.02)


def test_preferences_for_the_chosen_side_agree_with_the_pairs(
    tables: RunTables, workspace: Workspace, tmp_path: Path
) -> None:
    """By the names of the dataset's pairs; who prefers neither is no part of a share, and a tie is missed."""
    pairs = [row["pair_id"] for row in tables.rows("SELECT pair_id FROM pairs ORDER BY pair_id")]
    answers = ["chosen", "chosen", "chosen", "rejected", "neither"]
    said = [(name, answers[place % 5]) for place, name in enumerate(pairs[: len(pairs) // 5 * 5])]

    found = audit_of_csv(tables, write_ratings(tmp_path / "r.csv", "pair_id,preferred", said), workspace)

    kept = judges_in(found)["pairs"]
    assert found.comparisons == kept.decisive == len(said)
    assert found.undecided == found.ties == len(said) // 5
    assert kept.beyond_margin is not None
    assert kept.beyond_margin.value == pytest.approx(3 / 4)
    assert kept.with_ties is not None
    assert kept.with_ties.value == pytest.approx(3 / 5)


def test_near_opinions_are_a_tie_where_there_are_ties(
    tables: RunTables, workspace: Workspace, tmp_path: Path
) -> None:
    """Half a point is a tie, and the score that also sees none answers as the listeners do."""
    scores = scores_in(tables, "third")
    row = next(iter(scores)).rpartition("/")[0].rpartition("/")[0]
    names = [f"{row}/model-0/{take}" for take in range(3)]
    best, *_ = sorted(names, key=lambda name: scores[name])
    mos = {name: 2.2 if name == best else 1.7 for name in names}  # 0.5 and a bit apart, as floats
    file = write_ratings(tmp_path / "r.csv", "candidate_id,mos", mos.items())

    found = audit_of_csv(tables, file, workspace)

    third = judges_in(found)["third"]
    assert (found.comparisons, found.undecided, found.ties) == (3, 1, 3)
    assert third.agreement == Interval(value=1.0)  # of one utterance there is no interval
    assert third.with_ties is not None
    assert third.with_ties.value == (3 - third.decisive) / 3


def test_what_listeners_agree_on_is_said(tables: RunTables, workspace: Workspace, tmp_path: Path) -> None:
    """Of three who prefer a side, two the same: one of three pairs of listeners agrees."""
    name = next(iter(scores_in(tables, "first"))).rpartition("/")[0].rpartition("/")[0]
    a, b = f"{name}/model-0/0", f"{name}/model-1/2"
    said = [("a", "Ann"), ("a", "Ben"), ("b", "Cem"), ("neither", "Dan")]
    file = write_ratings(
        tmp_path / "r.csv", "a,b,preferred,listener", [(a, b, answer, who) for answer, who in said]
    )

    found = audit_of_csv(tables, file, workspace)

    assert (found.comparisons, found.listeners, found.ties) == (1, 4, 1)  # two of four are no majority
    assert found.between_listeners == Interval(value=round(1 / 3, 12))


def flat(name: str) -> str:
    """Return a name as files in a dataset have it."""
    return name.replace("/", "_")


@pytest.mark.parametrize(
    ("columns", "of"),
    [
        ("candidate_id", lambda row, model, take: (f"{row}/{model}/{take}",)),
        ("path", lambda row, model, take: (f"some/where/{flat(row)}_{model}_{take}.flac",)),
        ("path", lambda row, model, take: (f"C:\\x\\{flat(row)}_{model}_{take}.wav",)),
        ("degraded_id,model,take", lambda row, model, take: (row, model, take)),
        ("utterance_id,model,take", lambda row, model, take: (row, model, take)),
    ],
)
def test_recordings_go_by_the_names_of_the_dataset(
    columns: str,
    of: Callable[[str, str, int], tuple[str | int, ...]],
    tables: RunTables,
    workspace: Workspace,
    tmp_path: Path,
) -> None:
    """By any of them, and a take that is not said is the only one."""
    name = next(iter(scores_in(tables, "first"))).rpartition("/")[0].rpartition("/")[0]
    rows = [(*of(name, f"model-{model}", take), 1 + take) for model in range(2) for take in range(3)]

    found = audit_of_csv(tables, write_ratings(tmp_path / "r.csv", f"{columns},mos", rows), workspace)

    assert found.unmatched == ()
    assert (found.recordings, found.utterances) == (6, 1)


def test_ratings_of_what_is_not_there_are_listed(
    tables: RunTables, workspace: Workspace, tmp_path: Path
) -> None:
    """Each with its line and why; the others count."""
    name = next(iter(scores_in(tables, "first"))).rpartition("/")[0].rpartition("/")[0]
    rows = [
        (name, "model-0", 0, 3),
        ("nobody:0", "model-0", 0, 3),
        (name, "model-7", "", 3),
        (name, "model-0", "", 3),
        (name, "model-1", 9, 3),
    ]
    file = write_ratings(tmp_path / "r.csv", "degraded_id,model,take,mos", rows)

    found = audit_of_csv(tables, file, workspace)

    assert found.ratings == 1
    assert [(one.where, one.name, one.why) for one in found.unmatched] == [
        (f"{file}, line 3", "nobody:0 model-0 0", "no such degraded_id in the tables"),
        (f"{file}, line 4", f"{name} model-7", "no candidate of it is called so"),
        (f"{file}, line 5", f"{name} model-0", "3 recordings are called so"),
        (f"{file}, line 6", f"{name} model-1 9", "no candidate of it is called so"),
    ]
    sides = write_ratings(
        tmp_path / "s.csv",
        "a,b,preferred",
        [
            (f"{name}/model-0/0", "x.wav", "a"),
            (f"{name}/model-0/0", f"{flat(name)}_model-0_0.flac", "a"),
            (f"{name}/model-0/0", max(scores_in(tables, "first")), "a"),
        ],
    )
    assert [one.why for one in audit_of_csv(tables, sides, workspace).unmatched] == [
        "b: no such path in the tables",
        "both are the same recording",
        "they are not of one degraded utterance",
    ]
    pairs = write_ratings(tmp_path / "p.csv", "pair_id,preferred", [("nobody:0/0", "chosen")])
    assert [one.why for one in audit_of_csv(tables, pairs, workspace).unmatched] == [
        "no such pair in the tables"
    ]


def votes_for(tables: RunTables, winner: str) -> list[Vote]:
    """Return Ann's votes, one per pair, all for the side that is chosen or rejected."""
    digests = {
        (row["model"], row["take"]): row["digest"]
        for row in tables.rows(
            "SELECT DISTINCT model, t.take AS take, t.audio.digest AS digest "
            "FROM (SELECT model, unnest(takes) AS t FROM restore_rows)"
        )
    }
    votes = []
    for number, pair in enumerate(tables.rows("SELECT * FROM pairs ORDER BY pair_id")):
        keys = [(pair[f"{side}_model"], pair[f"{side}_take"]) for side in ("rejected", "chosen")]
        a, b = (Stimulus(model=model, take=take, digest=digests[model, take]) for model, take in keys)
        choice = VoteChoice.B if winner == "chosen" else VoteChoice.A
        votes.append(
            Vote(
                listener="Ann",
                trial=number,
                row=pair["id"],
                origin=Origin.PAIR,
                a=a,
                b=b,
                choice=choice,
                voted_at_s=0,
            )
        )
    return votes


def test_votes_of_the_listening_test_count(
    folder: Path, run: ResolvedConfig, tables: RunTables, tmp_path: Path
) -> None:
    """From the workspace, from a file of them, each once; those on other audio are told."""
    own = Workspace(Path(shutil.copytree(folder / "run" / "workspace", tmp_path / "own")))
    votes = votes_for(tables, "chosen")[:40]
    gone = votes[0].model_copy(
        update={"trial": 999, "b": votes[0].b.model_copy(update={"digest": "0" * 64}), "choice": VoteChoice.B}
    )
    again = votes[1].model_copy(update={"trial": 1000, "is_repeat": True, "choice": VoteChoice.A})
    for vote in (*votes, gone, again):
        VoteBook(own.votes).add(vote)

    alone = read_human_ratings(None, own)
    with_file = read_human_ratings(own.root / "listening" / "Ann.jsonl", own)

    assert alone is not None
    assert with_file is not None
    assert list(with_file.votes) == list(alone.votes)
    found = human_audit_of(tables_of(run, own), alone)
    assert (found.ratings, found.comparisons, found.outdated_votes) == (len(votes), len(votes), 1)
    assert found.sources == ("the listening test",)
    assert judges_in(found)["pairs"].beyond_margin == Interval(value=1.0, low=1.0, high=1.0)


def test_without_ratings_there_is_nothing_to_say(workspace: Workspace, tables: RunTables) -> None:
    """Nobody has voted; and an empty list has no shares."""
    assert read_human_ratings(None, workspace) is None

    found = human_audit_of(tables, HumanRatings((), (), ("nobody",)))

    assert found.comparisons == 0
    assert all(judge.agreement is judge.beyond_margin is judge.correlation is None for judge in found.judges)


def test_the_command_prints_text_and_json(folder: Path, tables: RunTables, tmp_path: Path) -> None:
    """The same numbers."""
    rows = [(name, opinion(value)) for name, value in scores_in(tables, "first").items()]
    file = write_ratings(tmp_path / "r.csv", "candidate_id,mos", [*rows, ("nobody", 3)])
    words = ("audit", folder / "run" / "made.yaml", "-w", folder / "run" / "workspace")

    said = typed_here(*words, "--human", file)
    data = json.loads(typed_here(*words, "--human", file, "--json"))

    assert "### Against listeners" in said
    assert "1 rating could not be used:" in said
    assert f"- {file}, line {len(rows) + 2}: `nobody`: no such candidate_id in the tables" in said
    assert "| pairs of the dataset" in said
    assert "100.0 % (100.0 to 100.0)" in said
    assert data["human"]["judges"][2]["judge"] == "first"
    assert data["human"]["judges"][2]["agreement"]["value"] == 1.0
    assert data["audit"]["pairs"] > 0
