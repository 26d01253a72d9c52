"""Gains as codes: residual k-means, each stage the code nearest to what the ones before have left."""

import torch
from torch import Tensor, nn

NUM_STAGES = 6
NUM_CODES = 256
_ROUNDS = 12


class GainCodes(nn.Module):
    """Codebooks (stages, codes, bands), learnt by k-means and not by gradients."""

    codebooks: Tensor

    def __init__(self, bands: int, stages: int = NUM_STAGES, codes: int = NUM_CODES) -> None:
        super().__init__()
        self.register_buffer("codebooks", torch.zeros(stages, codes, bands))

    def encode(self, gains: Tensor) -> Tensor:
        """Return codes (batch, stages, steps) of gains (batch, bands, steps)."""
        left = gains.transpose(1, 2)
        chosen = []
        for book in self.codebooks:
            nearest = find_nearest(left.reshape(-1, left.shape[-1]), book).reshape(left.shape[:2])
            chosen.append(nearest)
            left = left - book[nearest]
        return torch.stack(chosen, dim=1)

    def decode(self, codes: Tensor) -> Tensor:
        """Return gains (batch, bands, steps) of codes (batch, stages, steps)."""
        parts = [book[chosen] for book, chosen in zip(self.codebooks, codes.unbind(1), strict=True)]
        return torch.stack(parts).sum(dim=0).transpose(1, 2)

    def fit(self, gains: Tensor, generator: torch.Generator) -> None:
        """Learn all codebooks from gains (number, bands), stage after stage."""
        left = gains
        for book in self.codebooks:
            book.copy_(fit_codebook(left, len(book), generator))
            left = left - book[find_nearest(left, book)]


def find_nearest(vectors: Tensor, book: Tensor) -> Tensor:
    """Return the number of the nearest code (number,) for each vector (number, bands)."""
    return (book.square().sum(dim=1) - 2.0 * vectors @ book.T).argmin(dim=1)


def fit_codebook(vectors: Tensor, codes: int, generator: torch.Generator) -> Tensor:
    """Return means (codes, bands) by Lloyd's rounds; a code that nothing is nearest to is drawn again."""
    book = vectors[torch.randperm(len(vectors), generator=generator)[:codes]].clone()
    for _ in range(_ROUNDS):
        nearest = find_nearest(vectors, book)
        counts = torch.bincount(nearest, minlength=codes)
        sums = torch.zeros_like(book).index_add_(0, nearest, vectors)
        again = vectors[torch.randint(len(vectors), (codes,), generator=generator)]
        book = torch.where(counts[:, None] > 0, sums / counts.clamp_min(1)[:, None], again)
    return book
