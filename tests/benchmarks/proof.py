"""What pairs do to the models that they are made of: DPO by unanimous pairs, by single votes, and by chance.

    python -m tests.benchmarks.proof --speech FOLDER --noise FOLDER --responses FOLDER
        --test-speech FOLDER --test-noise FOLDER --test-responses FOLDER --out FOLDER
        [--weights FOLDER] [--models fm mgm ar] [--takes 5] [--repeats 2] [--seeds 3] [--nisqa FILE]

Its parts are ordinary runs and trainings, each taken up where it was. A run makes takes of every model and
pairs within it; the same candidates are then decided anew by each vote alone. Every model is trained by as
many pairs of each kind for as many steps, and by unanimous pairs whose sides are drawn, with several seeds. A
last run restores unseen speech by all of them. Printed for each model, kind of pairs and score: the mean over
inputs of tuned less untuned, over all seeds, with a 95 % interval of the bootstrap over inputs.
"""

import argparse
import os
import shutil
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from stages.threads import ONE_THREAD

os.environ.update(ONE_THREAD)

import numpy as np
import pyarrow.parquet as pq
import yaml

from pipeline.cli.commands.option_groups import PreferenceOptions
from pipeline.cli.commands.train_generative import train_dpo_command
from pipeline.config.resolve import resolve
from pipeline.execution.local import LocalExecutor
from pipeline.execution.worker import Worker
from pipeline.operations.run import execute
from pipeline.store.workspace import Workspace
from pipeline.text import align_columns, say
from pipeline.training.preference import is_held_out
from stages.operators.rng import rng_for

UNANIMOUS, CHANCE = "unanimous", "chance"
VOTES = ("distill_mos", "dnsmos_ovrl", "pesq", "estoi", "ge2e_speaker_similarity")
HELD_OUT = ("dnsmos_p808", "nisqa_mos", "dvector_speaker_similarity", "si_sdr")
METRICS_RUN = (
    *("distill_mos", "dnsmos", "pesq", "estoi", "ge2e_speaker_similarity"),
    *("dvector_speaker_similarity", "si_sdr"),
)
RESAMPLINGS = 2_000
HELD_OUT_SHARE = 0.15
TEMPERATURES = {"uniform": [0.2, 1.2]}
"""Of the takes that pairs are made of: at one temperature they are too near one another to be told apart."""
ASPECTS = ("perceptual_quality", "signal_fidelity", "content_consistency", "timbre_preservation")
Config = dict[str, Any]


def base_config(arguments: argparse.Namespace, side: str) -> Config:
    """Return what both runs share: ``pairs``, and ``test`` on speech, noises and rooms of its own."""
    prefix = "test_" if side == "test" else ""
    where = {name: getattr(arguments, f"{prefix}{name}") for name in ("speech", "noise", "responses")}
    nisqa = [{"kind": "nisqa", "path": str(arguments.nisqa.resolve())}] if arguments.nisqa else []
    return {
        "name": f"proof_{side}",
        "seed": 1 if side == "pairs" else 2,
        "shard_seconds": 60,
        "speech": [{"name": "speech", "path": str(where["speech"].resolve())}],
        "ingest": {"sample_rate": 16_000, "max_duration_s": 8},
        "pools": {
            "noise": [{"path": str(where["noise"].resolve())}],
            "rir": [{"path": str(where["responses"].resolve())}, {"rooms": 12, "rt60_s": [0.15, 0.6]}],
        },
        "degradations": {
            "level": "joint_peak",
            "repeats": arguments.repeats if side == "pairs" else 1,
            "chain": [
                {"kind": "reverb", "probability": 0.5, "target": "early", "pre_ms": 1, "early_ms": 5},
                {"kind": "bandwidth", "probability": 0.3, "sample_rate_hz": {"one_of": [4_000, 8_000]}},
                {"kind": "noise", "snr_db": {"uniform": [-5, 20]}, "snr_definition": "rms_active"},
            ],
        },
        "metrics": [*({"kind": kind} for kind in METRICS_RUN), *nisqa],
    }


def preference_of(kind: str) -> Config:
    """Return the rule of pairs that all votes make, or one of them alone."""
    criteria = list(VOTES) if kind in {UNANIMOUS, CHANCE} else [kind]
    uncovered = {} if len(criteria) > 1 else {"uncovered": list(ASPECTS)}
    return {"criteria": criteria, **uncovered, "pairs": {"between": "same_model", "keep": "all"}}


def restorer_of(kind: str, takes: int, weights: Path | None, **settings: Any) -> Config:
    """Return a restorer of a config."""
    where = {} if weights is None else {"path": str(weights.resolve())}
    return {"kind": kind, "takes": takes, **where, **settings}


def finish(config: Config, place: Path) -> Path:
    """Bring a run to its end in ``place``, and return its dataset's folder."""
    place.mkdir(parents=True, exist_ok=True)
    path = place / f"{config['name']}.yaml"
    path.write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
    workspace = Workspace(place / "workspace")
    execute(resolve(path), workspace, lambda *_: LocalExecutor(Worker(workspace)))
    return workspace.root / "dataset"


def make_pairs(arguments: argparse.Namespace, kinds: Sequence[str]) -> dict[str, Path]:
    """Return a dataset for each kind of pairs, all of the same candidates."""
    config = base_config(arguments, "pairs")
    config["restorers"] = [
        restorer_of(kind, arguments.takes, arguments.weights, temperature=TEMPERATURES)
        for kind in arguments.models
    ]
    found = {}
    for kind in kinds:
        made = finish({**config, "preference": preference_of(kind)}, arguments.out / "pairs")
        found[kind] = arguments.out / "pairs" / kind
        shutil.rmtree(found[kind], ignore_errors=True)
        shutil.copytree(made, found[kind])
    return found


