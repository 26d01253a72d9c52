"""``verify``: a dataset is held to what it says of itself."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.store.dataset_files import DatasetFiles
from pipeline.text import count, say
from pipeline.verify.scores import STORED_BITS
from pipeline.verify.verify import Verified, verify_dataset
from schemas import IntegrityError
from stages.weights.files import weights_digest

_SHOWN = 20
"""Findings that are printed; the rest is counted."""


def verify_command(
    dataset: Path | DatasetFiles, rows: int | None, seed: int, weights: Sequence[Path], device: str
) -> None:
    """Print what was checked and what was found. Raises ``IntegrityError`` if anything was."""
    locations = {weights_digest(path): str(path) for path in weights}
    verified = verify_dataset(dataset, rows=rows, seed=seed, locations=locations, device=device)
    for line in verified_lines(verified):
        say(line)
    if not verified.is_sound:
        raise IntegrityError(f"{dataset} is not what it says: {count(len(verified.findings), 'finding')}")


def verified_lines(verified: Verified) -> Iterator[str]:
    """Yield what was looked at, what was not, and what is wrong."""
    yield f"files     {verified.files:,} by SHA-256"
    yield f"pairs     {verified.pairs:,} by names, margins, votes, vetoes, pair rule, licences and splits"
    if verified.has_candidates:
        yield "decided   anew from all candidates: which pairs there are, and what became of the others"
    else:
        yield "not verified: that no pair is lacking, which takes the table of candidates or of scores"
    recordings = f" and {count(verified.recordings, 'candidate')}" if verified.has_candidates else ""
    yield f"audio     of {count(verified.sampled, 'pair')}{recordings} by SHA-256 of the samples"
    if verified.rescored:
        yield f"scores    of {count(verified.sampled, 'pair')} again: {', '.join(verified.rescored)}"
    if verified.audio_bits < STORED_BITS and verified.rescored:
        yield (
            f"          within each score's noise floor: scored at {STORED_BITS} bits, "
            f"published at {verified.audio_bits}"
        )
    for name, reason in verified.not_rescored.items():
        yield f"not verified: the scores of {name}: {reason}"
    for finding in verified.findings[:_SHOWN]:
        yield f"wrong: {finding}"
    if len(verified.findings) > _SHOWN:
        yield f"wrong: {len(verified.findings) - _SHOWN:,} more"
    if verified.is_sound:
        yield "nothing wrong in the rest" if verified.not_rescored else "nothing wrong in all of that"
