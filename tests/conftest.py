"""Speech-like audio, made rather than shipped; one thread everywhere, as in a run."""

import os

from stages import torchaudio_guard
from stages.threads import ONE_THREAD

os.environ.update(ONE_THREAD)  # before numpy is imported
torchaudio_guard.install_guard()

import gc
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from stages.audio.waveform import Waveform
from stages.degradations import DEGRADATIONS
from stages.metrics import METRICS
from stages.networks.speechbrain_lobes import forget_lazy_modules
from stages.operators import user_modules
from stages.restorers import RESTORERS
from stages.runtime.seeding import preserve_generators
from tests.support.object_server import ObjectServer, object_server, require_object_store
from tests.support.speech_like import white_noise

settings.register_profile("unanimous", deadline=None)  # how long a test takes says more of the machine
settings.load_profile("unanimous")

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


SLOW_FIRST = ("stories", "laws", "pipeline")
"""Folders of tests by how long a file of theirs may take: what begins last should be short."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files that take long first: workers take whole files, and all should end at the same time."""
    sizes = Counter(item.path for item in items)
    items.sort(key=lambda item: (_place_in_line(item.path.parent.name), -sizes[item.path]))


def pytest_collection_finish() -> None:
    """Take what stays, libraries and thousands of tests, out of every search for garbage."""
    gc.freeze()


def pytest_sessionfinish() -> None:
    """Give it back, lest libraries find at their end that something was never let go."""
    gc.unfreeze()


def _place_in_line(folder: str) -> int:
    return SLOW_FIRST.index(folder) if folder in SLOW_FIRST else len(SLOW_FIRST)


def tone(seconds: float = 1.0, hertz: float = 220.0, sample_rate: int = 16_000) -> Waveform:
    """Return a decaying harmonic tone: voiced speech, as far as a level meter can tell."""
    t = np.arange(int(seconds * sample_rate)) / sample_rate
    partials = sum(np.sin(2 * np.pi * hertz * k * t) / k for k in range(1, 8))
    return Waveform((0.3 * np.exp(-t) * partials).astype(np.float32), sample_rate)


@pytest.fixture
def clean() -> Waveform:
    """Return one second of clean signal."""
    return tone()


@pytest.fixture
def hiss() -> Waveform:
    """Return two seconds of white noise."""
    return Waveform(white_noise(32_000, "hiss"), 16_000)


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectServer]:
    """Run an S3 server, which this process is told of; tests that ask for it are skipped where it is not."""
    require_object_store()
    with object_server() as server, pytest.MonkeyPatch.context() as patch:
        for name, value in server.environment.items():
            patch.setenv(name, value)
        yield server


@pytest.fixture
def heeded_signals() -> Iterator[None]:
    """Undo what a script does to tests in its background, and nohup: they ignore SIGINT, or SIGHUP."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    hung_up = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGINT, before)
    signal.signal(signal.SIGHUP, hung_up)


def pytest_runtest_setup() -> None:
    """Hypothesis walks the table of modules: what waits there to be looked at is taken out before."""
    forget_lazy_modules()


@pytest.fixture(scope="module", autouse=True)
def _families_as_shipped() -> Iterator[None]:
    """Operators that a test file brings along leave with it: which file ran before must not show."""
    # Only tests take members out, so the registries have no way to do it.
    tables: list[dict[str, Any]] = [family._members for family in (DEGRADATIONS, RESTORERS, METRICS)]  # noqa: SLF001
    tables.append(user_modules._installed)  # noqa: SLF001
    before = [dict(table) for table in tables]
    yield
    for table, members in zip(tables, before, strict=True):
        table.clear()
        table.update(members)


@pytest.fixture(scope="module", autouse=True)
def _generators_as_found() -> Iterator[None]:
    """Keep what a test file draws from global generators from showing in the file after it."""
    with preserve_generators():
        yield


@pytest.fixture
def shared_data() -> Path:
    """Return the folder of real models and recordings, or skip and say what is missing."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"needs real models and recordings in {SHARED_DATA.name}, which are not shipped")
    return SHARED_DATA