def count_pairs(dataset: Path, model: str) -> int:
    """Return how many pairs within a model there are to learn from, those that are watched left out."""
    files = sorted((dataset / "pairs").glob("*.parquet"))
    columns = ["pair_id", "chosen_model", "rejected_model"]
    rows = [row for file in files for row in pq.read_table(file, columns=columns).to_pylist()]
    return sum(
        row["chosen_model"] == row["rejected_model"] == model
        and not is_held_out(row["pair_id"], HELD_OUT_SHARE)
        for row in rows
    )


def tune(arguments: argparse.Namespace, datasets: Mapping[str, Path]) -> dict[tuple[str, str, int], Path]:
    """Train every model by every kind of pairs with every seed; return the folders of weights."""
    found = {}
    for model in arguments.models:
        most = min(count_pairs(dataset, model) for dataset in datasets.values())
        for kind, dataset in datasets.items():
            for seed in range(arguments.seeds):
                out = arguments.out / "tuned" / f"{model}-{kind}-{seed}"
                say(f"{model} by {most} pairs of {kind}, seed {seed}")
                options = PreferenceOptions(
                    weights=arguments.weights,
                    beta=arguments.beta,
                    anchor=arguments.anchor,
                    learning_rate=arguments.learning_rate,
                    batch_size=8,
                    crop_s=4.0,
                    held_out=HELD_OUT_SHARE,
                    min_strength=None,
                    max_pairs=most,
                    random_labels=kind == CHANCE,
                    steps=arguments.steps,
                    every=arguments.steps,
                    patience=arguments.steps,
                    keep="last",
                    seed=seed,
                    device="cpu",
                )
                train_dpo_command(model, str(dataset), out, options)
                found[model, kind, seed] = out / "weights"
    return found


def judging_config(arguments: argparse.Namespace, tuned: Mapping[tuple[str, str, int], Path]) -> Config:
    """Return the run that restores unseen speech by all models, tuned and not."""
    config = base_config(arguments, "test")
    untuned = [
        restorer_of(model, arguments.takes, arguments.weights, name=f"{model}-untuned-0")
        for model in arguments.models
    ]
    config["restorers"] = [
        *untuned,
        *(
            restorer_of(model, arguments.takes, weights, name=f"{model}-{kind}-{seed}")
            for (model, kind, seed), weights in tuned.items()
        ),
    ]
    return {**config, "preference": preference_of(UNANIMOUS)}


def judge(config: Config, out: Path) -> list[Mapping[str, Any]]:
    """Return the scores of all takes of unseen speech."""
    dataset = finish(config, out)
    files = sorted((dataset / "scores").glob("*.parquet"))
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    return [row for row in rows if row["status"] == "ok"]


def table_of(rows: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    """Yield for each model and kind of pairs what every score gained, with its interval."""
    scores = [score for score in (*VOTES, *HELD_OUT) if any(row.get(score) is not None for row in rows)]
    means: defaultdict[tuple[str, str], defaultdict[str, dict[str, list[float]]]]
    means = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for row in rows:
        model, kind, _ = row["model"].rsplit("-", 2)
        for score in scores:
            if row[score] is not None:
                means[model, kind][score][row["degraded_id"]].append(row[score])
    yield ("model", "pairs by", *scores)
    for (model, kind), of_scores in sorted(means.items()):
        if kind == "untuned":
            values = (np.mean([np.mean(takes) for takes in of_scores[score].values()]) for score in scores)
            yield (model, "(untuned)", *(f"{value:.3f}" for value in values))
            continue
        yield (model, kind, *(gain_of(means[model, "untuned"][score], of_scores[score]) for score in scores))


def gain_of(before: Mapping[str, Sequence[float]], after: Mapping[str, Sequence[float]]) -> str:
    """Return the mean gain over inputs with its 95 % interval; a star where that leaves 0 out."""
    shared = sorted(before.keys() & after.keys())
    gains = np.array([np.mean(after[name]) - np.mean(before[name]) for name in shared])
    drawn = rng_for(0, "bootstrap").integers(gains.size, size=(RESAMPLINGS, gains.size))
    low, high = np.percentile(gains[drawn].mean(axis=1), [2.5, 97.5])
    star = "*" if low > 0.0 or high < 0.0 else ""
    return f"{gains.mean():+.3f} [{low:+.3f}, {high:+.3f}]{star}"


def main() -> None:
    """Make pairs, train, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("speech", "noise", "responses", "test-speech", "test-noise", "test-responses", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--weights", type=Path, help="a folder of 'train'; those that ship without it")
    parser.add_argument("--nisqa", type=Path, help="weights of NISQA, which are not fetched")
    parser.add_argument("--models", nargs="+", default=["fm", "mgm", "ar"])
    parser.add_argument("--kinds", nargs="+", default=[UNANIMOUS, *VOTES, CHANCE])
    parser.add_argument("--takes", type=int, default=5)
    parser.add_argument("--repeats", type=int, default=2, help="mixtures of each utterance that pairs are of")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--beta", type=float, default=None)
    parser.add_argument("--anchor", type=float, default=1.0)
    parser.add_argument("--learning-rate", type=float, default=2e-5)
    arguments = parser.parse_args()
    tuned = tune(arguments, make_pairs(arguments, arguments.kinds))
    rows = judge(judging_config(arguments, tuned), arguments.out / "test")
    lines = align_columns(list(table_of(rows)), left=2)
    sys.stdout.write("\n".join([*lines, ""]))


if __name__ == "__main__":
    main()
