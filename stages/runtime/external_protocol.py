"""What is said to a worker of another interpreter: frames over its standard streams.

A frame is four bytes of length (little-endian), a header of that length in JSON, then the arrays as
little-endian float32, one after the other; ``arrays`` in the header says how many samples each has. There is
one question and one answer at a time:

``load`` (device, weights) is answered by ``loaded`` (protocol, name, sample_rate, output_rate, sampling,
licence);
``restore`` (sample_rate, seeds, settings, arrays) by ``restored`` (arrays, and ``confidences``, a number or
null for each, if the model gives any); either by ``missing`` or
``failed`` (type, message). ``stages/restorers/workers/unanimous_worker.py`` is the other side.
"""

import json
import struct
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from stages.audio.waveform import Samples
from stages.runtime.child_process import ChildProcess

PROTOCOL = 1
_LENGTH = struct.Struct("<I")
SAMPLE_BYTES = 4
LONGEST_HEADER = 1 << 20


class GarbledError(Exception):
    """What came back is no frame."""


def ask_worker(
    worker: ChildProcess, header: Mapping[str, Any], arrays: Sequence[Samples], timeout_s: float
) -> tuple[Mapping[str, Any], Sequence[Samples]]:
    """Return the header and the arrays of the answer.

    Raises ``DiedError`` or ``HungError`` for a worker that gives none in time, and ``GarbledError``.
    """
    deadline = time.monotonic() + timeout_s
    body = json.dumps({**header, "arrays": [array.size for array in arrays]}).encode()
    raw = [np.ascontiguousarray(array, dtype="<f4").tobytes() for array in arrays]
    worker.send(b"".join([_LENGTH.pack(len(body)), body, *raw]), timeout_s)
    (length,) = _LENGTH.unpack(worker.receive(_LENGTH.size, deadline))
    if length > LONGEST_HEADER:
        raise GarbledError
    answer = _header(worker.receive(length, deadline))
    return answer, [
        np.frombuffer(worker.receive(SAMPLE_BYTES * count, deadline), dtype="<f4").astype(np.float32)
        for count in answer["arrays"]
    ]


def _header(body: bytes) -> Mapping[str, Any]:
    try:
        header = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise GarbledError from error
    counts = header.get("arrays") if isinstance(header, dict) else None
    if not isinstance(counts, list) or not all(isinstance(n, int) and n >= 0 for n in counts):
        raise GarbledError
    if not isinstance(header.get("answer"), str):
        raise GarbledError
    return dict(header)
