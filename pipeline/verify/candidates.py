"""Whether pairs, candidates and scores say the same of what is in several of them."""

from collections.abc import Iterator, Mapping
from itertools import groupby, zip_longest

from pipeline.dataset.published import Dataset, DatasetRow
from pipeline.store.dataset_columns import MODEL_OF_ROUND, PAIR_SIDES, ROUND, TAKE, UTTERANCE, DatasetTable
from pipeline.verify.findings import Finding, are_same

TABLES_OF_CANDIDATES: tuple[DatasetTable, ...] = ("scores", "candidates")
"""Those that have all candidates, the lighter one first."""
_HEAVY = ("recipe", "degradation_steps")
SHARED = ("licence", *(name for name in UTTERANCE if name not in _HEAVY), *ROUND)
"""What all rows of a degraded utterance say of it."""


class Candidates:
    """Walks the candidates beside the pairs: both tables are in the order of degraded utterances."""

    def __init__(self, dataset: Dataset) -> None:
        self._table = next(
            (table for table in TABLES_OF_CANDIDATES if table in dataset.description.tables), None
        )
        self._dataset = dataset
        self._compared = (
            *TAKE,
            *(() if dataset.description.lineage is None else MODEL_OF_ROUND),
            *(score.name for metric in dataset.description.metrics for score in metric.scores),
        )
        self._groups = self.utterances()
        self._at: str | None = None
        self._here: Mapping[tuple[str, int], DatasetRow] = {}

    @property
    def are_there(self) -> bool:
        """Whether the dataset has a table of them."""
        return self._table is not None

    def findings(self, pair: DatasetRow) -> Iterator[Finding]:
        """Walk what the table of candidates says otherwise of the sides of a pair."""
        if self._table is None:
            return
        self._go_to(pair["degraded_id"])
        for side in PAIR_SIDES:
            key = pair[f"{side}_model"], pair[f"{side}_take"]
            if key not in self._here:
                yield Finding(pair["pair_id"], side, f"{key[0]} {key[1]}", f"none in {self._table!r}")
                continue
            for name in self._compared:
                yield from self._compare_column(pair, f"{side}_{name}", self._here[key][name])
        for name, there in next(iter(self._here.values()), {}).items():
            if name in SHARED:
                yield from self._compare_column(pair, name, there)
        yield from self._licence_findings(pair)

    def _compare_column(self, pair: DatasetRow, column: str, there: object) -> Iterator[Finding]:
        if not are_same(pair[column], there):
            yield Finding(pair["pair_id"], column, pair[column], f"{there} in {self._table!r}")

    def _licence_findings(self, pair: DatasetRow) -> Iterator[Finding]:
        """Walk the licence of a pair's sides that it does not list, and those that it lists beside them."""
        sides = [self._here.get((pair[f"{side}_model"], pair[f"{side}_take"])) for side in PAIR_SIDES]
        listed, there = (
            {tuple(part.values()) for row in rows if row is not None for part in row["licences"]}
            for rows in ([pair], sides)
        )
        for part in sorted(listed ^ there, key=str):
            said = ("listed", "not") if part in listed else ("not listed", f"in {self._table!r}")
            yield Finding(pair["pair_id"], f"licence {' '.join(map(str, part))}", *said)

    def utterances(self) -> Iterator[tuple[str, list[DatasetRow]]]:
        """Walk the degraded utterances with their candidates; nothing if the dataset has no table of them."""
        for degraded_id, rows in groupby(self._rows(), key=lambda row: str(row["degraded_id"])):
            yield degraded_id, list(rows)

    def _go_to(self, degraded_id: str) -> None:
        while self._at != degraded_id:
            self._at, rows = next(self._groups, (degraded_id, iter(())))
            self._here = {(row["model"], row["take"]): row for row in rows}

    def _rows(self) -> Iterator[DatasetRow]:
        if self._table is not None:
            for _, row in self._dataset.rows(self._table, without=_HEAVY):
                if row["model"] is not None:
                    yield row


def table_findings(dataset: Dataset) -> Iterator[Finding]:
    """Walk what the table of scores says otherwise than that of candidates, where there are both."""
    if not dataset.description.tables.keys() >= set(TABLES_OF_CANDIDATES):
        return
    scores = (row for _, row in dataset.rows("scores"))
    candidates = (row for _, row in dataset.rows("candidates") if row["model"] is not None)
    nothing: DatasetRow = {}
    for score, candidate in zip_longest(scores, candidates, fillvalue=nothing):
        name = score.get("candidate_id", candidate.get("candidate_id"))
        for column in score or ("candidate_id",):
            published, found = score.get(column), candidate.get(column)
            if published != found:
                yield Finding(f"scores/{name}", column, published, f"{found} in 'candidates'")
