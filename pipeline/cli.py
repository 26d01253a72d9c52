"""The command line: what a user types, in the words of the user."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from pipeline.resolve import Run, resolve
from pipeline.workspace import Workspace, open_workspace
from schemas import ConfigError, UnanimousError


def _examples(*commands: str) -> str:
    """Return the end of a command's help: what a user may type."""
    return "\n\n".join(["Examples:", *(f"  python -m pipeline {command}" for command in commands)])


app = typer.Typer(
    epilog=_examples("doctor", "run demo", "status runs/demo"),
    name="python -m pipeline",
    help="Build unanimous preference pairs for speech restoration: degrade clean speech, restore it with "
    "several models, score every restoration, and keep the pairs on which all metrics agree.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
CONFIGS = Path(__file__).parents[1] / "configs"

ConfigArgument = Annotated[
    str, typer.Argument(metavar="CONFIG", help="a YAML file; a bare name is looked up in configs/")
]
WorkspaceOption = Annotated[
    str | None,
    typer.Option(
        "--workspace", "-w", help="folder for tables and dataset", show_default="runs/<config name>"
    ),
]
CacheOption = Annotated[
    str | None,
    typer.Option(
        "--cache",
        metavar="FOLDER",
        help="where weights are kept; runs look in $UNANIMOUS_WEIGHTS",
        show_default="$UNANIMOUS_WEIGHTS, or ~/.cache/unanimous/weights",
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="A.B=VALUE", help="change one setting, e.g. --set restorers.0.takes=3; repeatable"
    ),
]
SpeechOption = Annotated[
    str | None, typer.Option("--speech", metavar="PATH", help="your own clean speech: a folder or manifest")
]
NoiseOption = Annotated[
    str | None, typer.Option("--noise", metavar="PATH", help="your own noise recordings, as the pool 'noise'")
]
ResponsesOption = Annotated[
    str | None, typer.Option("--responses", metavar="PATH", help="your own room responses, as the pool 'rir'")
]


def main() -> None:
    """Run the command line; a user's mistake is a message and an exit code, never a traceback."""
    try:
        app()
    except UnanimousError as error:
        sys.stdout.flush()
        sys.stderr.write(f"error: {error}\n")
        raise SystemExit(error.exit_code) from None


@app.command(
    epilog=_examples(
        "run demo",
        "run demo --speech ~/recordings --set restorers.1.takes=5",
        "run my.yaml --workspace /data/my --workers 8",
        "run my.yaml --retry-failed timed_out",
    )
)
def run(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    executor: Annotated[
        str, typer.Option(help="ray: all cores, or a cluster; local: this process alone; the same bytes")
    ] = "ray",
    workers: Annotated[
        int | None, typer.Option(min=1, help="worker processes", show_default="one per core")
    ] = None,
    assignments: SetOption = None,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
    retry_failed: Annotated[
        str | None,
        typer.Option(
            metavar="REASON",
            help="first remove shards with failed rows: 'any', or a reason such as timed_out",
        ),
    ] = None,
) -> None:
    """Run CONFIG to a finished dataset, or go on with what an earlier run has left.

    Exit codes: 0 done; 1 the run failed; 2 a mistake in config or command;
    3 more rows failed than the failure budget allows.
    """
    from pipeline.commands.run import run_command  # noqa: PLC0415 - each command loads what it needs

    resolved = resolved_run(config, assignments, speech, noise, responses)
    run_command(resolved, workspace_of(workspace, resolved), executor, workers, retry_failed)


@app.command(epilog=_examples("plan demo --pairs 80000", "plan my.yaml --speech ~/recordings"))
def plan(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    assignments: SetOption = None,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
    pairs: Annotated[
        int | None, typer.Option(min=1, help="say how many degraded versions this many pairs need")
    ] = None,
) -> None:
    """Say what a run would do, before anything runs: hours, shards, tickets, time, bytes, what is done.

    Writes nothing. Times, and pairs per degraded version, are measured ones where the workspace has any, and
    rough ones elsewhere.
    """
    from pipeline.commands.plan import plan_command  # noqa: PLC0415

    resolved = resolved_run(config, assignments, speech, noise, responses)
    plan_command(resolved, workspace_of(workspace, resolved), pairs)


@app.command(
    epilog=_examples(
        "decide demo --set preference.pairs.keep=best",
        "decide my.yaml --set preference.criteria.1.margin=0.2 --workspace runs/my",
    )
)
def decide(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    assignments: SetOption = None,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
) -> None:
    """Decide anew on the scores of an existing run, in seconds: other criteria, margins, vetoes, pair rules.

    Scores nothing and leaves the dataset as it is: run or export with the same config and options writes it.
    """
    from pipeline.commands.decide import decide_command  # noqa: PLC0415

    resolved = resolved_run(config, assignments, speech, noise, responses)
    decide_command(resolved, workspace_of(workspace, resolved))


@app.command(
    epilog=_examples(
        "audit runs/demo", "audit demo --set preference.held_out=[si_sdr]", "audit my.yaml -w runs/my"
    )
)
def audit(
    target: Annotated[
        str,
        typer.Argument(
            metavar="WORKSPACE|CONFIG",
            help="a workspace: what its last run found; a config: what it makes of a workspace's scores",
        ),
    ],
    workspace: WorkspaceOption = None,
    assignments: SetOption = None,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
) -> None:
    """Say whether pairs are better by scores that did not choose them, and how scores agree.

    How often the chosen side is better, against pairs that one criterion alone, or chance, would choose; what
    each criterion prevents; candidates that a score prefers to clean speech; where pairs come from. In
    Markdown. Writes nothing.
    """
    from pipeline.commands.audit import audit_command, kept_audit_command  # noqa: PLC0415

    if Path(target).is_dir():
        kept_audit_command(open_workspace(target, ""))
        return
    resolved = resolved_run(target, assignments, speech, noise, responses)
    audit_command(resolved, workspace_of(workspace, resolved))


@app.command(epilog=_examples("calibrate demo", "calibrate my.yaml --utterances 50 > margins.yaml"))
def calibrate(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    utterances: Annotated[int, typer.Option(min=1, help="how many to measure on")] = 16,
    assignments: SetOption = None,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
) -> None:
    """Measure how far scores move when nothing audible changes, and print margins to paste into a config.

    Nothing reads them by itself. Decodes and degrades a few shards, which a run then finds done.
    """
    from pipeline.commands.calibrate import calibrate_command  # noqa: PLC0415

    resolved = resolved_run(config, assignments, speech, noise, responses)
    calibrate_command(resolved, workspace_of(workspace, resolved), utterances)


@app.command(epilog=_examples("status runs/demo"))
def status(workspace: Annotated[str, typer.Argument(metavar="WORKSPACE")]) -> None:
    """Say how far a workspace is, also while another process fills it: shards, rows, failures, time left.

    Takes no lock and writes nothing.
    """
    from pipeline.commands.status import status_command  # noqa: PLC0415

    status_command(open_workspace(workspace, ""))


@app.command(epilog=_examples("report runs/demo", "report runs/demo --out ~/demo.html"))
def report(
    workspace: Annotated[str, typer.Argument(metavar="WORKSPACE")],
    out: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="the file to write", show_default="WORKSPACE/report.html"),
    ] = None,
) -> None:
    """Write one HTML file on a workspace, also of a run that is not finished: numbers, charts, pairs to hear.

    It opens anywhere, without a network. Every run writes it at its end.
    """
    from pipeline.commands.report import report_command  # noqa: PLC0415

    report_command(open_workspace(workspace, ""), out)


