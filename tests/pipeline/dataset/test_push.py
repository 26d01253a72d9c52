"""``export --push`` against a stand-in of the hub: what is uploaded, for whom to see, and what is refused.

Files go through LFS here; the hub's own Xet transfer has no stand-in.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from tests.support.command_line import files_below, written
from tests.support.forked_commands import typed
from tests.support.hub_server import Hub, serving


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the small config, with a finished run in ``workspace``."""
    folder = tmp_path_factory.mktemp("push")
    ran = typed("run", written(folder), "--executor", "local", "--workspace", folder / "workspace")
    assert ran.returncode == 0, ran.stderr
    return folder


@pytest.fixture
def hub() -> Iterator[Hub]:
    """Return a hub that listens."""
    with serving(Hub()) as listening:
        yield listening


def _pushed(
    small: Path, *options: str, endpoint: str, token: str = "hf_right", **environment: str
) -> "CompletedProcess[str]":
    """Type ``export --push me/pairs`` with nobody's token."""
    known = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    command = ["export", small / "small.yaml", "--workspace", small / "workspace", "--push", "me/pairs"]
    known |= {"HF_ENDPOINT": endpoint, "HF_TOKEN": token, "HF_HOME": str(small / "hub")}
    return typed(*command, *options, environment={**known, "HF_HUB_DISABLE_XET": "1", **environment})


def test_every_file_arrives_in_a_private_repository(small: Path, hub: Hub) -> None:
    """The repository is made, nobody else sees it, and it holds the dataset's bytes; the address is said."""
    pushed = _pushed(small, endpoint=hub.url)

    assert pushed.returncode == 0, pushed.stderr
    assert f"uploaded: {hub.url}/datasets/me/pairs" in pushed.stdout
    assert hub.visibility == {"me/pairs": "private"}
    there = {name: data for name, data in hub.repos["me/pairs"].items() if name != ".gitattributes"}
    assert there == files_below(small / "workspace" / "dataset")
    assert {name.partition("/")[0] for name in there} == {
        *("README.md", "unanimous.json", "pairs", "candidates", "scores")
    }


def test_files_of_an_earlier_dataset_go(small: Path, hub: Hub) -> None:
    """Shards that are no longer part of a table would be read with it; other files are somebody's own."""
    hub.repos["me/pairs"] = {"pairs/train-00001-of-00002.parquet": b"old", "notes.txt": b"mine"}
    hub.visibility["me/pairs"] = "public"

    pushed = _pushed(small, endpoint=hub.url)

    assert pushed.returncode == 0, pushed.stderr
    assert hub.repos["me/pairs"]["notes.txt"] == b"mine"
    assert "pairs/train-00001-of-00002.parquet" not in hub.repos["me/pairs"]
    assert hub.visibility == {"me/pairs": "public"}


def test_public_only_when_asked(small: Path, hub: Hub) -> None:
    """With --public a new repository is open."""
    assert _pushed(small, "--public", endpoint=hub.url).returncode == 0
    assert hub.visibility == {"me/pairs": "public"}


@pytest.mark.parametrize(
    ("token", "may_write", "said"),
    [
        ("hf_wrong", True, "does not accept the token: make another, and set HF_TOKEN"),
        ("hf_right", False, "the token may not write to me/pairs"),
        ("", True, "--push needs a token that may write: set HF_TOKEN, or log in with 'hf auth login'"),
    ],
)
def test_who_may_not_write_is_told_what_to_do(
    token: str,
    may_write: bool,  # noqa: FBT001
    said: str,
    small: Path,
    hub: Hub,
) -> None:
    """Each mistake in a line, with exit code 2 and nothing uploaded."""
    hub.may_write = may_write

    pushed = _pushed(small, endpoint=hub.url, token=token)

    assert pushed.returncode == 2, pushed.stdout + pushed.stderr
    assert said in pushed.stderr
    assert "Traceback" not in pushed.stderr
    assert not hub.repos


def test_without_network_the_dataset_is_written_all_the_same(small: Path) -> None:
    """A hub that nobody answers for: exit code 1, and the way on."""
    pushed = _pushed(small, endpoint="http://127.0.0.1:9")

    assert pushed.returncode == 1
    assert "cannot be reached" in pushed.stderr
    assert "the same command uploads it once there is a network" in pushed.stderr
    assert (small / "workspace" / "dataset" / "README.md").is_file()


def test_offline_and_misspelled_are_refused_before_anything_is_written(small: Path, hub: Hub) -> None:
    """The user's own word that there is no network counts; and a name must be one."""
    offline = _pushed(small, endpoint=hub.url, HF_HUB_OFFLINE="1")
    misspelled = _pushed(small, "--push", "me/my pairs", endpoint=hub.url)

    assert (offline.returncode, misspelled.returncode) == (2, 2)
    assert "HF_HUB_OFFLINE is set" in offline.stderr
    assert "--push me/my pairs: " in misspelled.stderr
    assert not hub.repos


def test_a_card_that_the_hub_refuses_is_said_in_its_words(small: Path, hub: Hub) -> None:
    """Exit code 1 and the hub's reason; no file is uploaded before the card is known to be good."""
    hub.refuses = '"language[0]" must be one of the languages that there are'

    pushed = _pushed(small, endpoint=hub.url)

    assert pushed.returncode == 1, pushed.stdout + pushed.stderr
    assert hub.refuses in pushed.stderr
    assert "Traceback" not in pushed.stderr
    assert not hub.objects
