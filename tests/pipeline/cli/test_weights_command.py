"""The weights of a config: listed, fetched from a server on the loopback, pinned, and demanded of a run."""

import hashlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from pipeline.cli import app
from schemas import MissingWeightsError
from stages.weights.files import CACHE_VARIABLE
from tests.support.file_server import FileServer, serving
from tests.support.small_config import mistakes, place_in, written
from tests.support.tiny import write_clip

CONTENT = b"weights" * 1000
DIGEST = hashlib.sha256(CONTENT).hexdigest()
OWN = '''
from typing import ClassVar

from stages.operators.restorer import RESTORERS, Restorer
from stages.weights.has_weights import HasWeights
from stages.weights import WeightFile, Weights


@RESTORERS.register
class {name}(HasWeights, Restorer):
    """A model of the user's own."""

    kind: ClassVar[str] = "{kind}"
    weights: ClassVar[str] = "a server of the user's own"

    @property
    def published(self):
        file = WeightFile(name="w.bin", url="{url}", sha256={sha256!r}, size_bytes={size_bytes})
        return Weights(name="{kind}", source="a test", revision="r1", licence="CC-BY-4.0", files=(file,))

    def restore(self, batch, streams):
        return list(batch)
'''


@pytest.fixture
def server() -> Iterator[FileServer]:
    """Serve the weights."""
    with serving(FileServer(CONTENT)) as server:
        yield server


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep weights in a folder of the test's own."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    return tmp_path / "cache"


def config_with(folder: Path, server: FileServer, kind: str, *, pinned: bool = True) -> Path:
    """Return a config with a model of the user's own, whose weights are on the server."""
    known = {"sha256": DIGEST, "size_bytes": len(CONTENT)} if pinned else {"sha256": None, "size_bytes": None}
    source = OWN.format(name=kind.title(), kind=kind, url=server.url, **known)
    (folder / "own.py").write_text(source)
    restorers = [{"kind": kind}, {"kind": "identity"}]
    return written(folder, operators=["own.py"], restorers=restorers)


def typed(*words: object) -> Result:
    """Type ``python -m pipeline weights`` and ``words``."""
    return CliRunner().invoke(app, ["weights", *map(str, words)])


def listed(config: Path) -> dict[str, str]:
    """Return, by the name of the weights, whether ``weights list`` has them there, missing or wrong."""
    rows = (line.split() for line in typed("list", config).output.splitlines())
    return {row[0]: row[1] for row in rows if len(row) > 1}


def test_weights_are_listed_fetched_and_found(tmp_path: Path, server: FileServer, cache: Path) -> None:
    """A run is refused with the place in the config and the command; after that command it is not."""
    config = config_with(tmp_path, server, "own_pinned")
    (refused,) = mistakes(config)
    assert refused.startswith(
        f"{place_in(config, 'kind: own_pinned')}: restorers.0: the weights of own_pinned"
    )
    assert "python -m pipeline weights fetch own_pinned" in refused
    assert "own_pinned  missing  7.0 kB  CC-BY-4.0  own_pinned  a test at r1" in typed("list", config).output

    fetched = typed("fetch", config, "--yes")

    assert fetched.exit_code == 0, fetched.output
    assert "own_pinned: 7.0 kB, licence CC-BY-4.0, from a test at r1" in fetched.output
    assert "pin them" not in fetched.output
    assert (cache / "own_pinned" / "r1" / "w.bin").read_bytes() == CONTENT
    assert listed(config)["own_pinned"] == "there"
    assert "nothing to fetch" in typed("fetch", config, "--yes").output
    assert len(server.requests) == 1
    from pipeline.config.resolve import resolve  # noqa: PLC0415

    assert resolve(config).restorers[0].restorer.sha256 == DIGEST  # type: ignore[attr-defined]


def test_a_set_that_is_refused_does_not_keep_the_others_back(
    tmp_path: Path, server: FileServer, cache: Path
) -> None:
    """The first answers 401: the second is fetched all the same, and the end says what is lacking and why."""
    config_with(tmp_path, server, "own_gated")
    (tmp_path / "own.py").rename(tmp_path / "gated.py")
    config_with(tmp_path, server, "own_open")
    restorers = [{"kind": "own_gated"}, {"kind": "own_open"}]
    config = written(tmp_path, operators=["gated.py", "own.py"], restorers=restorers)
    server.statuses = [401]

    fetched = typed("fetch", config, "--yes")

    assert fetched.exit_code != 0
    assert (cache / "own_open" / "r1" / "w.bin").read_bytes() == CONTENT
    states = listed(config)
    assert (states["own_gated"], states["own_open"]) == ("missing", "there")
    said = str(fetched.exception)
    assert said.startswith("1 of 2 sets of weights could not be fetched")
    assert "own_gated: " in said
    assert "is not open to all (the server answers 401)" in said
    assert "without_weights" in said


