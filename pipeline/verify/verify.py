"""All checks of a dataset, from the cheap ones to scores computed again."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.dataset.published import DatasetRow, open_dataset
from pipeline.store.dataset_files import DatasetFiles
from pipeline.verify.audio import AUDIO_SIDES, audio_of, recording_findings
from pipeline.verify.candidates import TABLES_OF_CANDIDATES, table_findings
from pipeline.verify.files import file_findings
from pipeline.verify.findings import Finding
from pipeline.verify.recipes import recipe_findings
from pipeline.verify.rows import row_findings
from pipeline.verify.scores import Rescoring, load_metrics
from pipeline.verify.splits import split_findings
from pipeline.verify.summary import summary_findings
from schemas import DamagedFileError
from stages.operators.rng import rng_for
from stages.weights.locations import WeightLocations

RECORDING = ("candidate_id", "audio", "digest")
"""Columns of ``candidates`` that say what audio there is."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what was found."""

    files: int
    pairs: int
    has_candidates: bool
    """Whether there is a table of candidates, from which all of them could be decided anew."""
    sampled: int
    """Pairs whose audio was decoded and scored again."""
    recordings: int
    """Candidates whose audio was decoded."""
    rescored: tuple[str, ...]
    """Scores that were computed again."""
    not_rescored: dict[str, str]
    """Metrics that were not, and why."""
    findings: tuple[Finding, ...]
    audio_bits: int

    @property
    def is_sound(self) -> bool:
        """Whether nothing was found. What was not looked at may still be wrong."""
        return not self.findings


def verify_dataset(
    place: Path | DatasetFiles,
    *,
    rows: int | None,
    seed: int = 0,
    locations: WeightLocations | None = None,
    device: str = "cpu",
) -> Verified:
    """Return what is wrong with the dataset at ``place``.

    Files, rows and splits are checked in full; audio and scores of ``rows`` pairs, and audio of as many
    candidates, that are drawn by ``seed``, or of all for None. ``locations`` say where weights lie that the
    dataset knows by digest.
    """
    dataset = open_dataset(place if isinstance(place, DatasetFiles) else DatasetFiles(place))
    said = dataset.description
    findings = list(file_findings(dataset))
    metrics, refused = load_metrics(said.metrics, locations or {}, said.audio_bits, device)
    sampled, recordings = 0, 0
    try:
        for check in (row_findings, table_findings, split_findings, summary_findings):
            findings += check(dataset)
        for row in dataset.pairs(_draw_numbers(dataset.num_pairs, rows, seed)):
            findings += _sampled_findings(row, metrics)
            sampled += 1
        for row in dataset.pick(
            "candidates", _draw_numbers(dataset.num_rows("candidates"), rows, seed), RECORDING
        ):
            findings += recording_findings(row)
            recordings += 1
    except DamagedFileError as error:
        findings.append(Finding(error.path, "rows", "all to be read", error.why))
    except (OSError, pa.ArrowException, LookupError, ValueError, TypeError) as error:
        findings.append(Finding("pairs", "rows", "all to be read", f"{type(error).__name__}: {error}"))
    return Verified(
        files=sum(1 for table in said.tables for _ in dataset.names(table)),
        pairs=sum(said.rows.values()),
        has_candidates=not said.tables.keys().isdisjoint(TABLES_OF_CANDIDATES),
        sampled=sampled,
        recordings=recordings,
        rescored=tuple(name for metric in metrics for name in metric.scores) if sampled else (),
        not_rescored=refused,
        findings=tuple(findings),
        audio_bits=said.audio_bits,
    )


def _draw_numbers(total: int, wanted: int | None, seed: int) -> Sequence[int]:
    if wanted is None or wanted >= total:
        return range(total)
    return sorted(rng_for(seed, "verify").choice(total, size=wanted, replace=False).tolist())


def _sampled_findings(row: DatasetRow, metrics: Sequence[Rescoring]) -> list[Finding]:
    """Return what is wrong with a pair's recipe, audio and scores; what cannot be read is not scored."""
    unread = list(recipe_findings(row))
    audio, findings = audio_of(row)
    findings += unread
    if len(audio) == len(AUDIO_SIDES) and not unread:
        findings += [finding for metric in metrics for finding in metric.findings(row, audio)]
    return findings
