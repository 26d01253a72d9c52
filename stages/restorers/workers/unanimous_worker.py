"""What a restoration model's own environment runs: it answers the frames of ``external`` restorers.

One file for any Python from 3.8 on; it needs the standard library and numpy, and nothing of Unanimous. A
worker script says what its model is and hands it to ``serve``::

    from unanimous_worker import serve

    class Louder:
        sample_rate = 16000

        def load(self, device, weights):
            self.gain = 2.0

        def restore(self, samples, sample_rate, seed, settings):
            return self.gain * samples

    serve(Louder())

Standard output carries the frames, so it is taken away from everybody else: what the model prints goes to
standard error. README.md beside this file describes the frames and what a model may declare.
"""

import fcntl
import json
import os
import random
import signal
import struct
import sys
import threading
import time
import traceback
from contextlib import contextmanager

import numpy as np

PROTOCOL = 1
LENGTH = struct.Struct("<I")
GRACE_S = 5
HARMLESS = {}
"""By file of weights, its SHA-256 and the classes that it may name; ``unanimous_weights`` reads so."""


class MissingError(Exception):
    """What the model needs, weights or a package, is not there."""


def serve(model):
    """Answer until the parent is gone. Does not return before."""
    questions, answers = _own_streams()
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    while True:
        question = _read(questions)
        if question is None:
            os.kill(_family(), signal.SIGKILL)
        header, arrays = question
        with _bounded(questions, int(header.get("timeout_s", 600)) + GRACE_S):
            answer, restored = _tried(model, header, arrays)
        _write(answers, answer, restored)


def seed_everything(seed):
    """Set the global generators of Python, numpy and, if it is loaded, torch."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.manual_seed(seed % 2**63)  # those of every GPU, too


def _tried(model, header, arrays):
    try:
        return _answered(model, header, arrays)
    except SystemExit as error:
        if header["ask"] == "load":  # what was printed before tells more
            raise
        return _refusal(error), []
    except Exception as error:  # the parent decides what a failure means
        return _refusal(error), []


def _answered(model, header, arrays):
    if header["ask"] == "load":
        HARMLESS.update(header.get("harmless") or {})
        model.load(header["device"], header["weights"])
        return _introduction(model), []
    made = [_with_confidence(each) for each in _restored(model, header, arrays)]
    confidences = [confidence for _, confidence in made]
    said = {} if all(each is None for each in confidences) else {"confidences": confidences}
    return dict(said, answer="restored"), [_one_row(each) for each, _ in made]


def _restored(model, header, arrays):
    """Yield what the model makes of each array, all of them at once if it can."""
    sample_rate, seeds, settings = header["sample_rate"], header["seeds"], header["settings"]
    if len(arrays) > 1 and hasattr(model, "restore_batch"):
        seed_everything(seeds[0])
        yield from model.restore_batch(arrays, sample_rate, seeds, settings)
        return
    for samples, seed in zip(arrays, seeds):
        seed_everything(seed)
        yield model.restore(samples, sample_rate, seed, settings)


def _introduction(model):
    return {
        "answer": "loaded",
        "protocol": PROTOCOL,
        "name": getattr(model, "name", type(model).__name__),
        "sample_rate": getattr(model, "sample_rate", None),
        "output_rate": getattr(model, "output_rate", None),
        "sampling": bool(getattr(model, "sampling", False)),
        "licence": getattr(model, "licence", None),
        "proof": getattr(model, "proof", None),
    }


def _with_confidence(made):
    """Return what was made and its confidence, which a model may give with it as a pair; else None."""
    if isinstance(made, tuple) and len(made) == 2:  # noqa: PLR2004 - samples and a number
        samples, confidence = made
        confidence = float(confidence)
        return samples, confidence if np.isfinite(confidence) else None
    return made, None


def _one_row(made):
    """Return the samples of an array or tensor in which all axes but one are of length one."""
    if hasattr(made, "detach"):
        made = made.detach().cpu().float().numpy()
    samples = np.asarray(made, dtype="<f4")
    if samples.size != max(samples.shape, default=0):
        raise ValueError(f"the model gave an array of shape {samples.shape}, not one waveform")
    return samples.reshape(-1)


def _refusal(error):
    kind = "missing" if isinstance(error, (MissingError, ImportError)) else "failed"
    traceback.print_exc()  # to standard error, whose end the parent keeps for its log
    return {"answer": kind, "type": type(error).__name__, "message": str(error)}


def _own_streams():
    """Return the frames' streams, and keep everyone else's prints and reads away from them."""
    questions = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return questions, answers


@contextmanager
def _bounded(questions, seconds):
    """Have the system end what goes on inside when time is up or the parent is gone.

    Even what hangs in foreign code, which no thread of Python's can interrupt: signals do.
    """
    flags = fcntl.fcntl(questions, fcntl.F_GETFL)
    fcntl.fcntl(questions, fcntl.F_SETOWN, _family())
    fcntl.fcntl(questions, fcntl.F_SETFL, flags | os.O_ASYNC)  # SIGIO, once the other end is closed
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        fcntl.fcntl(questions, fcntl.F_SETFL, flags)


def _end_with_parent(parent):
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(_family(), signal.SIGKILL)


def _family():
    """Return whom to kill: this process and all that it has started, unless others share its group."""
    return -os.getpid() if os.getpgrp() == os.getpid() else os.getpid()


def _read(stream):
    """Return the next header and its arrays, or None once the parent is gone."""
    head = stream.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    header = json.loads(stream.read(*LENGTH.unpack(head)).decode("utf-8"))
    arrays = [np.frombuffer(stream.read(4 * count), dtype="<f4").copy() for count in header["arrays"]]
    return header, arrays


def _write(stream, header, arrays):
    body = json.dumps(dict(header, arrays=[array.size for array in arrays])).encode("utf-8")
    left = memoryview(b"".join([LENGTH.pack(len(body)), body] + [array.tobytes() for array in arrays]))
    while left:
        left = left[stream.write(left) :]
