"""``survey`` as a user calls it: tables, JSON, a page, mistakes, and Ctrl-C."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import soundfile

from pipeline.survey.records import Survey
from schemas import UserError
from tests.support.bundled_speech import bundled
from tests.support.forked_commands import typed
from tests.support.in_process import typed_here

ROOT = Path(__file__).parents[3]


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Return a folder of two recordings and a file that is none."""
    folder = tmp_path / "speech"
    folder.mkdir()
    for number in (1, 2):
        soundfile.write(folder / f"{number}.flac", bundled(number).samples, 16_000)
    (folder / "broken.wav").write_bytes(b"RIFF")
    return folder


def test_prints_tables_and_writes_a_page(corpus: Path, tmp_path: Path) -> None:
    """Whatever was found is no failure of the command."""
    page = tmp_path / "out" / "survey.html"

    done = typed("survey", corpus, "--html", page)

    assert done.returncode == 0, done.stderr
    assert "3 recordings" in done.stdout
    assert "unreadable: speech/broken: " in done.stdout
    assert page.read_text().startswith("<!doctype html>")
    assert sorted(path.name for path in corpus.iterdir()) == ["1.flac", "2.flac", "broken.wav"]


def test_prints_json_alone(corpus: Path) -> None:
    """What is on standard output is the record, and nothing else; settings of ingest are heeded."""
    done = typed("survey", corpus, "--json", "--min-duration-s", "30")

    found = Survey.model_validate_json(done.stdout)
    assert [one.reason for one in found.recordings] == ["too_short", "too_short", "unreadable"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nowhere"], ["there is no", "nowhere"]),
        (["speech", "--html", "speech/page.html"], ["speech/page.html", "would lie in the corpus"]),
        (["speech", "--max-duration-s", "0"], ["max_duration_s", "got 0"]),
        (["speech", "--html", "."], ["is a folder"]),
    ],
)
def test_a_mistake_is_a_sentence(
    corpus: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], words: list[str]
) -> None:
    """That names what was asked for."""
    monkeypatch.chdir(corpus.parent)

    with pytest.raises(UserError) as mistake:
        typed_here("survey", *arguments)

    assert all(word in str(mistake.value) for word in words)


@pytest.mark.usefixtures("heeded_signals")
def test_ctrl_c_ends_it_and_its_processes(tmp_path: Path) -> None:
    """With a sentence, the code that shells have for it, and nobody left behind."""
    soundfile.write(tmp_path / "0.flac", bundled(1).samples, 16_000)
    for number in range(1, 2_000):
        (tmp_path / f"{number}.flac").hardlink_to(tmp_path / "0.flac")
    command = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "survey", tmp_path, "--workers", "2"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        start_new_session=True,
    )
    until = time.monotonic() + 60
    while not (workers := psutil.Process(command.pid).children(recursive=True)):
        assert time.monotonic() < until
        time.sleep(0.02)

    os.killpg(command.pid, signal.SIGINT)

    out, err = command.communicate(timeout=60)
    assert (command.returncode, out) == (130, "")
    assert err == "stopped; nothing was written\n"
    assert psutil.wait_procs(workers, timeout=20)[1] == []
