"""How fast damage is done: seconds of audio per second and core, for every degradation and every recipe.

    python -m tests.benchmarks.degradations [--seconds 10] [--repeats 5] [--utterances 24] [--only KIND …]

At 44.1 kHz. Degradations are timed alone; recipes with all that the stage does, two FLAC files of 24 bits
included. The recipe of AnyEnhance and GenSR-Pref is then done three ways on the same speech, noise and
responses, with the same probabilities and ranges: by this project, by audiomentations, and by a loop of numpy
and scipy as one writes it by hand, in turns, of which the medians are printed; and by this project on two
processes. Pools are decoded before the clock starts. Close other programs first.
"""

import argparse
import io
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from stages.threads import ONE_THREAD

os.environ.update(ONE_THREAD)

import numpy as np
import soundfile
import yaml

from pipeline.config.recipes import SHIPPED_RECIPES
from pipeline.text import align_columns, format_digits
from schemas import RecordError
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.degradations import DEGRADATIONS
from stages.degrade.memory_source import MemoryAudioSource
from stages.operators.degradation import Scene
from stages.operators.rng import rng_for
from tests.benchmarks import rivals
from tests.benchmarks.recipe_runner import RecipeRunner

RATE = 44_100
SPEECH = Path(__file__).parents[2] / "configs" / "speech"
GENSR_PREF = "aatc"


@dataclass(frozen=True, slots=True)
class Settings:
    """What the command line says."""

    seconds: float
    repeats: int
    utterances: int
    only: tuple[str, ...]


@cache
def sources(seconds: float) -> MemoryAudioSource:
    """Return pools of noise, responses and voices."""
    held = MemoryAudioSource()
    for number in range(4):
        rng = rng_for(number, "benchmark")
        noise = 0.1 * rng.standard_normal(int(30 * RATE))
        held.add("noise", f"noise-{number}", Waveform(noise.astype(np.float32), RATE))
        tail = 0.05 * rng.standard_normal(RATE // 2) * np.exp(-np.arange(RATE // 2) / 4_000)
        held.add("rir", f"room-{number}", Waveform(np.r_[np.zeros(200), 1.0, tail].astype(np.float32), RATE))
    for number in range(8):
        held.add("speech", f"voice-{number}", speech(seconds, number))
    return held


@cache
def speech(seconds: float, number: int = 0) -> Waveform:
    """Return bundled sentences in a row, at 44.1 kHz."""
    files = sorted(SPEECH.glob("**/*.flac"))
    parts: list[np.ndarray] = []
    while sum(part.size for part in parts) < seconds * RATE:
        samples, rate = soundfile.read(files[(number * 7 + len(parts)) % len(files)], dtype="float32")
        parts.append(resample(Waveform(np.ascontiguousarray(samples), rate), RATE).samples)
    return Waveform(np.concatenate(parts)[: int(seconds * RATE)], RATE)


def fastest_s(work: Callable[[int], object], repeats: int) -> float:
    """Return the median time of one call, after a call that is not counted."""
    work(0)
    times = []
    for number in range(repeats):
        started = time.process_time()
        work(number)
        times.append(time.process_time() - started)
    return float(np.median(times))


def operator_rows(settings: Settings) -> Iterator[tuple[str, ...]]:
    """Yield each degradation with its audio seconds per second: another draw each time."""
    held, scene = sources(settings.seconds), Scene(speech(settings.seconds), speech(settings.seconds))
    pools = {pool: held.refs(pool) for pool in ("noise", "rir", "speech")}
    for kind in settings.only or DEGRADATIONS:
        if kind not in DEGRADATIONS:
            continue
        drawn = [DEGRADATIONS[kind].drawn(rng_for(n, kind), pools) for n in range(max(1, settings.repeats))]
        try:
            took_s = fastest_s(lambda n, drawn=drawn: drawn[n].damage(scene, held), settings.repeats)  # type: ignore[misc]
        except RecordError as error:
            yield kind, str(error)
            continue
        yield kind, format_digits(settings.seconds / took_s)


def recipe_speed(name: str, settings: Settings) -> float:
    """Return audio seconds per second of a recipe, with all that the stage does."""
    content = yaml.safe_load((SHIPPED_RECIPES / f"{name}.yaml").read_text())
    clips = [speech(settings.seconds, number) for number in range(min(8, settings.utterances))]
    runner = RecipeRunner(content["chain"], sources(settings.seconds), clips)
    runner.run(range(len(clips)))  # decodes, and loads what is loaded late
    started = time.process_time()
    runner.run(range(settings.utterances))
    return settings.utterances * settings.seconds / (time.process_time() - started)


def rival_speed(rival: rivals.Rival, settings: Settings) -> float:
    """Return audio seconds per second of the same recipe, done by others, FLAC files included."""
    clips = [speech(settings.seconds, number).samples for number in range(min(8, settings.utterances))]
    for clip in clips:
        rival(clip)
    started = time.process_time()
    for number in range(settings.utterances):
        for side in rival(clips[number % len(clips)]):
            soundfile.write(io.BytesIO(), side, RATE, format="FLAC", subtype="PCM_24")
    return settings.utterances * settings.seconds / (time.process_time() - started)


def two_process_gain(settings: Settings) -> tuple[float, float]:
    """Return the speed of one process and of two at once, by wall time."""
    with ProcessPoolExecutor(2) as pool:
        list(pool.map(_recipe_task, [settings] * 2))  # starts and warms both
        one = _wall_s(pool, [settings])
        two = _wall_s(pool, [settings] * 2)
    seconds = settings.utterances * settings.seconds
    return seconds / one, 2 * seconds / two


def _recipe_task(settings: Settings) -> float:
    return recipe_speed(GENSR_PREF, settings)


def _wall_s(pool: ProcessPoolExecutor, tasks: Sequence[Settings]) -> float:
    """Return the longest time that a task needed at its work, its warming up not counted."""
    speeds = list(pool.map(_recipe_task, tasks))
    return tasks[0].utterances * tasks[0].seconds / min(speeds)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=10.0, help="length of an utterance")
    parser.add_argument(
        "--repeats", type=int, default=5, help="calls of each degradation, rounds of the three"
    )
    parser.add_argument("--utterances", type=int, default=24, help="utterances of each recipe")
    parser.add_argument("--only", nargs="*", default=[], help="degradations; all others are left out")
    arguments = parser.parse_args()
    settings = Settings(arguments.seconds, arguments.repeats, arguments.utterances, tuple(arguments.only))
    _print([("degradation", "audio s/s"), *operator_rows(settings)])
    _print([("recipe, with FLAC", "audio s/s"), *recipe_rows(settings)])
    _print(comparison_rows(settings))


