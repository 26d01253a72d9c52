"""A cache of audio that knows what it had to make, and how long that took."""

import time
from collections import Counter
from collections.abc import Callable

from stages.audio.cache import AudioCache
from stages.audio.waveform import Waveform


class TalliedCache(AudioCache):
    """Counts what was not there, as ``decoded`` or by what was made of a recording."""

    def __init__(self, max_bytes: int = 2**28) -> None:
        super().__init__(max_bytes)
        self.made: Counter[str] = Counter()
        self.took_s = 0.0

    def get(self, name: tuple[str, ...], make: Callable[[], Waveform]) -> Waveform:
        """Count by what follows the digest."""

        def making() -> Waveform:
            self.made[" ".join(name[1:]) or "decoded"] += 1
            return make()

        began_s, inner_s = time.perf_counter(), self.took_s
        waveform = super().get(name, making)
        self.took_s = inner_s + time.perf_counter() - began_s  # what was made on the way is in it
        return waveform

    def forget_counts(self) -> None:
        """Count from now on."""
        self.made.clear()
        self.took_s = 0.0

    def describe(self, whole_s: float) -> str:
        """Say what was made how often, and which share of the time that was."""
        made = ", ".join(f"{name} {times}" for name, times in sorted(self.made.items()))
        return f"made {made}, in {self.took_s / whole_s:.0%} of the time"
