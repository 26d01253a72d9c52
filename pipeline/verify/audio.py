"""The audio of rows: that it decodes, that it is what was exported, and that all sides are of one length."""

from collections.abc import Iterator, Mapping
from typing import Any

import soundfile

from pipeline.dataset.published import Row
from pipeline.verify.findings import Finding
from schemas import EncodedAudio
from stages.flac import decode_bytes, digest_of

SIDES = ("degraded", "chosen", "rejected", "clean")


def audio_of(row: Row) -> tuple[Mapping[str, EncodedAudio], list[Finding]]:
    """Return the sides of a pair that can be decoded, and what is wrong with any of them."""
    audio, findings = {}, []
    for side in SIDES:
        try:
            audio[side] = _stored(row[side])
        except (soundfile.LibsndfileError, TypeError) as error:
            findings.append(Finding(row["pair_id"], side, "mono FLAC", f"no audio: {error}"))
    for side, found in audio.items():
        findings += _side_findings(row, side, found)
    lengths = {side: found.num_samples for side, found in audio.items()}
    if len(set(lengths.values())) > 1:
        findings.append(Finding(row["pair_id"], "samples", "as many on all sides", lengths))
    return audio, findings


def _side_findings(row: Row, side: str, found: EncodedAudio) -> Iterator[Finding]:
    published = row[f"{side}_digest"]
    if found.digest != published:
        yield Finding(row["pair_id"], f"SHA-256 of {side}", published, found.digest)
    if found.sample_rate != row["sample_rate"]:
        yield Finding(row["pair_id"], f"rate of {side} in Hz", row["sample_rate"], found.sample_rate)


def _stored(cell: Mapping[str, Any]) -> EncodedAudio:
    """Return a cell of audio as it was before export, with the digest of what is in it now."""
    waveform = decode_bytes(cell["bytes"])
    return EncodedAudio(
        flac=cell["bytes"],
        sample_rate=waveform.sample_rate,
        num_samples=waveform.samples.size,
        digest=digest_of(cell["bytes"]),
    )
