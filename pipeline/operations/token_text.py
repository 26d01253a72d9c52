"""Codes of a codec as text tokens, for trainers of language models that know no audio.

A frame is one token per codebook, ``<|a0_17|><|a1_5|>…``, and frames follow one another: what a causal model
with these tokens in its vocabulary reads and writes as it is.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from schemas import UserError


def token_of(codebook: int, code: int) -> str:
    """Return the text token of a code."""
    return f"<|a{codebook}_{code}|>"


def text_of(codes: Sequence[Sequence[int]]) -> str:
    """Return codes (codebooks, frames) as text, frame by frame."""
    frames = np.asarray(codes).T
    return "".join(token_of(book, code) for frame in frames.tolist() for book, code in enumerate(frame))


def walk_token_names(num_codebooks: int, codebook_size: int) -> Iterator[str]:
    """Walk all tokens that texts are made of, codebook by codebook: what a vocabulary is extended by."""
    return (token_of(book, code) for book in range(num_codebooks) for code in range(codebook_size))


def require_tokens(tokenizer: Path, num_codebooks: int, codebook_size: int) -> None:
    """Raise ``UserError`` unless the tokenizer in a folder has each token as one of its own."""
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 - seconds

    try:
        loaded = PreTrainedTokenizerFast.from_pretrained(str(tokenizer), local_files_only=True)
    except (OSError, ValueError) as error:
        raise UserError(f"{tokenizer} is no folder with a tokenizer that can be read") from error
    known = loaded.get_vocab()
    missing = [name for name in walk_token_names(num_codebooks, codebook_size) if name not in known]
    if missing:
        raise UserError(
            f"the tokenizer in {tokenizer} lacks {len(missing):,} of "
            f"{num_codebooks * codebook_size:,} codes: first of all {missing[0]}; add what vocabulary.txt of "
            "the text form lists"
        )
