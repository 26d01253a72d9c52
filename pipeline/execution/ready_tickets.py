"""Tickets that could be given out now, found without looking at all of them."""

import heapq
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field

from pipeline.tables.tickets import ShardPlace, Ticket, shard_number_of


@dataclass(frozen=True, slots=True)
class WaitingTicket:
    """A ticket of an open shard, and what is asked of it again and again."""

    ticket: Ticket
    number: int
    """Of its shard."""
    index: int
    """Its place among the tickets of its shard."""
    needs: frozenset[ShardPlace]

    @classmethod
    def of(cls, ticket: Ticket, index: int) -> "WaitingTicket":
        """Return a ticket with what it needs."""
        return cls(ticket, shard_number_of(ticket), index, ticket.needs)


@dataclass(slots=True)
class StageQueue:
    """Ready tickets of one stage and one class of worker, by the numbers of their shards."""

    resource: str
    stage: str
    _by_number: dict[int, dict[ShardPlace, WaitingTicket]] = field(default_factory=dict)
    _numbers: list[int] = field(default_factory=list)

    def add(self, waiting: WaitingTicket) -> None:
        """Take a ticket in."""
        if waiting.number not in self._by_number:
            self._by_number[waiting.number] = {}
            heapq.heappush(self._numbers, waiting.number)
        self._by_number[waiting.number][waiting.ticket.place] = waiting

    def remove(self, waiting: WaitingTicket) -> None:
        """Let a ticket of the oldest shard go."""
        tickets = self._by_number[waiting.number]
        del tickets[waiting.ticket.place]
        if not tickets:
            del self._by_number[waiting.number]
            heapq.heappop(self._numbers)

    @property
    def oldest(self) -> int | None:
        """The number of the oldest shard that has a ticket here."""
        return self._numbers[0] if self._numbers else None

    def of_oldest(self) -> Collection[WaitingTicket]:
        """Return the tickets of that shard: several tables may share a stage."""
        return self._by_number[self._numbers[0]].values()


class ReadyTickets:
    """All ready tickets of the open shards."""

    def __init__(self) -> None:
        self._queues: dict[tuple[str, str], StageQueue] = {}
        self.counts: Counter[str] = Counter()
        """How many there are per class of worker."""

    def add(self, waiting: WaitingTicket) -> None:
        """Take a ticket in."""
        self._queue_of(waiting).add(waiting)
        self.counts[waiting.ticket.resource] += 1

    def remove(self, waiting: WaitingTicket) -> None:
        """Let a ticket go that ``best`` has returned."""
        self._queue_of(waiting).remove(waiting)
        self.counts[waiting.ticket.resource] -= 1

    def best(
        self,
        resource: str | None,
        urgency: Callable[[str, int], tuple[bool, bool, int, float]],
        last_read: frozenset[ShardPlace],
    ) -> WaitingTicket | None:
        """Return the most urgent ticket for a class of worker, any for None; or None if there is none.

        Of the tickets of a stage those of its oldest shard are the most urgent, by ``urgency`` of a stage and
        a shard's number; of equals, what reads what the worker has last read, then what comes first.
        """
        found: list[StageQueue] = []
        least: tuple[bool, bool, int, float] | None = None
        for queue in self._open_to(resource):
            number = queue.oldest
            if number is None:
                continue
            urgent = urgency(queue.stage, number)
            if least is None or urgent < least:
                least, found = urgent, [queue]
            elif urgent == least:
                found.append(queue)
        equals = (waiting for queue in found for waiting in queue.of_oldest())
        return min(equals, key=lambda w: (w.needs.isdisjoint(last_read), w.index), default=None)

    def _open_to(self, resource: str | None) -> Iterator[StageQueue]:
        return (queue for queue in self._queues.values() if resource in {None, queue.resource})

    def _queue_of(self, waiting: WaitingTicket) -> StageQueue:
        name = waiting.ticket.resource, waiting.ticket.table.stage_name
        if name not in self._queues:
            self._queues[name] = StageQueue(*name)
        return self._queues[name]