def test_weights_of_unknown_digest_are_pinned_by_the_user(tmp_path: Path, server: FileServer) -> None:
    """The line to put into the config is printed, and said to be needed."""
    config = config_with(tmp_path, server, "own_unpinned", pinned=False)

    fetched = typed("fetch", config, "--yes")

    assert "their digest is not known" in fetched.output
    assert f"\n    sha256: {DIGEST}\n" in fetched.output


def test_wrong_weights_in_the_cache_are_refused_and_fetched_again(
    tmp_path: Path, server: FileServer, cache: Path
) -> None:
    """Never run with, always said."""
    config = config_with(tmp_path, server, "own_wrong")
    place = cache / "own_wrong" / "r1" / "w.bin"
    place.parent.mkdir(parents=True)
    place.write_bytes(b"something else")

    (refused,) = mistakes(config)
    assert f"not {DIGEST} as published" in refused
    assert listed(config)["own_wrong"] == "wrong"

    assert typed("fetch", config, "--yes").exit_code == 0
    assert place.read_bytes() == CONTENT


def test_every_missing_weight_is_said_at_once(tmp_path: Path, server: FileServer) -> None:
    """Of restorers, of metrics, and of a restorer within a degradation, each with its place."""
    config_with(tmp_path, server, "own_everywhere")
    spec = {"kind": "own_everywhere", "version": 1, "params": {}}
    config = written(
        tmp_path,
        operators=["own.py"],
        degradations={"chain": [{"kind": "restored_by", "restorer": spec}]},
        restorers=[{"kind": "own_everywhere"}, {"kind": "identity"}],
        metrics=[{"kind": "nisqa"}, {"kind": "pesq"}, {"kind": "estoi"}, {"kind": "spectral_envelope"}],
        preference={"criteria": ["nisqa_mos", "pesq", "estoi", "spectral_envelope"]},
        pools={},
    )

    said = mistakes(config)

    places = [line.split(": ")[1] for line in said if "weights fetch" in line]
    assert sorted(places) == ["degradations.chain.0", "metrics.0", "restorers.0"]
    assert listed(config)["own_everywhere"] == "missing"
    assert "nisqa" in listed(config)


def test_weights_that_are_refused_are_not_asked_for_in_vain(tmp_path: Path, server: FileServer) -> None:
    """The licence is said together with what is missing, before anybody fetches it."""
    config_with(tmp_path, server, "own_refused")
    config = written(
        tmp_path,
        operators=["own.py"],
        restorers=[{"kind": "own_refused"}, {"kind": "identity"}],
        allow_licences=["Apache-2.0", "MIT", "BSD-*", "LicenseRef-*", "CC0-1.0"],
    )

    said = "\n".join(mistakes(config))

    assert "own_refused is under the licence CC-BY-4.0, which allow_licences does not list" in said
    assert "weights fetch own_refused" in said


def test_one_step_stands_for_one_network(tmp_path: Path) -> None:
    """A drawn back end would need both; as two steps of a group each has its own."""
    both = {"kind": "neural_codec", "back_end": {"one_of": ["dac_transformers", "encodec"]}}
    config = written(tmp_path, pools={}, degradations={"chain": [both]})

    assert any("asks for one of several weights" in line for line in mistakes(config))


def test_weights_that_do_not_fit_on_the_disk_are_not_begun(
    tmp_path: Path, server: FileServer, cache: Path
) -> None:
    """All files of one model are counted before the first of them comes."""
    config = config_with(tmp_path, server, "own_vast")
    source = tmp_path / "own.py"
    size_bytes = 2 * shutil.disk_usage(tmp_path).free
    source.write_text(source.read_text().replace(f"size_bytes={len(CONTENT)}", f"size_bytes={size_bytes}"))

    refused = typed("fetch", config, "--yes")

    assert "make room" in str(refused.exception)
    assert not server.requests
    assert not (cache / "own_vast" / "r1" / "w.bin").exists()


def test_doctor_looks_into_another_cache(tmp_path: Path, server: FileServer) -> None:
    """Where ``weights fetch --cache`` has put them."""
    config = config_with(tmp_path, server, "own_doctored_elsewhere")
    write_clip(tmp_path / "voices" / "a.wav", 0, 1.6)
    other = tmp_path / "other"
    assert typed("fetch", config, "--yes", "--cache", other).exit_code == 0

    seen = CliRunner().invoke(app, ["doctor", str(config), "--cache", str(other)])

    assert seen.exit_code == 0, seen.output
    assert f"in {other}/own_doctored_elsewhere" in seen.output.replace("\n", "")


