"""``tokens``: a dataset's pairs as codes of a DAC, or of this project's own codec."""

from pathlib import Path

from pipeline.config.named_models import own_codec_folder
from pipeline.dataset.published import open_dataset
from pipeline.operations.token_text import require_tokens
from pipeline.operations.tokens import OWN_CODEC, CodecFacts, SideTokenizer, codec_facts_of, write_tokens
from pipeline.store.dataset_files import DatasetFiles
from pipeline.text import count, format_bytes, say
from schemas import UserError
from stages.networks.codec_tokens import load_tokenizer
from stages.weights.files import weights_digest


def tokens_command(
    dataset: DatasetFiles,
    codec: Path,
    out: Path,
    num_codebooks: int | None,
    device: str,
    form: str = "codes",
    text_tokenizer: Path | None = None,
) -> None:
    """Write the tokens and say how many there are. Raises ``UserError`` for a form that there is not."""
    if form not in ("codes", "text"):
        raise UserError(f"tokens are written as codes or text, not as {form!r}")
    published = open_dataset(dataset)
    tokenizer, facts = _load_codec(codec, device, num_codebooks)
    if text_tokenizer is not None:
        require_tokens(text_tokenizer, facts.num_codebooks, facts.codebook_size)
    files = write_tokens(published, tokenizer, facts, out, "text" if form == "text" else "codes")
    pairs = sum(each.rows for each in files.values())
    frames_per_s = facts.sample_rate / facts.hop_samples
    say(f"{count(pairs, 'pair')} in {out}, {format_bytes(sum(each.num_bytes for each in files.values()))}")
    books = count(facts.num_codebooks, "codebook")
    say(f"{books} of {facts.codebook_size:,}, {frames_per_s:.1f} frames a second")


def _load_codec(codec: Path, device: str, num_codebooks: int | None) -> tuple[SideTokenizer, CodecFacts]:
    """Return the codec that a path, or ``ours``, stands for."""
    from stages.networks.generative.tokenizer import (  # noqa: PLC0415 - torch
        gain_tokenizer_digest,
        load_gain_tokenizer,
    )

    ours = own_codec_folder(codec)
    if ours is None:
        digest = weights_digest(codec)
        dac = load_tokenizer(codec, device, num_codebooks)
        return dac, codec_facts_of(dac, digest)
    own = load_gain_tokenizer(ours, device, num_codebooks)
    return own, codec_facts_of(own, gain_tokenizer_digest(ours), OWN_CODEC)