def recipe_rows(settings: Settings) -> Iterator[tuple[str, ...]]:
    """Yield each recipe that ships with its speed."""
    for path in sorted(SHIPPED_RECIPES.glob("*.yaml")):
        yield path.stem, format_digits(recipe_speed(path.stem, settings))


def comparison_rows(settings: Settings) -> list[tuple[str, ...]]:
    """Return the recipe of GenSR-Pref done by three, and by two processes."""
    held = sources(settings.seconds)
    noises = [held.read(ref, RATE).samples for ref in held.refs("noise")]
    responses = [held.read(ref, RATE).samples for ref in held.refs("rir")]
    by_hand = rivals.hand_written_recipe(noises, responses, RATE)
    with rivals.audiomentations_recipe(noises, responses, RATE) as theirs:
        rounds = [
            (
                recipe_speed(GENSR_PREF, settings),
                rival_speed(theirs, settings),
                rival_speed(by_hand, settings),
            )
            for _ in range(max(1, settings.repeats))
        ]
    ours, library, loop = np.median(rounds, axis=0)
    one, two = two_process_gain(settings)
    return [
        ("GenSR-Pref's recipe, with FLAC", "audio s/s", "ours over it"),
        ("this project", format_digits(ours), "1"),
        ("audiomentations", format_digits(library), format_digits(ours / library)),
        ("a hand-written loop", format_digits(loop), format_digits(ours / loop)),
        ("this project, two processes", format_digits(two), f"{two / one:.2f} times one"),
    ]


def _print(rows: Sequence[Sequence[str]]) -> None:
    sys.stdout.write("\n".join(align_columns(rows)) + "\n\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
