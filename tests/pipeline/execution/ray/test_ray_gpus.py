"""GPUs that a run asks for and a cluster does not have."""

from types import SimpleNamespace

import pytest

from pipeline.execution.board import Board
from pipeline.execution.ray.executor import check_gpus
from pipeline.tables.tickets import Ticket
from schemas import RunError


def _ticket(name: str, gpus: float) -> Ticket:
    table = SimpleNamespace(name=name, folder=name, gpus=gpus, environment="", reads=(), pools=())
    shard = SimpleNamespace(name="00000", number=0)
    return Ticket(table, shard)  # type: ignore[arg-type]


def test_a_run_does_not_begin_what_lacks_a_gpu() -> None:
    """The models are named, and the way out."""
    board = Board([_ticket("ingest", 0), _ticket("restore.big", 1)], done=())

    with pytest.raises(RunError, match=r"^restore\.big: 1 GPUs per worker .* there are 0; 'gpus: 0' in"):
        check_gpus(board, 0.0)


def test_what_is_done_needs_no_gpu() -> None:
    """A run that was begun with GPUs can be finished without, once their tickets are done."""
    big = _ticket("restore.big", 1)

    check_gpus(Board([_ticket("ingest", 0), big], done=[big.place]), 0.0)
