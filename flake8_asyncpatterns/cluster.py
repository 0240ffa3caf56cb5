"""Other machines: an Executor on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

from .misuse import Misuse
from .tuples import NamedTuple

SCHEME = "dask://"
# Seconds for which a scheduler is given time to answer.
PATIENCE = 10


class Cluster(NamedTuple):
    """The number of its workers, an Executor that has them work, and whether its scheduler is still there."""

    workers: int
    executor: Executor
    alive: Callable[[], bool]


def connect(url: str) -> Cluster:
    """The cluster of this scheduler. Raises Misuse when there is none to be had."""
    if not url.startswith(SCHEME) or not url.removeprefix(SCHEME):
        raise Misuse(f"--executor {url!r}: known is {SCHEME}HOST:PORT")
    try:
        from distributed import Client
    except ImportError:
        raise Misuse("--executor dask://… needs `pip install 'flake8-asyncpatterns[dask]'`") from None
    address = f"tcp://{url.removeprefix(SCHEME)}"
    try:
        client: Any = Client(address, timeout=PATIENCE, set_as_default=False)  # type: ignore[no-untyped-call]  # no types
    except (OSError, ValueError) as error:
        raise Misuse(f"--executor {url}: {str(error).partition(chr(10))[0] or 'no answer'}") from None
    workers = max(1, sum(client.nthreads().values()))
    executor: Executor = client.get_executor(pure=False)
    return Cluster(workers, executor, lambda: client.status == "running")
