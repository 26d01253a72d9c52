"""Told to stop, a run stops: wherever it is told, and without blaming a record."""

import io
import os
import signal
import sys
from contextlib import suppress
from typing import ClassVar, Literal

import numpy as np
import pydantic
import pytest
import soundfile

from pipeline.execution.interrupts import catch_stop_signals, exit_on_stop, preserve_handlers

pytestmark = pytest.mark.usefixtures("heeded_signals")

TONE = np.sin(np.arange(48_000) / 10)


class ToldWhileUsed(io.BytesIO):
    """Told to stop when the library first asks something of it, from inside its callback."""

    told = False

    def tell(self) -> int:
        """Return where it stands."""
        if not self.told:
            self.told = True
            os.kill(os.getpid(), signal.SIGTERM)
        return super().tell()


def test_told_inside_a_codecs_callback(capfd: pytest.CaptureFixture[str]) -> None:
    """What is raised there would be printed and forgotten, the codec would fail: it is raised just after."""
    file = ToldWhileUsed()

    def write_on_and_on() -> None:
        for _ in range(1000):
            file.seek(0)
            soundfile.write(file, TONE, 16_000, format="FLAC")
            sum(range(10_000))  # what a stage does between two files

    with catch_stop_signals() as interruption, pytest.raises(KeyboardInterrupt):
        write_on_and_on()

    assert file.told
    assert interruption.received == signal.SIGTERM
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_swallowed_by_foreign_code(sent: signal.Signals) -> None:
    """A bare ``except`` hides it from who asked; it is raised again before anything is kept."""
    with catch_stop_signals() as interruption:
        interruption.check_stop()
        with suppress(BaseException):
            os.kill(os.getpid(), sent)
        with pytest.raises(KeyboardInterrupt):
            interruption.check_stop()
    assert interruption.received == sent


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ends_as_a_shell_expects(sent: signal.Signals, capsys: pytest.CaptureFixture[str]) -> None:
    """With a sentence that says how to go on."""
    with pytest.raises(SystemExit) as ended, exit_on_stop():
        os.kill(os.getpid(), sent)

    assert ended.value.code == 128 + sent
    assert "the same command goes on from here" in capsys.readouterr().err


def test_told_while_a_library_has_a_handler_of_its_own() -> None:
    """Which would leave the process with a code of its own, and without a word."""

    def start_library() -> None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
        os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(SystemExit) as ended, exit_on_stop(), preserve_handlers():
        start_library()

    assert ended.value.code == 128 + signal.SIGTERM


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGHUP])
def test_handlers_are_put_back(sent: signal.Signals) -> None:
    """Afterwards all is as it was, and what ignored Ctrl-C, or ran under nohup, has gone on doing so."""
    signal.signal(sent, signal.SIG_IGN)
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)

    with catch_stop_signals() as interruption:
        os.kill(os.getpid(), sent)

    assert interruption.received is None
    assert signal.getsignal(sent) is signal.SIG_IGN
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGALRM)) == before


class Told(pydantic.BaseModel):
    """Told to stop while it is written."""

    told: ClassVar[list[bool]] = []
    kind: Literal["told"] = "told"

    @pydantic.model_serializer
    def _written(self) -> dict[str, str]:
        if not self.told:
            self.told.append(True)
            os.kill(os.getpid(), signal.SIGTERM)
        return {"kind": self.kind}


class Other(pydantic.BaseModel):
    """What else the union may hold."""

    kind: Literal["other"] = "other"


class Holder(pydantic.BaseModel):
    """A union of both."""

    part: Told | Other = pydantic.Field(discriminator="kind")


def test_told_while_a_record_is_written() -> None:
    """What is raised there would be taken for a part that cannot be told apart: it is raised just after."""
    Told.told.clear()
    holder = Holder(part=Told())

    def write_on_and_on() -> None:
        for _ in range(1000):
            holder.model_dump()
            sum(range(10_000))

    with catch_stop_signals() as interruption, pytest.raises(KeyboardInterrupt):
        write_on_and_on()

    assert Told.told
    assert interruption.received == signal.SIGTERM
