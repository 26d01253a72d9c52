"""``tokens``: a dataset's pairs as codes of a DAC."""

from pathlib import Path

from pipeline.dataset.published import open_dataset
from pipeline.operations.tokens import codec_facts_of, write_tokens
from pipeline.store.dataset_files import DatasetFiles
from pipeline.text import count, format_bytes, say
from stages.networks.codec_tokens import load_tokenizer
from stages.weights.files import weights_digest


def tokens_command(dataset: Path, codec: Path, out: Path, num_codebooks: int | None, device: str) -> None:
    """Write the tokens and say how many there are."""
    published = open_dataset(DatasetFiles(dataset))
    digest = weights_digest(codec)
    tokenizer = load_tokenizer(codec, device, num_codebooks)
    facts = codec_facts_of(tokenizer, digest)
    files = write_tokens(published, tokenizer, facts, out)
    pairs = sum(each.rows for each in files.values())
    frames_per_s = facts.sample_rate / facts.hop_samples
    say(f"{count(pairs, 'pair')} in {out}, {format_bytes(sum(each.num_bytes for each in files.values()))}")
    books = count(facts.num_codebooks, "codebook")
    say(f"{books} of {facts.codebook_size:,}, {frames_per_s:.1f} frames a second")