@app.command(
    epilog=_examples(
        "dashboard runs/demo", "dashboard runs/demo --port 0", "dashboard /data/my --host 0.0.0.0 --open"
    )
)
def dashboard(
    workspace: Annotated[str, typer.Argument(metavar="WORKSPACE")],
    host: Annotated[
        str, typer.Option(help="address to serve on; others than this machine need --open")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65_535, help="0 takes any that is free")] = 8_000,
    is_open: Annotated[  # noqa: FBT002
        bool, typer.Option("--open", help="let everybody who reaches the address look, listen and vote")
    ] = False,
) -> None:
    """Serve a workspace in the browser, also while a run fills it: the report, live, and a listening test.

    Takes no lock and writes nothing but votes.
    """
    from pipeline.commands.dashboard import dashboard_command  # noqa: PLC0415

    dashboard_command(open_workspace(workspace, ""), host, port, is_open=is_open)


@app.command(epilog=_examples("listening runs/demo", "listening runs/demo --json"))
def listening(
    workspace: Annotated[str, typer.Argument(metavar="WORKSPACE")],
    as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False,  # noqa: FBT002
) -> None:
    """Say how far people agree with the metrics: the votes of the dashboard's blind listening test."""
    from pipeline.commands.listening import listening_command  # noqa: PLC0415

    listening_command(open_workspace(workspace, ""), as_json=as_json)


