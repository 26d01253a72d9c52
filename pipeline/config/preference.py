"""Who votes: the criteria of a run, and whether what they hear together is enough."""

import difflib
from collections.abc import Collection, Mapping, Sequence

from pipeline.config.document import Location
from pipeline.config.operators import MetricSetup, RestorerSetup
from pipeline.config.problems import Problems, suggest
from pipeline.config.schema import Config, CriterionEntry
from schemas.rows import CLEAN
from stages.metrics import METRICS
from stages.operators.metric import Aspect, Output
from stages.prefer.criteria import Criterion
from stages.prefer.stage import Rules
from stages.prefer.vetoes import CONFIDENCE, Veto

# Between models the numbers have nothing in common. Of takes of one model the likelier ones are those that it
# makes anyway: whoever trains it on such pairs only has it repeat itself, whatever they sound like.
_NO_EVIDENCE = (
    "how sure a model is of a take is on a scale of its own and no evidence of quality, so it neither votes "
    "nor judges; as a veto say 'min_confidence'"
)
FULL_BAND_ABOVE_HZ = 16_000
CRITERIA = ("preference", "criteria")


def outputs_of(metrics: Sequence[MetricSetup]) -> dict[str, Output]:
    """Return every score that the metrics give."""
    return {name: output for setup in metrics for name, output in setup.outputs.items()}


def criteria_of(
    entries: Sequence[tuple[Location, CriterionEntry]],
    outputs: Mapping[str, Output],
    lacking: Collection[str],
    problems: Problems,
) -> tuple[Criterion, ...]:
    """Return the votes, those that can be cast.

    ``lacking`` are metrics that could not be built: that their scores are missing goes without saying.
    """
    criteria: list[Criterion] = []
    for location, entry in entries:
        output = outputs.get(entry.metric)
        if output is None:
            if not _is_of(entry.metric, lacking):
                problems.add(location, _no_score(entry.metric, outputs))
        elif entry.metric in [criterion.metric for criterion in criteria]:
            problems.add(location, f"{entry.metric} votes already; one vote is enough")
        elif not output.votes and not entry.diagnostic:
            problems.add(
                location, f"{entry.metric} is a diagnostic ({output.note}); say 'diagnostic: true' to insist"
            )
        else:
            criteria.append(_criterion(entry, output))
    return tuple(criteria)


def _is_of(score: str, metrics: Collection[str]) -> bool:
    """Whether ``score`` is, or is a misspelled metric's, of ``metrics``."""
    return bool(difflib.get_close_matches(score, metrics)) or any(score.startswith(f"{m}_") for m in metrics)


def _no_score(name: str, known: Collection[str]) -> str:
    """Return that nothing gives a score, and which metric of those that there are would."""
    if name == CONFIDENCE:
        return _NO_EVIDENCE
    kinds = [kind for kind in METRICS if name == kind or name.startswith(f"{kind}_")]
    if kinds and not any(score.startswith(max(kinds, key=len)) for score in known):
        return f"no metric gives {name!r}; put '- kind: {max(kinds, key=len)}' into 'metrics'"
    return f"no metric gives {name!r}; {suggest(name, known)}"


def _criterion(entry: CriterionEntry, output: Output) -> Criterion:
    margin = output.noise_floor if entry.margin is None else entry.margin
    scale = entry.scale or output.noise_floor or 1.0
    return Criterion(metric=entry.metric, better=output.better, margin=margin, scale=scale)


def check_coverage(
    config: Config, metrics: Sequence[MetricSetup], criteria: Sequence[Criterion], problems: Problems
) -> None:
    """Note aspects without a vote, and a band that nobody hears."""
    voters = [
        (setup, setup.outputs[c.metric]) for c in criteria for setup in metrics if c.metric in setup.outputs
    ]
    covered = {output.aspect for _, output in voters}
    for aspect in Aspect:
        if aspect not in covered and aspect not in config.preference.uncovered:
            problems.add(
                CRITERIA,
                f"no criterion covers {aspect}; add one, or list it in 'preference.uncovered' on purpose",
            )
    rate = config.ingest.sample_rate
    above = rate == "native" or rate > FULL_BAND_ABOVE_HZ
    hears = any(setup.metric.hears_full_band for setup, _ in voters)
    if above and not hears and not config.preference.band_limited:
        problems.add(
            CRITERIA,
            f"at sample_rate {rate} no criterion hears above 8 kHz; add one such as multi_resolution_stft, "
            "or say 'preference.band_limited: true' on purpose",
        )


def vetoes_of(
    entries: Sequence[tuple[Location, Veto]],
    known: Collection[str],
    lacking: Collection[str],
    problems: Problems,
) -> tuple[Veto, ...]:
    """Return the vetoes; note scores that nothing gives, and those that could not be told apart in counts."""
    labels: set[str] = set()
    for location, veto in entries:
        if veto.score and veto.score not in known and not _is_of(veto.score, lacking):
            problems.add((*location, "score"), _no_score(veto.score, known))
        if veto.label in labels:
            problems.add(
                location, f"there is a veto {veto.label!r} already; give this one a 'name' of its own"
            )
        labels.add(veto.label)
    return tuple(veto for _, veto in entries)


def held_out_of(
    config: Config,
    metrics: Sequence[MetricSetup],
    lacking: Collection[str],
    rules: Rules,
    problems: Problems,
) -> tuple[str, ...]:
    """Return the scores that take no part in choosing; note those that do all the same."""
    outputs = {setup.name: tuple(setup.outputs) for setup in metrics}
    single = {score: (score,) for scores in outputs.values() for score in scores}
    known = {**outputs, **single}
    held_out: list[str] = []
    for index, name in enumerate(config.preference.held_out):
        location = ("preference", "held_out", index)
        if name not in known and not _is_of(name, lacking):
            unknown = f"no metric or score is called {name!r}; {suggest(name, known)}"
            problems.add(location, _NO_EVIDENCE if name == CONFIDENCE else unknown)
        for score in known.get(name, ()):
            if score in rules.scores:
                role = "votes" if score in [c.metric for c in rules.criteria] else "is a veto"
                problems.add(location, f"{score} {role}; what takes part in choosing cannot judge the choice")
            held_out.append(score)
    return tuple(dict.fromkeys(held_out))


def check_comparisons(config: Config, restorers: Sequence[RestorerSetup], problems: Problems) -> None:
    """Note a pair rule under which no two candidates are ever compared, and names that no restorer has."""
    between = config.preference.pairs.between
    names = [setup.name for setup in restorers]
    for index, name in enumerate(config.preference.pairs.never_chosen):
        if name not in names:
            problems.add(
                ("preference", "pairs", "never_chosen", index),
                f"no restorer is called {name!r}; {suggest(name, names)}",
            )
    policies = () if config.round is None else config.round.policies
    for index, name in enumerate(policies):
        if name not in names:
            location = ("round", "policies", index)
            problems.add(location, f"no restorer is called {name!r}; {suggest(name, names)}")
    if CLEAN in names:
        problems.add(
            ("restorers", names.index(CLEAN)),
            f"{CLEAN!r} is what the clean reference is called, and may not win; give it another 'name'",
        )
    several_takes = any(setup.takes > 1 for setup in restorers)
    several_models = len(restorers) > 1 or config.score_clean
    possible = {
        "any": several_takes or several_models,
        "same_model": several_takes,
        "across_models": several_models,
    }
    if not possible[between]:
        problems.add(
            ("preference", "pairs", "between"),
            f"{between}: there are no two candidates to compare; add takes to a model, or a model",
        )
