"""Child processes that are asked and answer, however many files their parent has open."""

import os
import resource
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from stages.runtime.child_process import ChildProcess, DiedError, HungError

MORE_THAN_SELECT_KNOWS = 1_100


@pytest.fixture
def many_files() -> Iterator[None]:
    """Hold so many files open that the next ones have numbers over 1024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MORE_THAN_SELECT_KNOWS + 100
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this process may open {hard} files only")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    with ExitStack() as files:
        for _ in range(MORE_THAN_SELECT_KNOWS):
            files.enter_context(open(os.devnull, "rb"))  # noqa: PTH123
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def child(code: str) -> ChildProcess:
    """Return a process that runs ``code``."""
    return ChildProcess([sys.executable, "-c", f"import sys, time; {code}"], dict(os.environ))


@pytest.mark.usefixtures("many_files")
def test_a_parent_of_many_files_is_answered() -> None:
    """As the processes of a cluster have them."""
    echo = child("sys.stdout.buffer.write(sys.stdin.buffer.read(5)); sys.stdout.flush(); time.sleep(60)")

    echo.send(b"hello", 10.0)

    assert echo.receive(5, time.monotonic() + 10.0) == b"hello"
    echo.close()


def test_a_death_and_a_hang_are_told_apart() -> None:
    """The one at once, the other when time is up; last words are kept."""
    dying, hanging = child("sys.exit('no more')"), child("time.sleep(60)")

    with pytest.raises(DiedError):
        dying.receive(1, time.monotonic() + 10.0)
    with pytest.raises(HungError):
        hanging.receive(1, time.monotonic() + 0.2)

    assert dying.last_words == "no more"
    for process in (dying, hanging):
        process.close()


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("sys.exit(3)", "exit code 3"),
        ("import os; os.kill(os.getpid(), 11)", "SIGSEGV"),
        ("import os; os.kill(os.getpid(), 40)", "signal 40"),
        ("import os; os.close(1); time.sleep(60)", ""),
    ],
)
def test_it_is_known_what_ended_a_child(code: str, said: str) -> None:
    """A signal by its name if it has one, else the exit code; one that goes on has not ended."""
    dying = child(code)

    with pytest.raises(DiedError):
        dying.receive(1, time.monotonic() + 30.0)

    assert dying.ending == said
    dying.close()


def test_a_child_that_does_not_listen_hangs_or_died() -> None:
    """More than a pipe holds is not taken by a child that sleeps, nor by one that is gone."""
    hanging, dying = child("time.sleep(60)"), child("pass")

    with pytest.raises(HungError):
        hanging.send(bytes(1 << 20), 0.2)
    with pytest.raises(DiedError):
        dying.send(bytes(1 << 20), 10.0)

    for process in (dying, hanging):
        process.close()