@app.command(epilog=_examples("doctor", "doctor demo", "doctor my.yaml --speech ~/recordings"))
def doctor(
    config: Annotated[str | None, typer.Argument(metavar="CONFIG", help="what is to run here")] = None,
    assignments: SetOption = None,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
    cache: CacheOption = None,
) -> None:
    """Check machine and packages, and with a CONFIG the weights, pools and files that it needs.

    Never touches the network. Exit codes: 0 a run could start, 2 something is lacking.
    """
    from pipeline.commands.doctor import doctor_command  # noqa: PLC0415
    from pipeline.commands.weights import use_cache  # noqa: PLC0415

    use_cache(cache)
    given = replacements(speech, noise, responses)
    doctor_command(None if config is None else config_path(config), assignments or (), given)


@app.command(
    epilog=_examples("operators", "operators metrics", "operators restorers --operators my_model.py")
)
def operators(
    family: Annotated[
        str | None,
        typer.Argument(metavar="FAMILY", help="degradations, restorers or metrics", show_default="all"),
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option("--operators", metavar="FILE", help="list those in your own file too; repeatable"),
    ] = None,
) -> None:
    """List every degradation, restorer and metric: parameters, units, ranges, aspect, licence, weights."""
    from pipeline.commands.operators import operators_command  # noqa: PLC0415

    operators_command(family, files or ())


@app.command(
    epilog=_examples(
        "export demo", "export demo --out /data/demo-pairs", "export my.yaml --push me/my-pairs --public"
    )
)
def export(
    config: ConfigArgument,
    workspace: WorkspaceOption = None,
    out: Annotated[
        str | None, typer.Option(help="folder to write to", show_default="<workspace>/dataset")
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(metavar="REPO", help="upload to this dataset on the Hugging Face hub, as OWNER/NAME"),
    ] = None,
    public: Annotated[  # noqa: FBT002
        bool, typer.Option("--public", help="let everybody see a repository that --push makes")
    ] = False,
    assignments: SetOption = None,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
) -> None:
    """Write the dataset of a finished run again, there or somewhere else, and upload it if asked.

    --push takes the token from HF_TOKEN or from 'hf auth login', and speaks to HF_ENDPOINT if that is set; a
    new repository is private. (Tested against a stand-in of the hub's HTTP interface, with its LFS transfer;
    not run against huggingface.co, nor with Xet transfer.)
    """
    from pipeline.commands.export import Upload, export_command  # noqa: PLC0415

    resolved = resolved_run(config, assignments, speech, noise, responses)
    upload = None if push is None else Upload(push, public)
    export_command(resolved, workspace_of(workspace, resolved), out, upload)


