"""The audio that a worker has decoded lately, at the rates it was needed at."""

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock

from schemas import EncodedAudio
from stages.audio.flac import decode_flac
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform

NUMBERS_HELD = 65_536


class AudioCache:
    """Decoded and resampled copies, least recently used first out, at most ``max_bytes``.

    Only a cache: a result never depends on what is in it. Threads may share it.
    """

    def __init__(self, max_bytes: int = 256 * 2**20) -> None:
        self._max_bytes = max_bytes
        self._held: OrderedDict[tuple[str, ...], Waveform] = OrderedDict()
        self._bytes = 0
        self._lock = Lock()
        self._numbers: OrderedDict[tuple[str, ...], float] = OrderedDict()

    def waveform(self, audio: EncodedAudio, sample_rate: int | None = None) -> Waveform:
        """Return ``audio`` at ``sample_rate``, or at its own."""
        stored = self.get((audio.digest,), lambda: decode_flac(audio))
        if sample_rate is None or sample_rate == stored.sample_rate:
            return stored
        return self.get((audio.digest, str(sample_rate)), lambda: resample(stored, sample_rate))

    def get(self, name: tuple[str, ...], make: Callable[[], Waveform]) -> Waveform:
        """Return what is held under ``name``, made by ``make`` if it is not there yet."""
        with self._lock:
            if name in self._held:
                self._held.move_to_end(name)
                return self._held[name]
        waveform = make()
        with self._lock:
            self._hold(name, waveform)
        return waveform

    def number(self, name: tuple[str, ...], make: Callable[[], float]) -> float:
        """Return the number that is held under ``name``, or what ``make`` finds it to be."""
        with self._lock:
            if name in self._numbers:
                return self._numbers[name]
        figure = make()
        with self._lock:
            self._numbers[name] = figure
            if len(self._numbers) > NUMBERS_HELD:
                self._numbers.popitem(last=False)
        return figure

    def _hold(self, name: tuple[str, ...], waveform: Waveform) -> None:
        if name in self._held:  # made twice at once
            return
        self._held[name] = waveform
        self._bytes += waveform.samples.nbytes
        while self._bytes > self._max_bytes and len(self._held) > 1:
            _, dropped = self._held.popitem(last=False)
            self._bytes -= dropped.samples.nbytes