def test_doctor_says_what_is_missing_and_how_it_comes(tmp_path: Path, server: FileServer) -> None:
    """Size, licence, source and command while weights lack; after that where they are, and that they load.

    Also for a restorer within a degradation.
    """
    config_with(tmp_path, server, "own_doctored")
    spec = {"kind": "own_doctored", "version": 1, "params": {}}
    config = written(
        tmp_path,
        operators=["own.py"],
        pools={},
        degradations={"chain": [{"kind": "restored_by", "restorer": spec}]},
    )
    write_clip(tmp_path / "voices" / "a.wav", 0, 1.6)

    lacking = CliRunner().invoke(app, ["doctor", str(config)])

    row = "LACKS  own_doctored  7.0 kB, licence CC-BY-4.0, for own_doctored: missing; "
    assert (
        row + "'python -m pipeline weights fetch own_doctored' gets them from a test at r1" in lacking.output
    )
    assert "1 thing lacking" in str(lacking.exception)
    assert not server.requests, "doctor touches no network"

    assert typed("fetch", config, "--yes").exit_code == 0
    there = CliRunner().invoke(app, ["doctor", str(config)])

    assert there.exit_code == 0, there.output
    assert "ok  own_doctored  7.0 kB, licence CC-BY-4.0, for own_doctored: in " in there.output
    assert "degradation restored_by" in there.output
    assert "LACKS" not in there.output


@pytest.mark.parametrize(("licence", "is_fetched"), [("CC-BY-4.0", True), ("CC-BY-NC-4.0", False)])
def test_doctor_mends_what_asks_no_question(
    tmp_path: Path, server: FileServer, licence: str, *, is_fetched: bool
) -> None:
    """Weights whose licence asks for nothing are fetched; others stay on the list, with their command."""
    config = config_with(tmp_path, server, f"own_mended_{is_fetched}".lower())
    own = tmp_path / "own.py"
    own.write_text(own.read_text().replace("CC-BY-4.0", licence))
    write_clip(tmp_path / "voices" / "a.wav", 0, 1.6)

    seen = CliRunner().invoke(app, ["doctor", str(config), "--fix"])

    assert bool(server.requests) == is_fetched
    assert (seen.exit_code == 0) == is_fetched, seen.output
    assert ("to be done, in this order" in seen.output) != is_fetched
    step = f"weights are missing (7.0 kB, licence {licence}): python -m pipeline weights fetch own_mended"
    assert (f"  1. own_mended_{is_fetched}: {step}".lower() in seen.output.lower()) != is_fetched


ALONE = """
import os, pathlib
from unanimous_worker import serve

class Alone:
    def load(self, device, weights):
        diary = pathlib.Path(os.environ["DIARY"])
        others = [int(pid) for pid in diary.read_text().split()]
        assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in others), "another is still loaded"
        diary.write_text(f"{os.getpid()} {diary.read_text()}")

serve(Alone())
"""


def test_doctor_loads_one_model_after_the_other(tmp_path: Path) -> None:
    """Several large ones need not fit into memory together: each is let go before the next comes."""
    (tmp_path / "alone.py").write_text(ALONE)
    (tmp_path / "diary").write_text("")
    model = {"kind": "external", "interpreter_path": sys.executable, "script_path": "alone.py"}
    model["environment_variables"] = {"DIARY": str(tmp_path / "diary")}
    config = written(tmp_path, restorers=[{**model, "name": name} for name in "abc"])
    write_clip(tmp_path / "voices" / "a.wav", 0, 1.6)

    seen = CliRunner().invoke(app, ["doctor", str(config)])

    assert seen.exit_code == 0, seen.output
    assert len((tmp_path / "diary").read_text().split()) == 3


def test_nothing_is_fetched_without_consent(tmp_path: Path, server: FileServer) -> None:
    """Nobody at the keyboard, no --yes: the licences are shown, and that is all."""
    config = config_with(tmp_path, server, "own_asked")

    refused = typed("fetch", config)

    assert "licence CC-BY-4.0" in refused.output
    assert "say --yes" in str(refused.exception)
    assert not server.requests


def test_another_cache_can_be_named(tmp_path: Path, server: FileServer, cache: Path) -> None:
    """By option, for one command."""
    config = config_with(tmp_path, server, "own_elsewhere")

    assert typed("fetch", config, "--yes", "--cache", tmp_path / "other").exit_code == 0

    assert (tmp_path / "other" / "own_elsewhere" / "r1" / "w.bin").exists()
    assert not cache.exists()


def test_a_name_that_nothing_has_is_refused() -> None:
    """With the closest one."""
    refused = typed("fetch", "gtcrm", "--yes")

    assert "did you mean 'gtcrn'?" in str(refused.exception)
    assert typed("list").exit_code == 0


def test_a_server_that_sends_something_else_is_an_error(tmp_path: Path, server: FileServer) -> None:
    """Named with both digests; nothing is left in the cache."""
    config = config_with(tmp_path, server, "own_swapped")
    server.content = CONTENT[::-1]

    refused = typed("fetch", config, "--yes")

    assert isinstance(refused.exception, MissingWeightsError)
    assert DIGEST in str(refused.exception)
    assert listed(config)["own_swapped"] == "missing"
