"""Everything that can go wrong, as one tree.

UnanimousError
├── UserError                 the user can mend it: message, exit code 2
│   ├── ConfigError           a config file says something impossible, with the place
│   ├── UnknownOperatorError  no operator of that kind or version
│   └── WorkspaceError        locked, a URL, relative inside a cluster job, not a workspace
├── RunError                  the run cannot go on, the next record would meet it too: exit code 1
│   ├── MissingWeightsError   weights that the config needs are not where they should be
│   └── IntegrityError        a table disagrees with its plan
│       └── DamagedFileError  a file cannot be read, or is another one than should lie there
├── BudgetExceededError       more rows or takes failed than the failure budget allows: exit code 3
└── RecordError               about one record only; becomes the reason in its row
    ├── UnfitError            this input, or this metric on it, cannot serve
    └── BrokenError           something broke while it was processed
"""

from typing import ClassVar

from schemas.outcome import Outcome, Reason, Status


class UnanimousError(Exception):
    """The root of the tree."""

    exit_code = 1


class UserError(UnanimousError):
    """A mistake that the user can mend; the message says how."""

    exit_code = 2


class ConfigError(UserError):
    """A config that cannot be run."""


class UnknownOperatorError(UserError, LookupError):
    """A name or version of an operator that this code does not have."""


class WorkspaceError(UserError):
    """A workspace that cannot be used."""


class RunError(UnanimousError):
    """The run cannot go on."""


class MissingWeightsError(RunError):
    """Weights are not there, or are not what they should be."""


class IntegrityError(RunError):
    """Rows that should be there are not, or the other way round."""


class DamagedFileError(IntegrityError):
    """A file of a workspace or dataset that is not what was written there."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)  # as it is pickled
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path} is damaged: {self.why}; remove it, and 'run' makes it again"


class BudgetExceededError(UnanimousError):
    """Too many rows failed."""

    exit_code = 3


class RecordError(UnanimousError):
    """One record has no value, for a reason from the closed list."""

    status: ClassVar[Status] = Status.FAILED

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else str(reason))
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type["RecordError"], tuple[Reason, str]]:
        """Survive the way back from a child process."""
        return type(self), (self.reason, self.detail)

    @property
    def outcome(self) -> Outcome:
        """How the record ends whose error this is."""
        return Outcome(status=self.status, reason=self.reason, detail=self.detail)


class UnfitError(RecordError):
    """The input cannot serve: it is silent, too short, has no transcript, and so on."""

    status: ClassVar[Status] = Status.UNFIT


class BrokenError(RecordError):
    """Something broke: a crash, a time-out, an output that is not audio."""
