"""What a training hears: utterances and pools of a config, ingested as in a run and kept for the next one."""

from collections import OrderedDict
from dataclasses import dataclass

import numpy as np

from pipeline.config.resolve import ResolvedConfig
from pipeline.execution.board import Board
from pipeline.execution.local import LocalExecutor
from pipeline.execution.worker import Worker
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import Graph, assemble
from pipeline.tables.table import TableReader
from pipeline.text import count, say
from schemas import ConfigError, EncodedAudio, Split, fingerprint_of
from stages.audio.flac import decode_flac
from stages.audio.waveform import Waveform
from stages.plan.conditions import Utterance

SHARDS_KEPT = 64
"""Some five hours of speech as FLAC, which is what a training keeps in memory at most."""


@dataclass(frozen=True, slots=True)
class Voice:
    """An utterance that can be drawn, and where it is."""

    shard: str
    row: int
    segment: int
    utterance: Utterance


class Material:
    """Finished tables of speech and pools, by side of the split."""

    def __init__(self, run: ResolvedConfig, workspace: Workspace) -> None:
        """Ingest what is not ingested yet, saying how far it is.

        Raises ``ConfigError`` for a side without speech: both train and validation need some.
        """
        self.run = run
        self.graph = _ingest(run, workspace)
        self.reader = TableReader(workspace.store)
        self.pools = self.reader.pools(self.graph.pools)
        self.sources = self.reader.audio_source(self.graph.pools)
        self._kept: OrderedDict[str, list[list[EncodedAudio]]] = OrderedDict()
        self._voices = self._list_voices()
        self._shares = {side: _shares(voices) for side, voices in self._voices.items()}
        for side in (Split.TRAIN, Split.VALIDATION):
            if not self._voices[side]:
                raise ConfigError(f"no speech is on the {side} side; see 'ingest.splits' in the config")

    @property
    def key(self) -> str:
        """Of all that is heard: recordings, pools, and how they are degraded."""
        return fingerprint_of([self.graph.degrade.key, *(shard.name for shard in self.graph.shards)])

    def duration_s(self, side: Split) -> float:
        """Return the seconds of speech on a side."""
        return sum(voice.utterance.duration_s for voice in self._voices[side])

    def draw_voice(self, side: Split, rng: np.random.Generator) -> Voice:
        """Return an utterance; any second of speech is as likely as any other."""
        place = int(np.searchsorted(self._shares[side], rng.uniform(), side="right"))
        return self._voices[side][min(place, len(self._voices[side]) - 1)]

    def read(self, voice: Voice) -> Waveform:
        """Return the utterance, decoded."""
        if voice.shard not in self._kept:
            rows = self.reader.rows(self.graph.ingest, voice.shard)
            self._kept[voice.shard] = [[each.audio for each in row.segments] for row in rows]
            while len(self._kept) > SHARDS_KEPT:
                self._kept.popitem(last=False)
        self._kept.move_to_end(voice.shard)
        return decode_flac(self._kept[voice.shard][voice.row][voice.segment])

    def _list_voices(self) -> dict[Split, list[Voice]]:
        found: dict[Split, list[Voice]] = {side: [] for side in Split}
        for shard in self.graph.shards:
            for number, row in enumerate(self.reader.rows(self.graph.ingest, shard.name, audio=False)):
                for place, segment in enumerate(row.segments):
                    utterance = Utterance(
                        id=segment.id,
                        source_id=row.id,
                        speaker=row.speaker,
                        digest=segment.audio.digest,
                        sample_rate=segment.audio.sample_rate,
                        duration_s=segment.audio.duration_s,
                        bandwidth_hz=segment.probe.bandwidth_hz,
                    )
                    found[row.split].append(Voice(shard.name, number, place, utterance))
        return found


def _shares(voices: list[Voice]) -> np.ndarray:
    """Return up to which share of all speech each utterance reaches."""
    ends = np.cumsum([voice.utterance.duration_s for voice in voices])
    return ends / ends[-1] if voices else ends


def _ingest(run: ResolvedConfig, workspace: Workspace) -> Graph:
    graph = assemble(run, workspace)
    wanted = {graph.ingest.folder, *(table.folder for table in graph.pools)}
    tickets = [ticket for ticket in graph.tickets if ticket.table.folder in wanted]
    there = {(folder, shard) for folder in wanted for shard in workspace.store.shards(folder)}
    board = Board(tickets, there)
    if board.num_left:
        say(f"ingests {count(board.num_left, 'shard')} of speech and pools into {workspace.root}")
        with workspace.hold():
            LocalExecutor(Worker(workspace)).run(board, lambda _ticket, _result: None)
    return graph
