"""An environment checked: its worker runs on random weights in upstream's layout, for a second of audio."""

import os
import tempfile
from pathlib import Path

import numpy as np

from pipeline.environments.make import run_tool
from schemas import RunError
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.restorers.common.worker import PublishedWorker
from stages.runtime.external_model import LIBRARY, OFFLINE

SCRIPT = LIBRARY / "random_weights.py"
ANY_RATE_HZ = 16_000


def check_environment(model: PublishedWorker, device: str = "cpu") -> str:
    """Return what came of a second of noise. Raises ``RunError`` if weights are not what the model runs on.

    The random weights of some models are gigabytes, which lie in the folder of temporary files meanwhile.
    """
    with tempfile.TemporaryDirectory() as place:
        write_drawn_weights(model, Path(place))
        files = model.published.files if model.published else ()
        path = Path(place) / files[0].name if len(files) == 1 else Path(place)
        drawn = model.model_copy(update={"path": path, "sha256": None}).with_digests()
        drawn.load(device)
        try:
            return _try_twice(drawn)
        finally:
            drawn.close()


def write_drawn_weights(model: PublishedWorker, folder: Path) -> None:
    """Write random weights of ``model`` into ``folder``, by its own code in its environment."""
    repository = model.repository
    paths = [str(path.absolute()) for path in (repository, LIBRARY) if path is not None]
    command = [str(model.interpreter.absolute()), str(SCRIPT), model.kind, str(folder)]
    run_tool(command, repository or folder, PYTHONPATH=os.pathsep.join(paths), **OFFLINE)


def _try_twice(model: PublishedWorker) -> str:
    rate = model.sample_rate or ANY_RATE_HZ
    noise = 0.1 * rng_for(0, "check").standard_normal(rate).astype(np.float32)
    one, two = (model.restore([Waveform(noise, rate)], [rng_for(0, "take")])[0] for _ in range(2))
    if not np.array_equal(one.samples, two.samples):
        raise RunError(f"{model.kind}: the same seed gives other samples")
    if not np.isfinite(one.samples).all():
        raise RunError(f"{model.kind}: what comes out is no number")
    return (
        f"{model.kind}: runs on the weights that it is given; 1.00 s gives {one.duration_s:.2f} s at "
        f"{one.sample_rate} Hz, the same twice"
    )
