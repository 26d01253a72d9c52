"""The tables of a dataset card: numbers and names as Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import yaml

from pipeline.config.rounds import RoundSummary
from pipeline.dataset.provenance import MetricFacts, ModelFacts, WeightsFacts
from pipeline.dataset.summary import ModelSummary, ScoreSummary, SourceSummary
from pipeline.dataset.writer import SplitFiles
from pipeline.store.dataset_columns import DatasetTable
from pipeline.text import format_bytes
from schemas import Split
from stages.prefer.criteria import Criterion
from stages.prefer.pair_rules import PairRule

_NOTHING = "–"
HOLDS: Mapping[DatasetTable, str] = {
    "pairs": "degraded, chosen, rejected and clean audio, and all that is known of them",
    "candidates": "each recording once, with all its scores, to decide anew by other criteria",
    "scores": "the candidates without their audio",
}
_PARTS = {"speech": "speech", "pool": "pool", "step": "network of a degradation", "model": "model"}


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table; what would break it is escaped."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(text: str) -> str:
    return escape_inline(text).replace("|", r"\|")


def escape_inline(text: str) -> str:
    """Return a text in one line, of which nothing is taken for an element of HTML."""
    return " ".join(text.split()).replace("<", "&lt;")


def describe_columns(meanings: Mapping[str, str]) -> str:
    """Return what columns hold; those that stand together in a name have one meaning."""
    rows = [(", ".join(f"`{name}`" for name in names.split()), said) for names, said in meanings.items()]
    return markdown_table(["column", "holds"], rows)


def describe_tables(written: Mapping[DatasetTable, Mapping[Split, SplitFiles]]) -> str:
    """Return what there is, by table and split."""
    rows = [
        (f"`{name}`", HOLDS[name], split, f"{f.rows:,}", f"{len(f.files):,}", format_bytes(f.num_bytes))
        for name, splits in written.items()
        for split, f in splits.items()
    ]
    return markdown_table(["table", "holds", "split", "rows", "files", "size"], rows)


def describe_rounds(rounds: Iterable[RoundSummary]) -> str:
    """Return what earlier rounds came to."""
    rows = [
        (
            str(each.number),
            f"{each.name} `{each.key}`",
            f"{each.comparisons:,}",
            f"{each.unanimous:,}",
            f"{each.pairs:,}",
            ", ".join(f"{model.name} `{model.model_fingerprint}`" for model in each.models),
        )
        for each in rounds
    ]
    return markdown_table(["round", "dataset", "comparisons", "unanimous", "pairs", "models"], rows)


def describe_models(facts: Iterable[ModelFacts]) -> str:
    """Return who restored, under which settings, with which weights."""
    rows = [
        (
            f"`{model.name}`",
            f"{model.kind} v{model.version}, {model.paradigm}",
            str(model.takes),
            describe_settings(model.settings | simplify_setting(model.draws)),
            _describe_all_weights(model.weights),
            ", ".join(model.licences),
        )
        for model in facts
    ]
    return markdown_table(["model", "kind", "takes", "settings", "weights", "licence"], rows)


def describe_metrics(facts: Iterable[MetricFacts]) -> str:
    """Return who scored, what it hears, under which settings, with which weights."""
    rows = [
        (
            f"`{metric.name}`",
            join_codes(f"{s.name} {'↑' if s.better == 'higher' else '↓'}" for s in metric.scores),
            ", ".join(dict.fromkeys(score.aspect.replace("_", " ") for score in metric.scores)),
            describe_settings(metric.settings),
            _describe_all_weights(metric.weights),
            ", ".join(metric.licences),
            f"`{metric.metric_fingerprint}`",
        )
        for metric in facts
    ]
    return markdown_table(
        ["metric", "scores", "aspect", "settings", "weights", "licence", "fingerprint"], rows
    )


def describe_scores(means: Iterable[ScoreSummary]) -> str:
    """Return the means of each score over pairs."""
    rows = [
        (f"`{s.name}`", f"{s.pairs:,}", f"{s.chosen:.3f}", f"{s.rejected:.3f}", f"{s.advantage:.3f}")
        for s in means
    ]
    return markdown_table(["score", "pairs", "chosen", "rejected", "chosen better by"], rows)


def describe_candidates(means: Sequence[ModelSummary]) -> str:
    """Return the means of each score over candidates, by model."""
    names = list(dict.fromkeys(name for model in means for name in model.means))
    rows = [
        (
            f"`{model.name}`",
            *(f"{number:,}" for number in (model.candidates, model.chosen, model.rejected)),
            *(f"{model.means[name]:.3f}" if name in model.means else _NOTHING for name in names),
        )
        for model in means
    ]
    return markdown_table(["model", "candidates", "chosen", "rejected", *names], rows)


def describe_licences(pairs: Mapping[str, int]) -> str:
    """Return how many pairs are under which licence."""
    return markdown_table(["licence", "pairs"], [(name, f"{number:,}") for name, number in pairs.items()])


def describe_sources(summaries: Iterable[SourceSummary]) -> str:
    """Return whose work went into the rows."""
    rows = [(_PARTS[s.part], f"`{s.name}`", s.licence or "not stated", f"{s.uses:,}") for s in summaries]
    return markdown_table(["part", "name", "licence", "recordings, or degraded versions for a network"], rows)


def describe_votes(criteria: Iterable[Criterion]) -> str:
    """Return who votes, and from which margin on."""
    return ", ".join(f"`{c.metric}` by more than {c.margin:g}" for c in criteria)


def describe_rule(rule: PairRule) -> str:
    """Return which of the unanimous pairs of a degraded version are kept."""
    said = {"all": "all are kept", "best": "the clearest is kept", "top_k": "the clearest are kept"}[
        rule.keep
    ]
    other = rule.model_dump(exclude_defaults=True, exclude={"keep"})
    return f"{said} ({describe_settings(other)})" if other else said


def describe_chain(parts: Iterable[Mapping[str, Any]]) -> str:
    """Return the steps of a chain as YAML, as short as they can be said."""
    text: str = yaml.safe_dump(
        [simplify_setting(part) for part in parts], sort_keys=False, default_flow_style=None
    )
    return text.rstrip()


def describe_pools(named: Mapping[str, Iterable[Mapping[str, Any]]]) -> str:
    """Return what each pool holds, without the places of files."""
    said = {name: "; ".join(map(_describe_pool, parts)) for name, parts in sorted(named.items())}
    return "\n".join(f"- `{name}`: {text}" for name, text in said.items())


def simplify_setting(value: Any) -> Any:
    """Return a drawn setting without what goes without saying."""
    if isinstance(value, Mapping):
        if value.get("kind") == "constant":
            return value["value"]
        return {name: simplify_setting(each) for name, each in value.items() if each is not None}
    return [simplify_setting(each) for each in value] if isinstance(value, list | tuple) else value


def describe_settings(values: Mapping[str, Any]) -> str:
    """Return settings in a line."""
    return (
        ", ".join(f"{n} {_describe_setting(value)}" for n, value in values.items() if value is not None)
        or _NOTHING
    )


def _describe_setting(value: Any) -> str:
    """Return a value, or the distribution that it is drawn from: ``uniform (low 0.5, high 1.0)``."""
    if isinstance(value, Mapping) and "kind" in value:
        return f"{value['kind']} ({describe_settings({n: v for n, v in value.items() if n != 'kind'})})"
    return str(value)


def join_codes(names: Iterable[str]) -> str:
    """Return names as code."""
    return ", ".join(f"`{name}`" for name in names)


def _describe_pool(part: Mapping[str, Any]) -> str:
    said = describe_settings(
        {name: simplify_setting(value) for name, value in part.items() if name not in {"path", "voices"}}
    )
    if "path" not in part:
        return said
    return "recordings" if said == _NOTHING else f"recordings, {said}"


def _describe_all_weights(weights: Iterable[WeightsFacts]) -> str:
    return "; ".join(map(_describe_weights, weights)) or _NOTHING


def _describe_weights(weights: WeightsFacts) -> str:
    at = f" @ {weights.revision}" if weights.revision else ""
    digest = f", SHA-256 {weights.sha256}" if weights.sha256 else ""
    moving = f", unpinned where it came from: {', '.join(weights.unpinned)}" if weights.unpinned else ""
    return f"{weights.source}{at}{digest}{moving}"
