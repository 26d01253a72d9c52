"""Restoring: several takes of one model, put back where the input was in time and level."""

import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np

from schemas import Degraded, EncodedAudio, Outcome, Params, Reason, Restored, Status, Take
from stages.audio.cache import AudioCache
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.operators.distributions import Distribution
from stages.operators.restorer import Restorer
from stages.operators.rng import rng_for
from stages.restore.calls import ModelCalls, ModelRequest, group_by_length, load_model, prefetched
from stages.restore.first_start import start_first
from stages.restore.fitting import ModelInput
from stages.restore.takes import TakeRequest, outcome_of, without_clean, without_duplicates
from stages.runtime.attempt import attempt
from stages.stage import ModelTime, Stage

VERSION = 7
"""Rises when the same records and settings would give other rows."""


class RestoreStage(Stage[Degraded, Restored]):
    """One model, applied ``num_takes`` times to each degraded utterance.

    Takes of a model that samples differ by their stream; others by settings that are drawn, for every
    take if ``draws`` says how, else for those after the first by the model's own ``draws``.
    """

    def __init__(
        self,
        name: str,
        restorer: Restorer,
        *,
        num_takes: int,
        draws: Mapping[str, Distribution],
        seed: int,
        cache: AudioCache,
    ) -> None:
        self.name = name
        self.restorer = restorer
        self.num_takes = num_takes
        self.draws = draws
        self.seed = seed
        self.cache = cache
        self._calls = ModelCalls()
        self._has_started = not restorer.is_tried_first

    def load(self, device: str) -> None:
        """Load the model. Raises ``RunError`` if the device cannot compute as its settings say."""
        self._calls.device = device
        load_model(self.restorer, device)

    def name_of(self, record: Degraded) -> str:
        """Return the id of the degraded utterance."""
        return record.id

    @property
    def model_time(self) -> ModelTime:
        """What calls of the model have taken so far."""
        return self._calls.time

    def batches(self, records: Sequence[Degraded]) -> Iterator[Sequence[Degraded]]:
        """Group records of about one length, as many as the model takes at once, or give them one by one.

        While a batch is processed, the audio of the next is decoded and resampled.
        """
        return prefetched(self._groups(records), self._prepare)

    def process(self, batch: Sequence[Degraded]) -> Sequence[Restored]:
        """Return all takes of each record; what a take raises is the reason in its place."""
        if not self._has_started:
            self._start_first(batch)
        requests = [list(self._take_requests(record)) for record in batch]
        takes = iter(self._takes([request for row in requests for request in row]))
        return [
            self._row(record, [next(takes) for _ in row]) for record, row in zip(batch, requests, strict=True)
        ]

    def _start_first(self, batch: Sequence[Degraded]) -> None:
        """Give the model clean speech, if there is any in ``batch``, and say what is suspicious."""
        for clean in (record.clean for record in batch if record.is_ok and record.clean is not None):
            self._has_started = True
            speech = self.cache.waveform(clean)
            attempt(
                f"{self.name} on clean speech",
                partial(start_first, self.restorer, self.name, self._calls.device, speech),
            )
            return

    def without_value(self, record: Degraded, outcome: Outcome) -> Restored:
        """Return a row whose takes all ended with ``outcome``."""
        takes = tuple(
            Take(**outcome.fields, take=take, settings=self._settings(record, take))
            for take in range(self.num_takes)
        )
        return Restored(**outcome.fields, id=record.id, model=self.name, takes=takes)

    def _groups(self, records: Sequence[Degraded]) -> Iterator[Sequence[Degraded]]:
        if not self._calls.can_share_batches(self.restorer):
            return super().batches(records)
        named = sorted(records, key=self.name_of)
        return group_by_length(named, self._size, self.restorer.batch_s)

    def _prepare(self, batch: Sequence[Degraded]) -> None:
        for record in batch:
            if record.degraded is None:
                continue
            if self._size(record)[1] < record.degraded.duration_s:  # chunks are resampled one by one
                self.cache.waveform(record.degraded)
            else:
                self._open_input(record.degraded)

    def _size(self, record: Degraded) -> tuple[int, float]:
        """Return how many inputs a record will be about, and how long, before its audio is opened."""
        if record.degraded is None:
            return 0, 0.0
        duration_s = record.degraded.duration_s
        longest_s = min(duration_s, self.restorer.chunk_s or duration_s)
        return self.num_takes * math.ceil(duration_s / longest_s), longest_s

    def _row(self, record: Degraded, takes: Sequence[Take]) -> Restored:
        if not takes:
            skipped = Outcome(status=Status.SKIPPED, reason=Reason.NO_VALUE_UPSTREAM)
            return Restored(**skipped.fields, id=record.id, model=self.name)
        kept = without_duplicates(without_clean(takes, record.clean))
        return Restored(**outcome_of(kept).fields, id=record.id, model=self.name, takes=tuple(kept))

    def _take_requests(self, record: Degraded) -> Iterator[TakeRequest]:
        audio = record.degraded
        if not record.is_ok or audio is None:
            return
        model_input = attempt(
            f"{self.name} {record.id}", lambda: ModelInput(self.cache.waveform(audio), self.restorer)
        )
        for take in range(self.num_takes):
            name = f"{self.name} {record.id} take {take}"
            settings = self._settings(record, take)
            model = attempt(name, partial(self.restorer.with_settings, settings))
            stream = partial(rng_for, self.seed, "take", self.name, record.id, take)
            asked = (
                () if model_input.value is None else self._requests(name, audio, model_input.value, stream)
            )
            yield TakeRequest(name, take, settings, model_input, model, tuple(asked))

    def _settings(self, record: Degraded, take: int) -> Params:
        draws = self.draws
        if not draws and take > 0 and not self.restorer.sampling:
            draws = self.restorer.draws
        rng = rng_for(self.seed, "settings", self.name, record.id, take)
        return {field: draws[field].draw(rng, {}) for field in sorted(draws)}

    def _requests(
        self,
        name: str,
        audio: EncodedAudio,
        model_input: ModelInput,
        stream: Callable[..., np.random.Generator],
    ) -> Iterator[ModelRequest]:
        """Yield the whole recording, or each of its chunks, with a stream of its own."""
        for part, chunk in model_input.named_chunks:
            rate = self.restorer.sample_rate or chunk.sample_rate
            given = partial(resample, chunk, rate) if part else partial(self._open_input, audio)
            asked = " ".join(map(str, (name, *part)))
            yield ModelRequest(asked, chunk.duration_s, given, partial(stream, *part))

    def _open_input(self, audio: EncodedAudio) -> Waveform:
        return self.cache.waveform(audio, self.restorer.sample_rate)

    def _takes(self, requests: Sequence[TakeRequest]) -> list[Take]:
        """Return what becomes of each request; those under the same settings may share calls."""
        alike: dict[str, list[int]] = {}
        for place, request in enumerate(requests):
            alike.setdefault(json.dumps(request.settings, sort_keys=True), []).append(place)
        takes: dict[int, Take] = {}
        for places in alike.values():
            takes.update(zip(places, self._request_takes([requests[place] for place in places]), strict=True))
        return [takes[place] for place in range(len(requests))]

    def _request_takes(self, requests: Sequence[TakeRequest]) -> list[Take]:
        """Return the takes of requests that have one model."""
        model = requests[0].model.value
        if model is None:
            return [request.finish(()) for request in requests]
        of_model = [each for request in requests for each in request.requests]
        results = iter(self._calls.results(model, of_model))
        return [request.finish([next(results) for _ in request.requests]) for request in requests]