@app.command(
    epilog=_examples(
        "prune runs/demo --config demo --dry-run", "prune runs/x --config a.yaml --config b.yaml"
    )
)
def prune(
    workspace: Annotated[str, typer.Argument(metavar="WORKSPACE")],
    configs: Annotated[list[str], typer.Option("--config", help="config whose tables stay; repeatable")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would go")] = False,  # noqa: FBT002
) -> None:
    """Remove tables and shards that none of the given configs reaches.

    Configs count as their files say it now: what was made with --set or --speech is not reached.
    """
    from pipeline.commands.prune import prune_command  # noqa: PLC0415

    opened = open_workspace(workspace, "")
    prune_command(opened, [resolve(config_path(config)) for config in configs], dry_run=dry_run)


@app.command(epilog=_examples("replay runs/demo/dataset 0", "replay DATASET PAIR_ID --workspace runs/demo"))
def replay(
    dataset: Annotated[str, typer.Argument(metavar="DATASET", help="a folder with a finished dataset")],
    row: Annotated[str, typer.Argument(metavar="ROW", help="a pair_id, or a number from 0")],
    workspace: Annotated[
        str | None,
        typer.Option(
            "--workspace",
            "-w",
            help="folder with the tables that it was made from",
            show_default="the folder that the dataset is in",
        ),
    ] = None,
    files: Annotated[
        list[str] | None,
        typer.Option("--operators", metavar="FILE", help="your own file that the config named; repeatable"),
    ] = None,
) -> None:
    """Make the degraded side of a published row again from its recipe, and compare it bit for bit.

    Exit codes: 0 the same, 1 not the same, 2 a mistake in the command.
    """
    from pipeline.commands.replay import replay_command  # noqa: PLC0415
    from pipeline.own_operators import install_files  # noqa: PLC0415

    install_files(files or ())
    folder = Path(dataset)
    replay_command(folder, row, open_workspace(workspace or str(folder.absolute().parent), ""))


@app.command(
    epilog=_examples("verify runs/demo/dataset", "verify DATASET --all", "verify DATASET --weights nisqa.tar")
)
def verify(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="a folder with a dataset")],
    rows: Annotated[int, typer.Option(min=0, help="pairs whose audio is decoded and scored again")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="which pairs these are")] = 0,
    every: Annotated[bool, typer.Option("--all", help="score all pairs again")] = False,  # noqa: FBT002
    weights: Annotated[
        list[Path] | None,
        typer.Option(metavar="PATH", help="weights of a metric, known by their digest; repeatable"),
    ] = None,
    device: Annotated[str, typer.Option(help="for the metrics: cpu, cuda or cuda:1")] = "cpu",
    files: Annotated[
        list[str] | None,
        typer.Option("--operators", metavar="FILE", help="your own file that the config named; repeatable"),
    ] = None,
) -> None:
    """Check a dataset against what it says: files, counts, margins, votes, splits, audio, scores.

    Scores of a few pairs are computed again from the published audio; metrics that cannot be loaded here
    are named. Exit codes: 0 nothing wrong, 1 something is, 2 a mistake in the command.
    """
    from pipeline.commands.verify import verify_command  # noqa: PLC0415
    from pipeline.own_operators import install_files  # noqa: PLC0415

    install_files(files or ())
    verify_command(dataset, None if every else rows, seed, weights or (), device)


@app.command(epilog=_examples("tokens runs/demo/dataset --codec dac_44khz --out runs/demo/tokens"))
def tokens(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="a folder with a dataset")],
    codec: Annotated[Path, typer.Option(metavar="FOLDER", help="a DAC as transformers keeps it")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="a new folder for the tokens")],
    codebooks: Annotated[
        int | None, typer.Option(min=1, help="so many of the first ones", show_default="all")
    ] = None,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:1")] = "cpu",
) -> None:
    """Write the pairs of DATASET as codes of a DAC, for models that speak in tokens.

    Each side becomes lists of 16-bit numbers, one per codebook; the codec's digest is kept with them.
    """
    from pipeline.commands.tokens import tokens_command  # noqa: PLC0415

    tokens_command(dataset, codec, out, codebooks, device)


