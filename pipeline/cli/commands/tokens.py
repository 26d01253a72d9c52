"""``tokens``: a dataset's pairs as codes of a DAC."""

from pathlib import Path

from pipeline.dataset.published import open_dataset
from pipeline.operations.token_text import require_tokens
from pipeline.operations.tokens import codec_facts_of, write_tokens
from pipeline.store.dataset_files import DatasetFiles
from pipeline.text import count, format_bytes, say
from schemas import UserError
from stages.networks.codec_tokens import load_tokenizer
from stages.weights.files import weights_digest


def tokens_command(
    dataset: Path,
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
    published = open_dataset(DatasetFiles(dataset))
    digest = weights_digest(codec)
    tokenizer = load_tokenizer(codec, device, num_codebooks)
    facts = codec_facts_of(tokenizer, digest)
    if text_tokenizer is not None:
        require_tokens(text_tokenizer, facts.num_codebooks, facts.codebook_size)
    files = write_tokens(published, tokenizer, facts, out, "text" if form == "text" else "codes")
    pairs = sum(each.rows for each in files.values())
    frames_per_s = facts.sample_rate / facts.hop_samples
    say(f"{count(pairs, 'pair')} in {out}, {format_bytes(sum(each.num_bytes for each in files.values()))}")
    books = count(facts.num_codebooks, "codebook")
    say(f"{books} of {facts.codebook_size:,}, {frames_per_s:.1f} frames a second")
