"""``decide``: the pairs of finished scores under other criteria, in seconds."""

import sys
import time

from pipeline.config.resolve import ResolvedConfig
from pipeline.operations.decide import redecide
from pipeline.progress.funnel import Funnel, comparison_steps_of, funnel_lines
from pipeline.store.workspace import Workspace
from pipeline.text import count, say


def decide_command(run: ResolvedConfig, workspace: Workspace) -> None:
    """Decide, and print what became of the comparisons."""
    say(f"{run.config.name} ({run.config_hash}) in {workspace}")
    started = time.monotonic()
    decided = redecide(run, workspace, _progress)
    say("")
    for line in funnel_lines(Funnel(steps=tuple(comparison_steps_of(decided.decisions)))):
        say(line)
    say("")
    say(f"decided   {count(decided.num_decided, 'shard')} anew in {time.monotonic() - started:.1f} s")
    if decided.num_unscored:
        say(f"unscored  {count(decided.num_unscored, 'shard')}: 'run' goes on with them")
    say(
        "dataset   as it was: 'export', with this config and these options, writes these pairs, and with them"
    )
    say("          the audit and the report")


def _progress(done: int, total: int) -> None:
    """Keep one line on a terminal up to date."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\rdeciding: {done:,} of {total:,} shards" + ("\n" if done == total else ""))
