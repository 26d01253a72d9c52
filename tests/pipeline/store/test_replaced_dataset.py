"""A dataset's folder is replaced whole or stays as it was."""

from pathlib import Path

import pytest

from pipeline.store.dataset_files import DatasetFiles


@pytest.fixture
def dataset(tmp_path: Path) -> DatasetFiles:
    """Return a dataset that is there."""
    made = DatasetFiles(tmp_path / "dataset")
    with made.replaced() as draft:
        draft.write("README.md", "old")
    return made


def test_a_new_dataset_takes_the_place_of_the_old_one(dataset: DatasetFiles) -> None:
    """Nothing of the old one is left in it, and nothing beside it."""
    with dataset.replaced() as draft:
        draft.write("unanimous.json", "new")
        assert dataset.names() == ["README.md"]

    assert dataset.names() == ["unanimous.json"]
    assert dataset.read("unanimous.json") == b"new"
    assert [path.name for path in dataset.folder.parent.iterdir()] == ["dataset"]


def test_what_breaks_off_leaves_the_old_dataset(dataset: DatasetFiles) -> None:
    """Whatever is raised while it is written, what was written goes."""
    with pytest.raises(KeyboardInterrupt):
        break_off(dataset)

    assert dataset.read("README.md") == b"old"
    assert [path.name for path in dataset.folder.parent.iterdir()] == ["dataset"]


def test_what_a_killed_writer_left_is_no_hindrance(dataset: DatasetFiles) -> None:
    """Its draft, and the dataset that it had set aside, go before anything is written."""
    for name in (".dataset.unanimous-draft", ".dataset.unanimous-old"):
        (dataset.folder.parent / name / "pairs").mkdir(parents=True)

    with dataset.replaced() as draft:
        assert draft.names() == []

    assert [path.name for path in dataset.folder.parent.iterdir()] == ["dataset"]


def test_a_discarded_dataset_has_gone(dataset: DatasetFiles) -> None:
    """It can be discarded again, and one folder is one dataset however it is called."""
    assert dataset == DatasetFiles(dataset.folder)
    for _ in range(2):
        dataset.discard()

    assert not dataset.is_there
    assert dataset.names() == dataset.names("pairs") == []
    with pytest.raises(FileNotFoundError):
        dataset.read("README.md")


def break_off(dataset: DatasetFiles) -> None:
    """Begin to replace a dataset, and be interrupted."""
    with dataset.replaced() as draft:
        draft.write("README.md", "new")
        raise KeyboardInterrupt
