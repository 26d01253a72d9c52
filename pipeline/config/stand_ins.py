"""Stand-ins: what takes the place of operators whose weights are not here, decided once for a run.

A workspace keeps what its run began with, and goes on so, also when weights have come or gone meanwhile.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from pipeline.store.files import StoredFile
from schemas import Record, WorkspaceError

LEAVE_OUT = "leave_out"


class StandIn(Record):
    """An operator for which the config names a stand-in, and which of the two is in the run."""

    family: Literal["restorer", "metric"]
    name: str
    """Of the operator."""
    stand_in: str
    """The name of what stands in for it, or ``leave_out``."""
    weights: tuple[str, ...] = ()
    """The names of what it needs; not kept."""
    are_here: bool = False
    """Whether its weights were in the cache when this was looked at; not kept."""
    is_used: bool = False

    @property
    def subject(self) -> tuple[str, str, str]:
        """What was decided about; of another stand-in it has to be decided anew."""
        return self.family, self.name, self.stand_in

    @property
    def consequence(self) -> str:
        """What becomes of a run that begins without the weights."""
        if self.stand_in == LEAVE_OUT:
            return f"{self.name} is left out"
        return f"{self.stand_in} stands in for {self.name}"


Begun = Callable[[str], Sequence[StandIn]]
"""Given the name of a run, what it began with; nothing if it has not begun."""
Decide = Callable[[StandIn], bool]
"""Whether the stand-in is used."""
_RECORDED = TypeAdapter(tuple[StandIn, ...])
_NOT_KEPT = {"weights", "are_here"}


def nothing_begun(_: str) -> Sequence[StandIn]:
    """Return that no run has begun."""
    return ()


def decide_once(begun: Sequence[StandIn]) -> Decide:
    """Return the rule of a run: as it began; and when it begins, stand-ins for what lacks weights."""
    earlier = {each.subject: each.is_used for each in begun}
    return lambda found: earlier.get(found.subject, not found.are_here)


def decide_as_begun(begun: Sequence[StandIn]) -> Decide:
    """Return the rule by which only what a run began without is replaced: its weights are not needed."""
    earlier = {each.subject: each.is_used for each in begun}
    return lambda found: earlier.get(found.subject, False)


def read_stand_ins(file: StoredFile) -> tuple[StandIn, ...]:
    """Return what the run in a workspace began with. Raises ``WorkspaceError`` if that cannot be read."""
    try:
        content = file.read_if_there()
        return () if content is None else _RECORDED.validate_json(content)
    except (OSError, ValidationError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # a machine's refusal, which names the file
        raise WorkspaceError(
            f"{file}, which says what stands in for missing weights in this run, cannot be read: remove it, "
            "and it is decided anew"
        ) from error


def keep_stand_ins(file: StoredFile, decided: Sequence[StandIn]) -> None:
    """Keep in a workspace what a run begins with, if its config names stand-ins at all."""
    if not decided:
        return
    new = {(each.family, each.name) for each in decided}
    there = read_stand_ins(file)
    kept = (*(each for each in there if (each.family, each.name) not in new), *decided)
    if [(each.subject, each.is_used) for each in kept] != [(each.subject, each.is_used) for each in there]:
        file.put(_RECORDED.dump_json(kept, indent=1, exclude={"__all__": _NOT_KEPT}))


def stand_in_lines(decided: Iterable[StandIn], file: StoredFile) -> Iterator[str]:
    """Yield what to say of the stand-ins that are used, and how the weights come into use."""
    for each in decided:
        if not each.is_used:
            continue
        if each.are_here:
            yield (
                f"{each.name}: weights are here now, but the run in this workspace began without, and to "
                f"its end {each.consequence}; to begin with them give another --workspace, or remove {file}"
            )
        else:
            way = f"'python -m pipeline weights fetch {' '.join(each.weights)}' gets them"
            yield f"{each.name}: weights are not here, and {each.consequence}; {way}"


def explain_begun_with(found: StandIn) -> str | None:
    """Return why a stand-in that could be used is not; None where that is not so."""
    if found.is_used or found.are_here:
        return None
    return (
        f"the run in this workspace began with the weights of {found.name}, so nothing stands in for it: "
        "fetch them again, or give another --workspace"
    )
