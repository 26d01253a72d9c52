"""``replay``: a published row is made again, step by step, and compared bit for bit."""

import json
from collections.abc import Iterator

from pydantic import JsonValue

from pipeline.dataset.description import read_description
from pipeline.dataset.published import find_published_row
from pipeline.operations.replay import Replay, Replayer
from pipeline.store.dataset_files import DatasetFiles
from pipeline.store.workspace import Workspace
from pipeline.text import align_columns, say
from schemas import AppliedStep, Fact, IntegrityError, OperatorSpec


def replay_command(dataset: DatasetFiles, row: str, workspace: Workspace) -> None:
    """Print what each step did and both digests. Raises ``IntegrityError`` if the row says something else."""
    published = find_published_row(dataset, row)
    replay = Replayer(workspace, read_description(dataset)).replay(published)
    for line in replay_lines(replay):
        say(line)
    if not replay.is_equal:
        raise IntegrityError(f"{replay.row.pair_id} is not what the recipe makes here")
    if replay.untrue_steps:
        raise IntegrityError(f"what {replay.row.pair_id} says of its steps is not what they did here")


def replay_lines(replay: Replay) -> Iterator[str]:
    """Yield the utterance, its steps, and what came out."""
    row, audio = replay.row, replay.utterance
    utterance = row.texts["utterance_id"]
    yield f"{row.pair_id}: utterance {utterance}, {audio.duration_s:.2f} s at {audio.sample_rate} Hz"
    steps = zip(row.steps, replay.applied, row.applied, strict=True)
    for number, (step, applied, published) in enumerate(steps, start=1):
        yield f"{number}. {step.kind}: {_settings(step)}"
        yield f"   measured: {_facts(applied)}"
        if number in replay.untrue_steps:
            yield f"   NOT as published: {_facts(published)}"
    lines = [("", "published", "made again")]
    lines += [(side, row.digests[side], replay.digests.get(side, "")) for side in row.digests]
    yield from align_columns(lines, left=3)
    yield "the same, bit for bit" if replay.is_equal else "NOT the same"


def _facts(step: AppliedStep) -> str:
    return ", ".join(f"{name} {_format_value(value)}" for name, value in sorted(step.facts.items()))


def _settings(step: OperatorSpec) -> str:
    return ", ".join(
        f"{name} {_format_value(value)}" for name, value in step.params.items() if value is not None
    )


def _format_value(value: JsonValue | Fact) -> str:
    if isinstance(value, dict) and "digest" in value:
        return f"{value['pool']}:{value['id']}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_format_value, value))}]"
    return f"{value:g}" if isinstance(value, float) else json.dumps(value).strip('"')
