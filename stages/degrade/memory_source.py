"""Pools held in memory: for small runs, for pools that are made on the spot, and for trying things out."""

from collections.abc import Mapping

from schemas import AudioRef, EncodedAudio, IntegrityError, OperatorSpec
from stages.audio.cache import AudioCache
from stages.audio.flac import encode_flac
from stages.audio.waveform import Waveform
from stages.degrade.loaded_restorers import LoadedRestorers


class MemoryAudioSource:
    """Recordings by pool and id, as they would be stored: 24 bits, peak at most 1."""

    def __init__(self) -> None:
        self._recordings: dict[tuple[str, str], tuple[EncodedAudio, Mapping[str, float]]] = {}
        self._cache = AudioCache()
        self._restorers = LoadedRestorers()

    def add(
        self,
        pool: str,
        id: str,  # noqa: A002 - what references call it
        waveform: Waveform,
        facts: Mapping[str, float] | None = None,
    ) -> AudioRef:
        """Store ``waveform`` with what is known of it, and return the reference to it."""
        if (pool, id) in self._recordings:
            raise ValueError(f"pool {pool!r} already has a recording {id!r}")
        audio = encode_flac(waveform)
        self._recordings[pool, id] = audio, dict(facts or {})
        return _ref(pool, id, audio)

    def refs(self, pool: str) -> tuple[AudioRef, ...]:
        """Return references to all recordings of ``pool``, in the order in which they were added."""
        return tuple(
            _ref(name, id_, audio) for (name, id_), (audio, _) in self._recordings.items() if name == pool
        )

    def read(self, ref: AudioRef, sample_rate: int) -> Waveform:
        """Return the recording at ``sample_rate``."""
        return self._cache.waveform(self._find(ref)[0], sample_rate)

    def facts(self, ref: AudioRef) -> Mapping[str, float]:
        """Return what is known of the recording."""
        return self._find(ref)[1]

    def apply_restorer(self, spec: OperatorSpec, speech: Waveform, seed: int) -> Waveform:
        """Return ``speech`` as the restorer gives it back."""
        return self._restorers.apply_restorer(spec, speech, seed)

    def _find(self, ref: AudioRef) -> tuple[EncodedAudio, Mapping[str, float]]:
        try:
            return self._recordings[ref.pool, ref.id]
        except KeyError:
            raise IntegrityError(f"pool {ref.pool!r} has no recording {ref.id!r}") from None


def _ref(pool: str, id_: str, audio: EncodedAudio) -> AudioRef:
    return AudioRef(
        pool=pool, id=id_, digest=audio.digest, sample_rate=audio.sample_rate, num_samples=audio.num_samples
    )
