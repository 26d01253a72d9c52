"""What a dataset says of its rows as a whole: means of scores, licences, languages, whose work is in it."""

from collections.abc import Iterator, Sequence

from pipeline.dataset.published import Dataset
from pipeline.dataset.summary import ScoreSummary, Summary
from pipeline.verify.findings import Finding, are_same

_HEAVY = ("recipe", "degradation_steps", "missing_scores")
PLACE = "unanimous.json"


def summary_findings(dataset: Dataset) -> Iterator[Finding]:
    """Walk the numbers and names in a dataset's description that its rows do not come to."""
    said, found = dataset.description, _summary_of(dataset)
    yield from _score_findings(said.scores, found.scores)
    for what in ("licence", "licences", "languages"):
        if (published := getattr(said, what)) != (counted := getattr(found, what)):
            yield Finding(PLACE, what, published, counted)
    published, counted = ({str(source) for source in each.sources} for each in (said, found))
    yield from (Finding(PLACE, "sources", source, "none") for source in sorted(published - counted))
    yield from (Finding(PLACE, "sources", "none", source) for source in sorted(counted - published))


def _summary_of(dataset: Dataset) -> Summary:
    """Return what the rows come to, as an export counts them."""
    summary = Summary([score.name for metric in dataset.description.metrics for score in metric.scores])
    for _, row in dataset.rows("pairs", without=_HEAVY):
        summary.add_pair(row)
        summary.add_terms(row)
    for _, row in dataset.rows("candidates", without=_HEAVY):
        summary.add_terms(row)
    return summary


def _score_findings(published: Sequence[ScoreSummary], counted: Sequence[ScoreSummary]) -> Iterator[Finding]:
    stated, found = ({score.name: score for score in each} for each in (published, counted))
    for name in dict.fromkeys((*stated, *found)):
        if name not in stated or name not in found:
            yield Finding(PLACE, f"means of {name}", stated.get(name), found.get(name))
            continue
        for what in ("pairs", "chosen", "rejected", "advantage"):
            values = [getattr(each[name], what) for each in (stated, found)]
            if not are_same(*values):
                yield Finding(PLACE, f"{what} of {name}", *values)
