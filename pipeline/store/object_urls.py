"""URLs of object stores, and what a client is told by the environment: as each ecosystem's own tools are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from schemas import WorkspaceError

SCHEMES: Mapping[str, str] = {"s3": "S3", "gs": "Google Cloud Storage", "az": "Azure Blob Storage"}
_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_TIMEOUT = "120s"
"""For one request; a part of a large file that takes longer is sent again."""


def is_store_url(text: str) -> bool:
    """Whether it is a URL and no path."""
    return "://" in text


def split_url(text: str) -> str:
    """Return a URL of an object store without the slash at its end.

    Raises ``WorkspaceError`` for another scheme, without a bucket, and for what holds a secret.
    """
    url = urlsplit(text)
    if url.scheme not in SCHEMES:
        known = ", ".join(f"{scheme}:// ({name})" for scheme, name in SCHEMES.items())
        raise WorkspaceError(f"{url.scheme}:// is no object store that is known here; give one of {known}")
    if "@" in url.netloc or url.query or url.fragment:
        raise WorkspaceError(
            "a URL of an object store is a bucket and a folder; credentials go into the environment, where "
            "no log and no table sees them"
        )
    if not url.netloc:
        raise WorkspaceError(f"{text} names no bucket")
    return text.rstrip("/")


def client_settings_of(url: str, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what the client is told beside what it reads from the environment itself."""
    found: dict[str, Any] = {"client_options": {"timeout": _TIMEOUT}}
    if url.startswith("s3://"):
        endpoint = next((environment[name] for name in _ENDPOINTS if environment.get(name)), None)
        if endpoint is not None:
            found["endpoint"] = endpoint
            found["client_options"]["allow_http"] = endpoint.startswith("http://")
        if (provider := _profile_credentials(environment)) is not None:
            found["credential_provider"] = provider
    return found


def _profile_credentials(environment: Mapping[str, str]) -> Any:
    """Return what reads credentials from a profile, as ``aws configure`` leaves them; None if there is none.

    Raises ``WorkspaceError`` for a profile that is asked for and cannot be read, which takes boto3.
    """
    place = environment.get("AWS_SHARED_CREDENTIALS_FILE") or Path.home() / ".aws" / "credentials"
    is_asked_for = "AWS_PROFILE" in environment
    if "AWS_ACCESS_KEY_ID" in environment or not (is_asked_for or Path(place).is_file()):
        return None
    try:
        from obstore.auth.boto3 import Boto3CredentialProvider  # noqa: PLC0415
    except ImportError as error:
        if not is_asked_for:  # a machine's own role may do
            return None
        raise WorkspaceError(
            "credentials in a profile are read by boto3, which is not here: pip install boto3, or set "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        ) from error
    return Boto3CredentialProvider()
