"""Commands about this installation and its operators."""

from typing import Annotated

import typer

from pipeline.cli.application import app, format_examples
from pipeline.cli.options import (
    CacheOption,
    NoiseOption,
    ResponsesOption,
    SetOption,
    SpeechOption,
    begun_in,
    config_path,
    replacements_from,
)

FixOption = Annotated[
    bool,
    typer.Option("--fix", help="first make environments, and fetch weights whose licences ask for nothing"),
]


@app.command(epilog=format_examples("doctor", "doctor demo", "doctor my.yaml --speech ~/recordings"))
def doctor(
    config: Annotated[str | None, typer.Argument(metavar="CONFIG", help="what is to run here")] = None,
    assignments: SetOption = None,
    speech: SpeechOption = None,
    noise: NoiseOption = None,
    responses: ResponsesOption = None,
    cache: CacheOption = None,
    fix: FixOption = False,  # noqa: FBT002
) -> None:
    """Check machine and packages, and with a CONFIG the models, weights, pools and files that it needs.

    Ends with one list of what is to be done, in order. Never touches the network, but with --fix. Exit codes:
    0 a run could start, 2 something is lacking.
    """
    from pipeline.cli.commands.doctor import doctor_command  # noqa: PLC0415
    from pipeline.cli.commands.weights import use_cache  # noqa: PLC0415

    use_cache(cache)
    given = replacements_from(speech, noise, responses)
    doctor_command(
        None if config is None else config_path(config), assignments or (), given, begun_in(None), mends=fix
    )


@app.command(
    epilog=format_examples("operators", "operators metrics", "operators restorers --operators my_model.py")
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
    from pipeline.cli.commands.operators import operators_command  # noqa: PLC0415

    operators_command(family, files or ())


@app.command(epilog=format_examples("schema > unanimous.schema.json"))
def schema() -> None:
    """Print the JSON Schema of configs, for editors that complete and check YAML."""
    from pipeline.cli.commands.schema import schema_command  # noqa: PLC0415

    schema_command()
