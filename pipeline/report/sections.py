"""What the report has to say, section by section: each is facts about a snapshot and a template for them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.audit.human_agreement import human_audit_of
from pipeline.audit.ratings import read_human_ratings
from pipeline.audit.records import Audit, Group, ScoreCorrelation, ScoreRole, YieldOf
from pipeline.dataset.coverage import Coverage, read_pair_facts, try_selections
from pipeline.dataset.description import read_description
from pipeline.dataset.published import Dataset
from pipeline.listening.opinions import listening_of
from pipeline.progress.funnel import MEANING
from pipeline.report.charts import (
    least_px,
    plot_agreement,
    plot_distribution,
    plot_funnel,
    plot_shares,
    plot_win_rates,
    plot_yields,
)
from pipeline.report.corpus import find_oddities, refusals_of
from pipeline.report.costs import costs_of
from pipeline.report.failures import failures_of
from pipeline.report.snapshot import Snapshot
from schemas import DamagedFileError
from schemas.rows import CLEAN

Facts = Mapping[str, Any]
YIELDS = {
    Group.DEGRADATION: "By degradation",
    Group.SNR: "By level of the speech over what was added",
    Group.MODELS: "By the two models that are compared",
}
MOST_BARS = 24
"""In one chart; of more, the highest are shown."""


@dataclass(frozen=True, slots=True)
class Section:
    """One part of the page, with a template of its name in ``templates/sections``."""

    id: str
    title: str
    facts: Callable[[Snapshot], Facts]
    is_shown: Callable[[Snapshot], bool] = lambda _: True


def gather_overview(snapshot: Snapshot) -> Facts:
    """Return the main numbers, who votes, and what stands in for published parts and missing weights."""
    splits = (
        "SELECT split, count(*) AS pairs FROM pairs JOIN recipes USING (id) GROUP BY split ORDER BY split"
    )
    models = [name.partition(".")[2] for name in snapshot.tables.folders("restore")]
    speech = "SELECT count(*) AS versions, coalesce(sum(duration_s), 0) AS duration_s FROM recipes"
    return {
        "config": snapshot.config,
        "funnel": snapshot.funnel,
        "status": snapshot.status,
        "splits": snapshot.tables.rows(splits),
        "speech": snapshot.tables.rows(speech)[0],
        "inventory": snapshot.inventory,
        "models": [model for model in models if model != CLEAN],
    }


def gather_corpus(snapshot: Snapshot) -> Facts:
    """Return what is odd about the recordings, and why some are not used."""
    counted = """
        SELECT (SELECT count(*) FROM ingest_rows) AS recordings, count(*) AS utterances,
               coalesce(sum(duration_s), 0) AS duration_s,
               coalesce(list_sort(list(DISTINCT sample_rate / 1000)), []) AS rates
        FROM utterances"""
    (corpus,) = snapshot.tables.rows(counted)
    return {
        "corpus": corpus,
        "oddities": find_oddities(snapshot.tables, corpus["utterances"]),
        "refusals": refusals_of(snapshot.tables, corpus["recordings"]),
    }


def gather_funnel(snapshot: Snapshot) -> Facts:
    """Return what became of everything, step by step, and the reasons."""
    return {"steps": snapshot.funnel.steps, "meaning": MEANING, "chart": plot_funnel(snapshot.funnel)}


def gather_scores(snapshot: Snapshot) -> Facts:
    """Return how the scores of chosen and rejected restorations are distributed."""
    audit = snapshot.audit
    if audit is None:
        return {"audit": None}
    found = [
        (score, distribution, plot_distribution(distribution))
        for score, distribution in zip(audit.scores, audit.distributions, strict=True)
        if distribution.chosen and distribution.rejected
    ]
    return {"audit": audit, "charts": found}


def gather_agreement(snapshot: Snapshot) -> Facts:
    """Return how scores agree, over all and by group."""
    audit = snapshot.audit
    if audit is None:
        return {"audit": None}
    if not audit.agreement:
        return {"audit": audit, "groups": ()}
    names = [score.name for score in audit.scores]
    whole = next(found for found in audit.agreement if found.by is Group.ALL)
    return {
        "audit": audit,
        "tau": plot_agreement(whole, names, "tau"),
        "disagreeing": plot_agreement(whole, names, "disagreeing"),
        "least_px": least_px(names),
        "groups": [(found, *_among_voters(audit, found)) for found in audit.agreement],
    }


def _among_voters(audit: Audit, found: ScoreCorrelation) -> Iterator[float | None]:
    """Walk the mean τ and the mean share of disagreement of every two scores that vote."""
    voters = [place for place, score in enumerate(audit.scores) if score.part is ScoreRole.VOTES]
    for matrix in (found.tau, found.disagreeing):
        values = [matrix[i][j] for i in voters for j in voters if i < j]
        known = [value for value in values if value is not None]
        yield sum(known) / len(known) if known else None


def gather_yields(snapshot: Snapshot) -> Facts:
    """Return how many pairs came of which degradations, levels of noise and models, and what they cover."""
    audit = snapshot.audit
    if audit is None:
        return {"audit": None}
    groups = {title: [y for y in audit.yields if y.by is by] for by, title in YIELDS.items()}
    shown = {title: pick_highest(found) for title, found in groups.items() if found}
    return {
        "audit": audit,
        "charts": [(title, len(groups[title]), some, plot_yields(some)) for title, some in shown.items()],
        "selections": _coverage_in(snapshot),
    }


def _coverage_in(snapshot: Snapshot) -> Sequence[Coverage]:
    """Return what the pairs of the dataset cover, all and selected; nothing if there is none to be read."""
    files = snapshot.workspace.dataset
    if (said := read_description(files)) is None:
        return ()
    try:
        return try_selections(read_pair_facts(Dataset(files, said)))
    except (FileNotFoundError, DamagedFileError):  # which is for 'verify' to say
        return ()


def pick_highest(found: Sequence[YieldOf]) -> Sequence[YieldOf]:
    """Return those of many that gave the most pairs per comparison; a few stay in their order."""
    if len(found) <= MOST_BARS:
        return found
    return sorted(found, key=lambda each: -(each.share or 0.0))[:MOST_BARS]


def gather_audit(snapshot: Snapshot) -> Facts:
    """Return how the pairs fare on scores that did not choose them, against other ways to choose."""
    found = snapshot.audit
    if found is None:
        return {"audit": None}
    judges = [score for part in (ScoreRole.HELD_OUT, ScoreRole.RECORDED) for score in found.scores_that(part)]
    by_score = [(score, [j for j in found.judgements if j.score == score.name]) for score in judges]
    return {
        "audit": found,
        "judged": [(score, judgements, plot_win_rates(judgements)) for score, judgements in by_score],
    }


def gather_rounds(snapshot: Snapshot) -> Facts:
    """Return what this round and those before it came to, beside each other."""
    rounds = snapshot.rounds
    judges = dict.fromkeys(judge for each in rounds for judge in each.judges)
    models = dict.fromkeys(model.name for each in rounds for model in each.models)
    by_name = [{model.name: model for model in each.models} for each in rounds]
    scored = dict.fromkeys(
        (name, score) for name in models for had in by_name if name in had for score in had[name].means
    )
    return {
        "rounds": rounds,
        "is_finished": snapshot.lineage is None or len(rounds) > snapshot.lineage.number,
        "judges": [(judge, [each.judges.get(judge) for each in rounds]) for judge in judges],
        "models": [(name, [had.get(name) for had in by_name]) for name in models],
        "scores": [
            (name, score, [had[name].means.get(score) if name in had else None for had in by_name])
            for name, score in scored
        ],
    }


def gather_costs(snapshot: Snapshot) -> Facts:
    """Return what each stage took."""
    found = costs_of(snapshot)
    return {"costs": found, "work_s": sum(cost.work_s for cost in found), "funnel": snapshot.funnel}


def gather_failures(snapshot: Snapshot) -> Facts:
    """Return what has no value, by stage and reason."""
    return {"failures": failures_of(snapshot)}


def gather_votes(snapshot: Snapshot) -> Facts:
    """Return how far people, who heard restorations blindly, agree with the metrics."""
    given = read_human_ratings(snapshot.human, snapshot.workspace)
    if given is None:
        return {"found": None, "human": None}
    human = human_audit_of(snapshot.tables, given)
    if not given.votes:
        return {"found": None, "human": human}
    found = listening_of(snapshot.tables, given.votes)
    shares = {"all pairs": found.pairs, **found.degradations}
    return {"found": found, "human": human, "shares": shares, "chart": plot_shares(shares)}


SECTIONS: Sequence[Section] = (
    Section("overview", "Overview", gather_overview),
    Section("funnel", "From recordings to pairs", gather_funnel),
    Section("corpus", "What was found in the corpus", gather_corpus),
    Section("scores", "Scores", gather_scores),
    Section("agreement", "Agreement", gather_agreement),
    Section("yields", "Yield", gather_yields),
    Section("audit", "Audit", gather_audit),
    Section("rounds", "Rounds", gather_rounds, lambda snapshot: snapshot.lineage is not None),
    Section("listeners", "Listeners", gather_votes),
    Section("costs", "Speed and cost", gather_costs),
    Section("failures", "Failures", gather_failures),
)
"""In reading order. Pairs to listen to come after them: how they play depends on who serves the page."""
