"""What torch itself can compute on this processor, asked by doing it; as a script, it prints the answer."""

import sys

import torch

KERNELS = __file__


def computes(layer: str, precision: str) -> bool:
    """Whether a tiny ``linear`` or ``lstm`` layer can be asked in ``bfloat16`` or ``float16``."""
    tiny = {"linear": torch.nn.Linear, "lstm": torch.nn.LSTM}[layer](4, 4)
    try:
        with torch.inference_mode(), torch.autocast("cpu", dtype=getattr(torch, precision)):
            tiny(torch.zeros(2, 3, 4))
    except RuntimeError:
        return False
    return True


if __name__ == "__main__":
    sys.stdout.write(f"{computes(*sys.argv[1:])}")
