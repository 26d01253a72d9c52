"""What a dataset comes to: means of scores, who won, and whose work is in it under which licence."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.dataset.candidates import DegradedUtterance
from schemas import Record
from schemas.rows import CLEAN
from stages.operators.licences import most_restrictive_of

Sums = defaultdict[str, float]


class ScoreSummary(Record):
    """One score over all pairs that have it on both sides: the means, and the mean margin."""

    name: str
    pairs: int
    chosen: float
    rejected: float
    advantage: float


class ModelSummary(Record):
    """One model over all its candidates: how often it was chosen and rejected, and its mean scores."""

    name: str
    candidates: int
    chosen: int
    rejected: int
    means: dict[str, float]


class SourceSummary(Record):
    """Recordings or a network that went into the dataset, under one licence."""

    part: str
    name: str
    licence: str | None
    uses: int
    """Recordings of it that were used; degraded versions, for a network."""


class Summary:
    """Running sums over pairs and candidates, in one pass over the rows."""

    def __init__(self, scores: Sequence[str]) -> None:
        self._scores = scores
        self._pairs: dict[str, Sums] = {}
        self._models: dict[str, Sums] = {}
        self._sources: dict[tuple[str, str, str | None], set[str]] = {}
        self._licences: Counter[str] = Counter()
        self._all_licences: set[str] = set()
        self._languages: set[str] = set()

    def add_pair(self, row: Mapping[str, Any]) -> None:
        """Take in one row of ``pairs``."""
        for score in self._scores:
            if row[f"margin_{score}"] is not None:
                sums = self._pairs.setdefault(score, defaultdict(float))
                sums["pairs"] += 1
                for side in ("chosen", "rejected", "margin"):
                    sums[side] += row[f"{side}_{score}"]
        for side in ("chosen", "rejected"):
            self._models.setdefault(row[f"{side}_model"], defaultdict(float))[side] += 1
        self._licences[row["row_licence"]] += 1

    def add_terms(self, row: Mapping[str, Any]) -> None:
        """Take in whose work is in a row, of ``pairs`` or of ``candidates``."""
        self._all_licences.add(row["row_licence"])
        for part in row["licences"]:
            self._add_source(part, row)
        if row["language"]:
            self._languages.add(row["language"])

    def _add_source(self, part: Mapping[str, Any], row: Mapping[str, Any]) -> None:
        group, _, recording = (
            part["name"].partition(":") if part["part"] == "pool" else (part["name"], "", "")
        )
        used = {"speech": row["source_id"], "pool": recording}.get(part["part"], row["degraded_id"])
        self._sources.setdefault((part["part"], group, part["licence"]), set()).add(used)

    def add_candidates(self, of: DegradedUtterance) -> None:
        """Take in the candidates of one degraded utterance."""
        for restoration in of.restorations.values():
            if restoration.take.audio is None:
                continue
            sums = self._models.setdefault(restoration.model, defaultdict(float))
            sums["candidates"] += 1
            for score in restoration.scores.values():
                if score.value is not None:
                    sums[f"sum {score.name}"] += score.value
                    sums[f"number {score.name}"] += 1

    @property
    def scores(self) -> tuple[ScoreSummary, ...]:
        """Return the means over pairs."""
        return tuple(
            ScoreSummary(
                name=name,
                pairs=int(sums["pairs"]),
                chosen=sums["chosen"] / sums["pairs"],
                rejected=sums["rejected"] / sums["pairs"],
                advantage=sums["margin"] / sums["pairs"],
            )
            for name in self._scores
            if (sums := self._pairs.get(name))
        )

    @property
    def models(self) -> tuple[ModelSummary, ...]:
        """Return the models, in the order in which they were met, the clean reference last."""
        names = sorted(self._models, key=lambda name: name == CLEAN)
        return tuple(self._model(name, self._models[name]) for name in names)

    def _model(self, name: str, sums: Sums) -> ModelSummary:
        scored = [score for score in self._scores if sums[f"number {score}"]]
        means = {score: sums[f"sum {score}"] / sums[f"number {score}"] for score in scored}
        counts = {what: int(sums[what]) for what in ("candidates", "chosen", "rejected")}
        return ModelSummary(name=name, **counts, means=means)

    @property
    def sources(self) -> tuple[SourceSummary, ...]:
        """Return what went into the rows, sorted."""
        keys = sorted(self._sources, key=lambda key: (key[0], key[1], key[2] or ""))
        return tuple(
            SourceSummary(part=key[0], name=key[1], licence=key[2], uses=len(self._sources[key]))
            for key in keys
        )

    @property
    def licences(self) -> dict[str, int]:
        """Return the number of pairs under each licence."""
        return dict(sorted(self._licences.items()))

    @property
    def licence(self) -> str | None:
        """Return the most restrictive licence of any row; None without rows."""
        return most_restrictive_of(self._all_licences) if self._all_licences else None

    @property
    def languages(self) -> tuple[str, ...]:
        """Return the languages of the speech, sorted."""
        return tuple(sorted(self._languages))
