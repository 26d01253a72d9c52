"""Uploading a dataset to the Hugging Face hub: only when asked to, and private unless asked otherwise."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path

from pipeline.store.dataset_columns import TABLES
from schemas import RunError, UserError


def check_access(repo: str) -> None:
    """See before anything is written that there is a name to upload to, and somebody to do it.

    Touches no network. Raises ``UserError``.
    """
    from huggingface_hub import constants, get_token  # noqa: PLC0415
    from huggingface_hub.errors import HFValidationError  # noqa: PLC0415
    from huggingface_hub.utils import validate_repo_id  # noqa: PLC0415

    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise UserError(f"--push {repo}: {error}") from error
    if constants.HF_HUB_OFFLINE:
        raise UserError("--push needs the network, and HF_HUB_OFFLINE is set: unset it")
    if get_token() is None:
        raise UserError(
            "--push needs a token that may write: set HF_TOKEN, or log in with 'hf auth login'; tokens are "
            f"made at {constants.ENDPOINT}/settings/tokens"
        )


def push(folder: Path, repo: str, *, public: bool) -> str:
    """Upload the dataset in ``folder`` to ``repo``, made if it is not there, and return its address.

    Files of tables that an earlier upload left there, and that are no longer in the dataset, go. An existing
    repository keeps its visibility. Interrupted, the same call goes on with what is missing. Raises
    ``UserError`` where the token is refused, ``RunError`` where the hub cannot be reached or refuses it.
    """
    from huggingface_hub import HfApi  # noqa: PLC0415

    api = HfApi(library_name="unanimous")
    with _explain_failures(repo, api.endpoint):
        created = api.create_repo(repo, repo_type="dataset", private=not public, exist_ok=True)
        api.upload_folder(
            folder_path=folder,
            repo_id=created.repo_id,
            repo_type="dataset",
            commit_message="Dataset written by Unanimous",
            delete_patterns=[f"{table}/*" for table in TABLES],
        )
    return str(created)


@contextmanager
def _explain_failures(repo: str, endpoint: str) -> Iterator[None]:
    """Say what to do about what the hub or the line to it says."""
    from huggingface_hub.errors import HfHubHTTPError, HTTPError  # noqa: PLC0415

    try:
        yield
    except HfHubHTTPError as error:
        status = error.response.status_code
        if status == HTTPStatus.UNAUTHORIZED:
            raise UserError(
                f"{endpoint} does not accept the token: make another, and set HF_TOKEN"
            ) from error
        if status == HTTPStatus.FORBIDDEN:
            raise UserError(f"the token may not write to {repo} at {endpoint}: give it that right") from error
        raise RunError(f"{endpoint} answered {status} for {repo}: {error}") from error
    except ValueError as error:  # the card is checked before anything is uploaded
        raise RunError(f"{endpoint} does not take the dataset: {error}") from error
    except (HTTPError, OSError) as error:
        raise RunError(
            f"{endpoint} cannot be reached ({type(error).__name__}): the dataset is written, and the same "
            "command uploads it once there is a network"
        ) from error
