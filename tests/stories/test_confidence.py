"""A model that says how sure it is of a take: the number is in the dataset, and a veto looks at it."""

from pathlib import Path

import pyarrow.parquet as pq

from tests.support import tiny
from tests.support.forked_commands import typed

MODEL = """
import numpy as np

class Sure:
    version = 1

    def __init__(self, gain, confidence=None):
        self.gain, self.confidence = gain, confidence

    def load(self, device, weights):
        pass

    def restore(self, samples, sample_rate, stream):
        restored = samples + self.gain * stream.standard_normal(samples.size).astype(np.float32)
        return restored if self.confidence is None else (restored, self.confidence)
"""


def test_what_its_model_doubts_is_not_chosen(tmp_path: Path) -> None:
    """Two models say how sure they are and one does not: the doubtful best one wins nothing."""
    tiny.write_speech(tmp_path / "speech", ["a", "b"], seconds=1.0)
    (tmp_path / "sure.py").write_text(MODEL)
    of_model = {
        "doubtful": {"gain": 0.0, "confidence": -4.0},
        "sure": {"gain": 0.02, "confidence": -0.5},
        "silent": {"gain": 0.2},
    }
    config = tiny.cheap_config(
        tmp_path / "speech",
        operators=[str(tmp_path / "sure.py")],
        restorers=[
            {"kind": "python", "target": "sure:Sure", "name": name, "settings": settings}
            for name, settings in of_model.items()
        ],
    )
    config["preference"]["vetoes"] = [{"min_confidence": -2.0, "unmeasured": "pass"}]

    tiny.run(tiny.write_config(tmp_path, config), tmp_path / "run", "--executor", "local")

    pairs = pq.read_table(tmp_path / "run" / "dataset" / "pairs").to_pylist()
    candidates = pq.read_table(tmp_path / "run" / "dataset" / "candidates").to_pylist()
    assert {row["model"]: row["confidence"] for row in candidates if row["kind"] == "restored"} == {
        name: settings.get("confidence") for name, settings in of_model.items()
    }
    assert {row["chosen_model"] for row in pairs} == {"sure"}
    assert {(row["chosen_confidence"], row["rejected_confidence"]) for row in pairs} == {(-0.5, None)}
    card = (tmp_path / "run" / "dataset" / "README.md").read_text()
    assert "chosen confidence under -2" in card
    verified = typed("verify", tmp_path / "run" / "dataset", "--operators", tmp_path / "sure.py")
    assert verified.returncode == 0, verified.stdout
