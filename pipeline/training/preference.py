"""DPO of a trained generator on pairs of a dataset, watched on pairs that it does not learn from."""

import copy
import hashlib
import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch.utils.data import DataLoader

from pipeline.dpo.batch import PairBatch, collate
from pipeline.dpo.loss import anchored, dpo_loss
from pipeline.dpo.rewards import PairRewards
from pipeline.dpo.selection import Selection
from pipeline.dpo.stream import PairExample, PairStream
from pipeline.training.lessons import GainLesson
from pipeline.training.sides import Sides
from pipeline.training.trainer import require_finite
from schemas import UserError
from stages.networks.generative.spectra import GENERATIVE_SAMPLE_RATE
from stages.operators.rng import rng_for


@dataclass(frozen=True, slots=True)
class Preferences:
    """How a model is to learn from pairs."""

    beta: float
    anchor: float
    """Weight of the chosen side's own loss."""
    learning_rate: float
    batch_size: int
    crop_s: float
    held_out: float
    """Share of inputs whose pairs are watched instead of learnt from."""
    seed: int
    min_strength: float | None = None
    max_pairs: int | None = None
    """Pairs that are learnt from at most: those whose names come first when all are hashed."""
    keep: Literal["best", "last"] = "best"
    """Which weights are kept: those that do best on what is watched, or those of the last step."""
    random_labels: bool = False
    """A control: which side counts as chosen is drawn by the pair's name."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What held-out pairs say after so many steps."""

    step: int
    loss: float
    """Of preferences and anchor together."""
    chosen_loss: float
    """Of the chosen side alone: rising, the model forgets how to restore."""
    rewards: PairRewards

    def __str__(self) -> str:
        chosen, rejected, margin, accuracy = (float(each) for each in self.rewards)
        return (
            f"step {self.step:4d}: loss {self.loss:.4f}, chosen side's own {self.chosen_loss:.4f}; rewards: "
            f"chosen {chosen:+.3f}, rejected {rejected:+.3f}, margin {margin:+.3f}, accuracy {accuracy:.0%}"
        )

    @property
    def row(self) -> dict[str, float]:
        """As a row of a curve."""
        named = zip(("chosen", "rejected", "margin", "accuracy"), map(float, self.rewards), strict=True)
        return {"step": float(self.step), "loss": self.loss, "chosen_loss": self.chosen_loss, **dict(named)}

    @classmethod
    def from_row(cls, row: Mapping[str, float]) -> "Watched":
        """Return what ``row`` says."""
        named = (torch.tensor(row[name]) for name in ("chosen", "rejected", "margin", "accuracy"))
        return cls(int(row["step"]), row["loss"], row["chosen_loss"], PairRewards(*named))


class PairSource:
    """Pairs of one model, those that are learnt from and those that are watched, in batches."""

    def __init__(self, dataset: str | Path, model: str, how: Preferences) -> None:
        """Read the names of the model's pairs. Raises ``UserError`` if there are none."""
        self._dataset, self._model, self._how = dataset, model, how
        self._names = [each.pair_id for each in self._stream(seed=None)]
        if not self._names:
            raise UserError(
                f"{self._dataset} has no pairs within the model {self._model!r}: a run makes them with "
                "'pairs: {between: same_model}' and several takes of it"
            )

    @property
    def digest(self) -> str:
        """Of the names of all pairs."""
        return hashlib.sha256("\n".join(self._names).encode()).hexdigest()

    def learn(self) -> Iterator[PairBatch]:
        """Walk the pairs epoch after epoch. Raises ``UserError`` if there are none."""
        stream = self._stream(seed=self._how.seed)
        names = self._names_to_learn()
        for epoch in itertools.count():
            stream.set_epoch(epoch)
            examples = [self._label(each) for each in stream if each.pair_id in names]
            loader = DataLoader(examples, batch_size=self._how.batch_size, collate_fn=collate)
            yield from loader

    def watched(self) -> list[PairBatch]:
        """Return the pairs that are not learnt from.

        Raises ``UserError`` if there are none.
        """
        found = (each for each in self._stream(seed=None) if self._is_held_out(each.pair_id))
        examples = [self._label(each) for each in found]
        if not examples:
            raise UserError(
                f"no pair of {self._dataset} is left to watch: it has too few inputs for --held-out "
                f"{self._how.held_out:g}"
            )
        size = self._how.batch_size
        return [collate(examples[start : start + size]) for start in range(0, len(examples), size)]

    def _stream(self, seed: int | None) -> PairStream:
        selection = Selection(models=frozenset({self._model}), min_strength=self._how.min_strength)
        return PairStream(
            self._dataset,
            sample_rate=GENERATIVE_SAMPLE_RATE,
            crop_s=self._how.crop_s,
            seed=seed,
            selection=selection,
            with_clean=False,
        )

    def _names_to_learn(self) -> frozenset[str]:
        names = [name for name in self._names if not self._is_held_out(name)]
        if not names:
            raise UserError(
                f"all pairs of {self._dataset} are watched and none is left to learn from: it has too few "
                f"inputs for --held-out {self._how.held_out:g}"
            )
        return frozenset(sorted(names, key=_place_of)[: self._how.max_pairs])

    def _label(self, example: PairExample) -> PairExample:
        """Return the pair, or with random labels half of the time the other way round."""
        if not self._how.random_labels or _place_of(f"{self._how.seed} {example.pair_id}") < 0.5:  # noqa: PLR2004
            return example
        return replace(example, chosen=example.rejected, rejected=example.chosen)

    def _is_held_out(self, pair_id: str) -> bool:
        """Whether the input of a pair is watched: by its name, so that all its pairs are."""
        return is_held_out(pair_id, self._how.held_out)


