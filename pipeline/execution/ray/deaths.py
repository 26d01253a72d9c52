"""What is known of workers that died: which records were in their hands, and which to give up."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.execution.worker import Suspect
from pipeline.store.journal import Journals
from pipeline.tables.tickets import ShardPlace, Ticket
from schemas import Reason, RunError

LIVES = 2
"""Deaths that a record may cause before it is given up."""
STARTS = 3
"""Deaths before the first record of a ticket, after which the run stops: no record is to blame."""


@dataclass
class Deaths:
    """The deaths of one run. Nothing of it is kept between runs: a preempted job blames no record."""

    journals: Journals
    _by_record: Counter[tuple[ShardPlace, str]] = field(default_factory=Counter)
    _before_any: Counter[ShardPlace] = field(default_factory=Counter)
    _excluded: dict[ShardPlace, list[Suspect]] = field(default_factory=dict)
    _seen: set[ShardPlace] = field(default_factory=set)

    def note(self, ticket: Ticket, reason: Reason, detail: str) -> None:
        """Take in that a worker died with ``ticket`` in its hands.

        Raises ``RunError`` if that keeps happening before any record is begun.
        """
        records = self.journals.read_in_flight(ticket.place)
        with self.journals.begin(
            ticket.place
        ):  # whoever dies next, before it has begun a record, is not this record's doing
            pass
        self._seen.add(ticket.place)
        if not records:
            self._before_any[ticket.place] += 1
            if self._before_any[ticket.place] >= STARTS:
                raise RunError(
                    f"workers keep dying before the first record of {ticket.name} ({reason}: {detail}); "
                    "the logs tell more: a model that does not fit into memory is the usual cause"
                )
        for record in records:
            self._by_record[ticket.place, record] += 1
            # a whole batch is only suspected: alone, the guilty record kills again and its neighbours go free
            if len(records) == 1 and self._by_record[ticket.place, record] >= LIVES:
                suspect = Suspect(record, reason, detail)
                self._excluded.setdefault(ticket.place, []).append(suspect)

    def excluded_from(self, ticket: Ticket) -> Sequence[Suspect]:
        """Return the records of ``ticket`` that are not tried again."""
        return tuple(self._excluded.get(ticket.place, ()))

    def has_killed(self, ticket: Ticket) -> bool:
        """Whether ``ticket`` has cost a worker, so that its records are now taken one by one."""
        return ticket.place in self._seen
