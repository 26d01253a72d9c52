"""A cluster that is named and not there is said to be missing at once."""

import socket

import pytest

from pipeline.execution.ray.cluster import check_answers
from schemas import RunError


def _listening() -> socket.socket:
    return socket.create_server(("127.0.0.1", 0))


def test_nobody_listens() -> None:
    """The address, its variable and the way out; Ray would try for minutes."""
    with _listening() as server:
        port = server.getsockname()[1]

    with pytest.raises(
        RunError, match=rf"^no Ray cluster answers at 127\.0\.0\.1:{port}, .* unset RAY_ADDRESS"
    ):
        check_answers(f"127.0.0.1:{port}")


def test_somebody_listens() -> None:
    """Whether it is Ray, Ray finds out."""
    with _listening() as server:
        check_answers(f"127.0.0.1:{server.getsockname()[1]}")


@pytest.mark.parametrize("address", ["", "auto", "local", "ray://head:10001"])
def test_what_is_no_host_and_port_is_left_to_ray(address: str) -> None:
    """It has other ways to find a cluster."""
    check_answers(address)
