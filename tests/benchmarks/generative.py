"""How good the project's own generative restorers are, on speech, noises and rooms that no training heard.

    python -m tests.benchmarks.generative --speech FOLDER --noise FOLDER --responses FOLDER --out FOLDER
        [--weights FOLDER] [--models fm mgm ar] [--takes 5] [--temperatures LOW HIGH] [--nisqa FILE]

Two ordinary runs, one with SNR from 5 to 20 dB and simulated rooms whose T60 is at most 0.5 s, one with −5 to
5 dB and the responses that were given, one mixture of each utterance in either. Printed for each restorer,
over both and apart: the mean of every score over all takes, and the share of comparisons within it that are
unanimous, and that by more than the scores' noise floors. The runs are kept in --out and taken up. With
--temperatures each take has one of its own, drawn evenly between the two.
"""

import argparse
import itertools
import os
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

from pipeline.config.resolve import ResolvedConfig, resolve
from pipeline.execution.local import LocalExecutor
from pipeline.execution.worker import Worker
from pipeline.operations.run import execute
from pipeline.store.workspace import Workspace
from pipeline.text import align_columns

OTHERS = ("identity", "wiener", "spectral_gate", "gtcrn")
SCORES = ("dnsmos_ovrl", "nisqa_mos", "distill_mos", "pesq", "estoi", "ge2e_speaker_similarity")
METRICS_RUN = ("dnsmos", "pesq", "estoi", "ge2e_speaker_similarity", "distill_mos")
Row = Mapping[str, Any]


def config_of(arguments: argparse.Namespace, name: str) -> dict[str, Any]:
    """Return the run of one half: ``easy`` or ``hard``."""
    snr_db, rooms = {
        "easy": ([5, 20], {"rooms": 12, "rt60_s": [0.15, 0.5]}),
        "hard": ([-5, 5], {"path": str(arguments.responses.resolve())}),
    }[name]
    where = {"path": str(arguments.weights.resolve())} if arguments.weights else {}
    drawn = {"temperature": {"uniform": arguments.temperatures}} if arguments.temperatures else {}
    nisqa = [{"kind": "nisqa", "path": str(arguments.nisqa.resolve())}] if arguments.nisqa else []
    return {
        "name": f"generative_{name}",
        "seed": 101 if name == "easy" else 202,
        "shard_seconds": 60,
        "speech": [{"name": "speech", "path": str(arguments.speech.resolve())}],
        "ingest": {"sample_rate": 16_000, "max_duration_s": 12},
        "pools": {"noise": [{"path": str(arguments.noise.resolve())}], "rir": [rooms]},
        "degradations": {
            "level": "joint_peak",
            "chain": [
                {"kind": "reverb", "probability": 0.5, "target": "early", "pre_ms": 1, "early_ms": 5},
                {"kind": "bandwidth", "probability": 0.3, "sample_rate_hz": {"one_of": [4_000, 8_000]}},
                {"kind": "noise", "snr_db": {"uniform": snr_db}, "snr_definition": "rms_active"},
            ],
        },
        "restorers": [
            *({"kind": kind} for kind in OTHERS),
            *({"kind": kind, "takes": arguments.takes, **where, **drawn} for kind in arguments.models),
        ],
        "metrics": [
            *({"kind": kind} for kind in METRICS_RUN),
            *nisqa,
        ],
        "preference": {
            "criteria": ["distill_mos", "dnsmos_ovrl", "pesq", "estoi", "ge2e_speaker_similarity"],
            "pairs": {"between": "same_model" if arguments.models else "any", "keep": "all"},
        },
    }


def run_half(arguments: argparse.Namespace, name: str) -> tuple[ResolvedConfig, list[Row]]:
    """Bring one half to its end, and return its config and the scores of all takes."""
    arguments.out.mkdir(parents=True, exist_ok=True)
    path = arguments.out / f"{name}.yaml"
    path.write_text(yaml.safe_dump(config_of(arguments, name), sort_keys=False), encoding="utf-8")
    run = resolve(path)
    workspace = Workspace(arguments.out / name)
    execute(run, workspace, lambda *_: LocalExecutor(Worker(workspace)))
    files = sorted((workspace.root / "dataset" / "scores").glob("*.parquet"))
    rows = [row for file in files for row in pq.read_table(file).to_pylist()]
    heard = [row for row in rows if row["status"] == "ok"]
    return run, [{**row, "degraded_id": f"{name} {row['degraded_id']}"} for row in heard]


def unanimous_shares(run: ResolvedConfig, rows: Sequence[Row]) -> tuple[float, float]:
    """Return which share of comparisons within inputs is unanimous, and which by more than noise floors."""
    inputs = defaultdict(list)
    for row in rows:
        inputs[row["degraded_id"]].append(row)
    votes = []
    for takes in inputs.values():
        for first, second in itertools.combinations(takes, 2):
            both = [(first[each.metric], second[each.metric], each) for each in run.criteria]
            if all(a is not None and b is not None for a, b, _ in both):
                votes.append([float(each.advantage(a, b)) / each.scale for a, b, each in both])
    if not votes:
        return np.nan, np.nan
    table = np.array(votes)
    return tuple(
        float(np.mean((table > least).all(axis=1) | (table < -least).all(axis=1))) for least in (0.0, 1.0)
    )


def table_of(run: ResolvedConfig, rows: Sequence[Row]) -> Iterator[tuple[str, ...]]:
    """Yield a line for each restorer."""
    heard = [score for score in SCORES if any(row.get(score) is not None for row in rows)]
    yield ("restorer", *heard, "unanimous", "beyond floors")
    models = defaultdict(list)
    for row in rows:
        models[row["model"]].append(row)
    for model, takes in models.items():
        means = [np.mean([row[score] for row in takes if row[score] is not None]) for score in heard]
        shares = ("" if np.isnan(share) else f"{share:.1%}" for share in unanimous_shares(run, takes))
        yield (model, *(f"{mean:.3f}" for mean in means), *shares)


def main() -> None:
    """Run both halves and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("speech", "noise", "responses", "out"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--weights", type=Path, help="a folder of 'train'; those that ship without it")
    parser.add_argument("--nisqa", type=Path, help="weights of NISQA, which are not fetched")
    parser.add_argument("--models", nargs="*", default=["fm", "mgm", "ar"])
    parser.add_argument("--takes", type=int, default=5)
    parser.add_argument("--temperatures", type=float, nargs=2, metavar=("LOW", "HIGH"))
    arguments = parser.parse_args()
    found = {name: run_half(arguments, name) for name in ("easy", "hard")}
    run = found["easy"][0]
    for name, rows in {
        "both": [row for _, half in found.values() for row in half],
        **{name: half for name, (_, half) in found.items()},
    }.items():
        lines = align_columns(list(table_of(run, rows)))
        sys.stdout.write(
            f"\n{name}: {len({row['degraded_id'] for row in rows})} inputs\n" + "\n".join(lines) + "\n"
        )


if __name__ == "__main__":
    main()
