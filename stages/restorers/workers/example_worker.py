"""An example of a worker: an expander that turns noise down between words, and adds a breath.

It stands for a model with an environment of its own, a random part and a setting; numpy is all that it needs.
"""

import numpy as np

from unanimous_worker import serve

FRAME_S = 0.02


class Expander:
    """What is within ``floor_db`` of the quietest tenth of the frames is turned down by 20 dB."""

    name = "expander"
    sample_rate = None  # any rate will do
    sampling = True
    licence = "Apache-2.0"

    def load(self, device, weights):
        """Bring the model to ``device``; ``weights`` is the file or folder that ``path`` names, or None."""
        self.gain = 0.1

    def restore(self, samples, sample_rate, seed, settings):
        """Return as many samples as come in. The global generators are set from ``seed`` already."""
        frame = max(1, round(FRAME_S * sample_rate))
        frames = np.pad(samples, (0, -samples.size % frame)).reshape(-1, frame)
        level_db = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
        quiet = level_db < np.quantile(level_db, 0.1) + settings.get("floor_db", 6.0)
        gains = np.repeat(np.where(quiet, self.gain, 1.0), frame)[: samples.size]
        breath = 1e-4 * np.random.standard_normal(samples.size)
        return gains * samples + breath


serve(Expander())