@app.command(epilog=_examples("ladders demo", "ladders my.yaml --speech ~/clean --utterances 50"))
def ladders(
    config: ConfigArgument,
    utterances: Annotated[
        int, typer.Option(min=1, help="clean recordings to damage, from all over the corpora")
    ] = 24,
    device: Annotated[
        str, typer.Option(help="for metrics with 'gpus' in the config: cpu, cuda or cuda:1")
    ] = "cpu",
    assignments: SetOption = None,
    speech: SpeechOption = None,
) -> None:
    """Say whether the metrics of CONFIG notice that speech gets worse: who may vote, and who should not.

    Clean utterances are damaged in eight ways, step by step, and scored; for each score and each way the
    table says how well the score fell (Kendall's tau). Writes nothing.
    """
    from pipeline.commands.ladders import ladders_command  # noqa: PLC0415

    ladders_command(resolved_run(config, assignments, speech), utterances, device)


@app.command(epilog=_examples("schema > unanimous.schema.json"))
def schema() -> None:
    """Print the JSON Schema of configs, for editors that complete and check YAML."""
    from pipeline.commands.schema import schema_command  # noqa: PLC0415

    schema_command()


train = typer.Typer(
    no_args_is_help=True,
    help="Train a network: one that nobody publishes with a licence, or an example of DPO.",
)
app.add_typer(train, name="train")


@train.command(
    epilog=_examples(
        "train vqscore --speech ~/clean --out vqscore",
        "train vqscore --speech ~/clean --out vqscore --steps 800000 --batch-size 64 --device cuda",
    )
)
def vqscore(
    speech: Annotated[Path, typer.Option(metavar="FOLDER", help="clean speech, and nothing else")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="for weights, checkpoint and losses.json")],
    steps: Annotated[int, typer.Option(min=1, help="when to stop; more later go on from there")] = 10_000,
    batch_size: Annotated[int, typer.Option(min=1, help="stretches of speech per step")] = 16,
    stretch_s: Annotated[float, typer.Option(min=0.1, help="seconds of a stretch")] = 3.0,
    learning_rate: Annotated[float, typer.Option(min=1e-9, help="of Adam")] = 3e-4,
    codes: Annotated[int, typer.Option(min=2, help="code vectors")] = 2_048,
    seed: Annotated[int, typer.Option(min=0, help="for weights and for what is drawn")] = 0,
    every: Annotated[int, typer.Option(min=1, help="steps between two lines and checkpoints")] = 100,
    device: Annotated[str, typer.Option(help="cpu, cuda or cuda:1")] = "cpu",
) -> None:
    """Train the network of the metric vqscore on clean speech alone.

    Stopped at any moment, the same command goes on from the last checkpoint; on a CPU the weights are bit
    for bit those of a training that never stopped.
    """
    from pipeline.commands.train import train_vqscore_command  # noqa: PLC0415

    settings = {
        "seed": seed,
        "batch_size": batch_size,
        "stretch_s": stretch_s,
        "learning_rate": learning_rate,
        "network": {"codes": codes},
    }
    train_vqscore_command(speech, out, settings, steps=steps, every=every, device=device)


@train.command(name="dpo-example", epilog=_examples("train dpo-example runs/demo/dataset"))
def dpo_example(
    dataset: Annotated[
        str,
        typer.Argument(metavar="DATASET", help="a folder with a finished dataset, or OWNER/NAME on the hub"),
    ],
    steps: Annotated[int, typer.Option(min=1, help="of DPO")] = 60,
    warm_up_steps: Annotated[int, typer.Option(min=0, help="before it, on the chosen sides alone")] = 30,
    beta: Annotated[float, typer.Option(min=0.0, help="how closely the reference is held to")] = 1_000.0,
    seed: Annotated[int, typer.Option(min=0, help="for weights, order, stretches and noise")] = 0,
) -> None:
    """Train a tiny flow-matching model on DATASET with DPO, and show the loss falling: an example to copy.

    The code is pipeline/dpo/example.py. Nothing is saved: the model is too small to restore anything.
    """
    from pipeline.dpo.example import train_example  # noqa: PLC0415

    train_example(dataset, steps=steps, warm_up_steps=warm_up_steps, beta=beta, seed=seed)


