"""Whether candidates that are said to be the same recording are, and no others."""

from collections.abc import Iterator, Sequence

from pipeline.dataset.published import DatasetRow
from pipeline.verify.findings import Finding
from stages.audio.flac import FLAC_BITS


def name_of(row: DatasetRow) -> str:
    """Return what a candidate is called among those of its degraded utterance."""
    return f"{row['model']}/{row['take']}"


def same_audio_findings(rows: Sequence[DatasetRow], audio_bits: int) -> Iterator[Finding]:
    """Walk what the candidates of one degraded utterance say of each other and their digests do not.

    Published at fewer bits than were compared, recordings may have become the same; they are let be.
    """
    digests = {name_of(row): row["digest"] for row in rows}
    for row in rows:
        name, said = name_of(row), sorted(row["same_audio_as"])
        same = {other for other, digest in digests.items() if digest and digest == digests[name]} - {name}
        expected = sorted(same if audio_bits == FLAC_BITS else same.intersection(said))
        if said != expected:
            yield Finding(f"{row['degraded_id']}/{name}", "same_audio_as", said, expected)
