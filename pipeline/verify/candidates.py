"""Whether pairs and candidates say the same of the takes that both have."""

from collections.abc import Iterator, Mapping
from itertools import groupby

from pipeline.dataset.columns import SIDES, TAKE, Table
from pipeline.dataset.published import Dataset, Row
from pipeline.verify.findings import Finding, same

TABLES_OF_CANDIDATES: tuple[Table, ...] = ("scores", "candidates")
"""Those that have all candidates, the lighter one first."""
HEAVY = ("recipe", "degradation_steps", "licences")


class Candidates:
    """Walks the candidates beside the pairs: both tables are in the order of degraded utterances."""

    def __init__(self, dataset: Dataset) -> None:
        self._table = next((table for table in TABLES_OF_CANDIDATES if table in dataset.said.tables), None)
        self._dataset = dataset
        self._compared = (*TAKE, *(score.name for metric in dataset.said.metrics for score in metric.scores))
        self._groups = self.utterances()
        self._at: str | None = None
        self._here: Mapping[tuple[str, int], Row] = {}

    @property
    def are_there(self) -> bool:
        """Whether the dataset has a table of them."""
        return self._table is not None

    def findings(self, pair: Row) -> Iterator[Finding]:
        """Walk what the table of candidates says otherwise of the sides of a pair."""
        if self._table is None:
            return
        self._go_to(pair["degraded_id"])
        for side in SIDES:
            key = pair[f"{side}_model"], pair[f"{side}_take"]
            if key not in self._here:
                yield Finding(pair["pair_id"], side, f"{key[0]} {key[1]}", f"none in {self._table!r}")
                continue
            for name in self._compared:
                there = self._here[key][name]
                if not same(pair[f"{side}_{name}"], there):
                    where = f"{side}_{name}"
                    yield Finding(pair["pair_id"], where, pair[where], f"{there} in {self._table!r}")

    def utterances(self) -> Iterator[tuple[str, list[Row]]]:
        """Walk the degraded utterances with their candidates; nothing if the dataset has no table of them."""
        for degraded_id, rows in groupby(self._rows(), key=lambda row: str(row["degraded_id"])):
            yield degraded_id, list(rows)

    def _go_to(self, degraded_id: str) -> None:
        while self._at != degraded_id:
            self._at, rows = next(self._groups, (degraded_id, iter(())))
            self._here = {(row["model"], row["take"]): row for row in rows}

    def _rows(self) -> Iterator[Row]:
        if self._table is not None:
            for _, row in self._dataset.rows(self._table, without=HEAVY):
                if row["model"] is not None:
                    yield row