weights = typer.Typer(no_args_is_help=True, help="List and fetch the weights that operators need.")
app.add_typer(weights, name="weights")
FilesOption = Annotated[
    list[str] | None,
    typer.Option("--operators", metavar="FILE", help="count those in your own file too; repeatable"),
]
AgreedOption = Annotated[bool, typer.Option("--yes", help="agree to their licences without being asked")]


@weights.command(name="list", epilog=_examples("weights list", "weights list my.yaml"))
def weights_list(
    config: Annotated[str | None, typer.Argument(metavar="CONFIG", show_default="all operators")] = None,
    cache: CacheOption = None,
    files: FilesOption = None,
) -> None:
    """List the weights that CONFIG needs: source, revision, size, licence, and whether they are here.

    Touches no network.
    """
    from pipeline.commands.weights import use_cache, weights_list_command  # noqa: PLC0415

    use_cache(cache)
    weights_list_command(None if config is None else config_path(config), files or ())


@weights.command(name="fetch", epilog=_examples("weights fetch my.yaml", "weights fetch nisqa gtcrn --yes"))
def weights_fetch(
    targets: Annotated[list[str], typer.Argument(metavar="CONFIG|NAME…", help="what to fetch for, or what")],
    cache: CacheOption = None,
    files: FilesOption = None,
    agreed: AgreedOption = False,  # noqa: FBT002
) -> None:
    """Fetch weights into the cache, checked by size and SHA-256; what was begun is gone on with.

    Shows every licence first. A token in HF_TOKEN is shown to huggingface.co and to nobody else.
    """
    from pipeline.commands.weights import use_cache, weights_fetch_command  # noqa: PLC0415

    use_cache(cache)
    paths = {target: _config_called(target) for target in targets}
    configs = [path for path in paths.values() if path is not None]
    names = [target for target, path in paths.items() if path is None]
    weights_fetch_command(configs, names, files or (), agreed=agreed)


def resolved_run(
    config: str,
    assignments: list[str] | None,
    speech: str | None = None,
    noise: str | None = None,
    responses: str | None = None,
) -> Run:
    """Return the checked run of a config and the options that change it."""
    return resolve(config_path(config), assignments or (), replacements(speech, noise, responses))


def replacements(speech: str | None, noise: str | None, responses: str | None) -> dict[str, str]:
    """Return the user's own recordings by what they stand for, those that were given."""
    given = {"speech": speech, "noise": noise, "responses": responses}
    return {what: where for what, where in given.items() if where is not None}


def config_path(text: str) -> Path:
    """Return the config's file; a name that is no path here is looked up in ``configs/``.

    Raises ``ConfigError`` that lists what there is.
    """
    found = _config_called(text)
    if found is not None:
        return found
    known = ", ".join(sorted(path.name for path in CONFIGS.glob("*.yaml")))
    raise ConfigError(f"there is no config {text!r}, here or in configs/, which has: {known}")


def _config_called(text: str) -> Path | None:
    names = [text] if text.endswith((".yaml", ".yml")) else [text, f"{text}.yaml"]
    places = [Path(name) for name in names] + [CONFIGS / name for name in names]
    return next((path for path in places if path.is_file()), None)


def workspace_of(text: str | None, resolved: Run) -> Workspace:
    """Return the workspace that was asked for, or the config's own."""
    return open_workspace(text, resolved.config.name)
