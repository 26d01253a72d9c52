"""The audio of rows: that it decodes, is what was exported, as long as is said, and so on all sides."""

from collections.abc import Iterator, Mapping
from typing import Any

import soundfile

from pipeline.dataset.published import DatasetRow
from pipeline.verify.findings import Finding, are_same
from schemas import EncodedAudio
from stages.audio.flac import decode_flac_bytes, digest_of

AUDIO_SIDES = ("degraded", "chosen", "rejected", "clean")


def audio_of(row: DatasetRow) -> tuple[Mapping[str, EncodedAudio], list[Finding]]:
    """Return the sides of a pair that can be decoded, and what is wrong with any of them."""
    audio, findings = {}, []
    for side in AUDIO_SIDES:
        try:
            audio[side] = _stored_audio_of(row[side])
        except (soundfile.LibsndfileError, TypeError) as error:
            findings.append(Finding(row["pair_id"], side, "mono FLAC", f"no audio: {error}"))
    for side, found in audio.items():
        findings += _side_findings(row, side, found)
        if not are_same(row["duration_s"], found.duration_s):
            findings.append(
                Finding(row["pair_id"], f"seconds of {side}", row["duration_s"], found.duration_s)
            )
    lengths = {side: found.num_samples for side, found in audio.items()}
    if len(set(lengths.values())) > 1:
        findings.append(Finding(row["pair_id"], "samples", "as many on all sides", lengths))
    return audio, findings


def recording_findings(row: DatasetRow) -> Iterator[Finding]:
    """Walk what is wrong with the audio of a row of ``candidates``; a take may have come to nothing."""
    try:
        found = None if row["audio"] is None else digest_of(row["audio"]["bytes"])
    except (soundfile.LibsndfileError, TypeError) as error:
        found = f"no audio: {error}"
    if found != row["digest"]:
        yield Finding(f"candidates/{row['candidate_id']}", "SHA-256 of audio", row["digest"], found)


def _side_findings(row: DatasetRow, side: str, found: EncodedAudio) -> Iterator[Finding]:
    published = row[f"{side}_digest"]
    if found.digest != published:
        yield Finding(row["pair_id"], f"SHA-256 of {side}", published, found.digest)
    if found.sample_rate != row["sample_rate"]:
        yield Finding(row["pair_id"], f"rate of {side} in Hz", row["sample_rate"], found.sample_rate)


def _stored_audio_of(cell: Mapping[str, Any]) -> EncodedAudio:
    """Return a cell of audio as it was before export, with the digest of what is in it now."""
    waveform = decode_flac_bytes(cell["bytes"])
    return EncodedAudio(
        flac=cell["bytes"],
        sample_rate=waveform.sample_rate,
        num_samples=waveform.samples.size,
        digest=digest_of(cell["bytes"]),
    )