def is_held_out(pair_id: str, share: float) -> bool:
    """Return whether the input of a pair is among the ``share`` of inputs that are watched."""
    return _place_of(pair_id.rpartition("/")[0]) < share


def _place_of(name: str) -> float:
    """Return a number from 0 to 1 that a name always has."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64


class PreferenceTrainer:
    """A generator, its frozen reference, and the optimiser that leads one away from the other."""

    def __init__(self, lesson: GainLesson, how: Preferences) -> None:
        self.lesson, self._how = lesson, how
        self._reference: Any = copy.deepcopy(lesson.network).requires_grad_(requires_grad=False)
        self._optimizer = torch.optim.AdamW(lesson.network.parameters(), how.learning_rate, weight_decay=0.0)
        self.steps_done = 0

    def step(self, batch: PairBatch) -> None:
        """Move the weights against the gradient of preferences and anchor."""
        rng = rng_for(self._how.seed, "dpo", self.lesson.kind, self.steps_done)
        generator = torch.Generator().manual_seed(int(rng.integers(2**62)))
        ratios, chosen_loss = self._compare(batch, generator)
        loss = anchored(dpo_loss(ratios, self._how.beta), chosen_loss, self._how.anchor).mean()
        self._optimizer.zero_grad()
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_(self.lesson.network.parameters(), 1.0)
        require_finite(norm, self.steps_done)
        self._optimizer.step()
        self.steps_done += 1

    def watch(self, batches: list[PairBatch]) -> Watched:
        """Return what held-out pairs say, always with the same draws."""
        generator = torch.Generator().manual_seed(0)
        ratios, losses = [], []
        with torch.no_grad():
            for batch in batches:
                found, chosen_loss = self._compare(batch, generator)
                ratios.append(found)
                losses.append(chosen_loss)
        both = type(ratios[0])(*(torch.cat(each) for each in zip(*ratios, strict=True)))
        chosen = torch.cat(losses)
        loss = anchored(dpo_loss(both, self._how.beta), chosen, self._how.anchor).mean()
        rewards = PairRewards.of(both, self._how.beta).mean()
        return Watched(self.steps_done, float(loss), float(chosen.mean()), rewards)

    @property
    def state(self) -> dict[str, Any]:
        """Tensors and numbers, as ``restore_state`` takes them."""
        return {
            "network": self.lesson.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "steps_done": self.steps_done,
        }

    def restore_state(self, state: Mapping[str, Any]) -> None:
        """Go back to the moment when ``state`` was taken."""
        self.lesson.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.steps_done = state["steps_done"]

    def weights(self) -> Mapping[str, torch.Tensor]:
        """Return a copy of the weights as they are now."""
        return {name: value.clone() for name, value in self.lesson.network.state_dict().items()}

    def _compare(self, batch: PairBatch, generator: torch.Generator) -> Any:
        device = next(self.lesson.network.parameters()).device
        sides = Sides.of(batch.to(device), self.lesson.estimator)
        return self.lesson.compare(self._reference, sides, generator)
