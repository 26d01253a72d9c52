"""SpeechBrain's networks are taken without what its import does to others."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
SCRIPT = """
import os
import torch
from stages.networks.speechbrain_lobes import import_lobe


def settings():
    profiling = torch._C._jit_set_profiling_executor(True), torch._C._jit_set_profiling_mode(True)
    exact = torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32
    return *profiling, *exact, torch.get_float32_matmul_precision(), os.environ.get("SB_DISABLE_QUIRKS")


before = settings()
import_lobe("models.ECAPA_TDNN")
print(before)
print(settings())
"""


def test_numbers_of_others_stay_as_exact_as_they_were() -> None:
    """Precision of matrix products and compilation of TorchScript, in a process that has not seen it yet."""
    ran = subprocess.run([sys.executable, "-c", SCRIPT], cwd=ROOT, capture_output=True, text=True, check=True)

    before, after = ran.stdout.splitlines()
    assert after == before
