"""What a worker notes, and what is logged, outlives it in an object store too."""

import pickle

import pytest

from pipeline.listening.votes import VoteBook
from pipeline.store.growing_objects import ObjectLines, ObjectLogs, ObjectTextLog
from pipeline.store.object_files import ObjectFiles
from pipeline.store.object_journals import ObjectJournals
from schemas import Outcome, Preference, Reason, Status
from tests.support.object_server import ObjectServer, bucket_name

PLACE = ("prefer-0123", "00000-a")


@pytest.fixture
def files(object_store: ObjectServer) -> ObjectFiles:
    """Return the objects of a workspace."""
    return ObjectFiles(f"{object_store.make_bucket(bucket_name())}/run")


def row(name: str) -> Preference:
    """Return a row that a worker finished."""
    outcome = Outcome(status=Status.FAILED, reason=Reason.ERROR)
    return Preference(id=name, status=outcome.status, reason=outcome.reason)


def test_the_record_that_killed_a_worker_is_known_after_it(files: ObjectFiles) -> None:
    """Whoever comes next, on any machine, finds what was begun and finished; then nobody is to blame."""
    killed = ObjectJournals(files).begin(PLACE)
    killed.note_begun(["a", "b"])
    killed.note_done([row("a"), row("b")])
    killed.note_begun(["c"])

    journals = ObjectJournals(files)
    assert journals.read_in_flight(PLACE) == ("c",)
    assert set(journals.read_finished(PLACE)) == {"a", "b"}
    assert [entry.place for entry in journals.walk()] == [PLACE]
    assert journals.size_of(PLACE) > 0
    with journals.begin(PLACE):
        assert ObjectJournals(files).read_in_flight(PLACE) == ()
    assert set(journals.read_finished(PLACE)) == {"a", "b"}

    journals.remove(PLACE)
    assert list(files.list()) == []
    assert journals.size_of(PLACE) == -1


def test_a_ticket_that_ends_well_blames_nobody(files: ObjectFiles) -> None:
    """Between its last record and its shard a worker may die: of bad luck, not of that record."""
    with ObjectJournals(files).begin(PLACE) as journal:
        journal.note_begun(["a"])
        journal.note_done(())
        assert ObjectJournals(files).read_in_flight(PLACE) == ()


def test_lines_of_several_writers_are_one_log(files: ObjectFiles) -> None:
    """In the order in which the writers began; what is not synced is there once it is asked for."""
    first, second = ObjectLines(files, "logs/tickets"), ObjectLines(files, "logs/tickets")
    first.append("1")
    second.append("2", is_synced=True)
    assert ObjectLines(files, "logs/tickets").lines() == ["2", ""]
    before = second.stamp()

    first.flush()

    assert second.read() == b"1\n2\n"
    assert second.stamp() != before
    sent = pickle.loads(pickle.dumps(first))
    sent.append("3", is_synced=True)
    assert first.lines() == ["1", "2", "3", ""]


def test_votes_and_what_people_read_are_objects_too(files: ObjectFiles) -> None:
    """Each listener has a folder of lines, each process an object of text."""
    logs = ObjectLogs(files, "listening")
    logs.log("zoe").append("{}", is_synced=True)
    with ObjectTextLog(files, "logs/run").begin() as stream:
        stream.write("on x86_64\n")

    assert [log.lines() for log in logs.all()] == [["{}", ""]]
    assert VoteBook(logs).all() == []
    (name,) = files.list("logs/run")
    assert files.read_tagged(name) is not None
