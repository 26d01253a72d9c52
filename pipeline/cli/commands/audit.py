"""``audit``: whether the pairs of a run are better by scores that did not choose them."""

from pipeline.audit.audit import load_or_run_audit, read_audit
from pipeline.audit.records import Audit
from pipeline.audit.text import audit_lines
from pipeline.config.resolve import ResolvedConfig
from pipeline.store.workspace import Workspace
from pipeline.tables.graph import assemble
from pipeline.text import say
from schemas import WorkspaceError


def kept_audit_command(workspace: Workspace) -> None:
    """Print what was found when the workspace's last run ended."""
    audit = read_audit(workspace.audit)
    if audit is None:
        raise WorkspaceError(
            f"{workspace.root} holds no audit: 'run' makes one when it ends; of a run that has not, "
            "'audit CONFIG --workspace ...' says what its finished shards hold"
        )
    _say(audit, workspace)


def audit_command(run: ResolvedConfig, workspace: Workspace) -> None:
    """Print the audit of the pairs that a config makes of the scores in the workspace; writes nothing."""
    if not workspace.is_there:
        raise WorkspaceError(f"there is no workspace {workspace.root}; 'run' makes one")
    graph = assemble(run, workspace, keep=False)
    _say(load_or_run_audit(run, graph, workspace, keep=False), workspace)


def _say(audit: Audit, workspace: Workspace) -> None:
    say(f"# Audit of {audit.config_name} ({audit.config_hash}) in {workspace.root}")
    say("")
    for line in audit_lines(audit):
        say(line)
