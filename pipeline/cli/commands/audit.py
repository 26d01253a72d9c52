"""``audit``: whether the pairs of a run are better by scores that did not choose them, and by people."""

import sys
from pathlib import Path

from pipeline.audit.audit import load_or_run_audit, read_audit
from pipeline.audit.human_agreement import human_audit_of
from pipeline.audit.human_records import HumanAudit
from pipeline.audit.human_text import human_audit_lines
from pipeline.audit.ratings import read_human_ratings
from pipeline.audit.records import Audit
from pipeline.audit.text import audit_lines
from pipeline.config.resolve import ResolvedConfig
from pipeline.report.snapshot import Snapshot
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import assemble
from pipeline.tables.inventory import Inventory
from pipeline.tables.sql import RunTables
from pipeline.text import say
from schemas import Record, WorkspaceError

NOT_DECIDED = (
    "the pairs of these settings are not in the workspace, so nothing is said of them, and ratings of a "
    "pair_id are not found; 'export' with the same settings writes them"
)


class SaidAudit(Record):
    """What the command prints as JSON."""

    audit: Audit
    human: HumanAudit | None
    """None where nobody has rated anything."""


def kept_audit_command(workspace: Workspace, human: Path | None, *, as_json: bool) -> None:
    """Print what was found when the workspace's last run ended, and how far it agrees with listeners."""
    audit = read_audit(workspace.audit)
    if audit is None:
        raise WorkspaceError(
            f"{workspace} holds no audit: 'run' makes one when it ends; of a run that has not, "
            "'audit CONFIG --workspace ...' says what its finished shards hold"
        )
    ratings = read_human_ratings(human, workspace)
    found = None if ratings is None else human_audit_of(Snapshot.of(workspace).tables, ratings)
    _say(SaidAudit(audit=audit, human=found), workspace, as_json=as_json)


def audit_command(run: ResolvedConfig, workspace: Workspace, human: Path | None, *, as_json: bool) -> None:
    """Print the audit of the pairs that a config makes of the scores in the workspace; writes nothing."""
    if not workspace.is_there:
        raise WorkspaceError(f"there is no workspace {workspace}; 'run' makes one")
    graph = assemble(run, workspace, keep=False)
    ratings = read_human_ratings(human, workspace)
    audit = load_or_run_audit(run, graph, workspace, keep=False)
    found = None
    if ratings is not None:
        inventory = Inventory.of(run, graph, dataset_key="", audit_key=audit.key, started_at_s=0)
        found = human_audit_of(RunTables(inventory, workspace.store), ratings)
        if not workspace.store.shards(graph.prefer.folder):
            sys.stderr.write(f"{NOT_DECIDED}\n")
    _say(SaidAudit(audit=audit, human=found), workspace, as_json=as_json)


def _say(found: SaidAudit, workspace: Workspace, *, as_json: bool) -> None:
    if as_json:
        say(found.model_dump_json(indent=1))
        return
    audit = found.audit
    say(f"# Audit of {audit.config_name} ({audit.config_hash}) in {workspace}")
    say("")
    human = [] if found.human is None else [*human_audit_lines(found.human), ""]
    for line in (*human, *audit_lines(audit)):
        say(line)
