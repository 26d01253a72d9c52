"""Commands on recordings as people have them."""

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli.application import app, format_examples
from pipeline.sources.corpora import SpeakerRule


@app.command(
    epilog=format_examples(
        "survey ~/recordings",
        "survey /data/LibriTTS --speaker stem_prefix --html survey.html",
        "survey manifest.csv --json > survey.json",
        "survey '/data/vctk/wav48/p2*' --max-duration-s 12 --workers 8",
    )
)
def survey(
    corpus: Annotated[
        str,
        typer.Argument(
            metavar="PATH_OR_MANIFEST",
            help="folder, pattern in quotes, audio file, .csv or .jsonl manifest, or a dataset saved on disk",
        ),
    ],
    html: Annotated[
        Path | None, typer.Option(metavar="OUT", help="write one page with charts and the worst to hear")
    ] = None,
    as_json: Annotated[  # noqa: FBT002
        bool, typer.Option("--json", help="print every recording and all sums as JSON instead")
    ] = False,
    speaker: Annotated[
        SpeakerRule | None,
        typer.Option(
            help="who speaks where no column says so: the folder of a file, or its name up to _ or -",
        ),
    ] = None,
    min_duration_s: Annotated[
        float | None, typer.Option(help="as ingest.min_duration_s of a config", show_default="0.3")
    ] = None,
    max_duration_s: Annotated[
        float | None, typer.Option(help="as ingest.max_duration_s of a config", show_default="20")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="processes", show_default="one per core")] = None,
) -> None:
    """Say what a corpus holds before anything is made of it, and what a run would do with each recording.

    Every file is decoded as a run would decode it. Told are hours, sample rates, speakers, lengths, levels,
    an estimate of the SNR, how far up the band reaches, offsets, clipping, silence, copies, files that would
    be refused and why, texts without audio and audio without texts. Nothing is written into the corpus.

    Progress goes to standard error. Exit codes: 0 surveyed, whatever was found; 2 a mistake in the command;
    130 stopped by Ctrl-C.
    """
    from pipeline.cli.commands.survey import survey_command  # noqa: PLC0415

    bounds = {"min_duration_s": min_duration_s, "max_duration_s": max_duration_s}
    given = {name: value for name, value in bounds.items() if value is not None}
    survey_command(corpus, speaker, given, html, workers, as_json=as_json)
