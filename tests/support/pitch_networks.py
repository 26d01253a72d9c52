"""A small CREPE with random weights, under the names that its checkpoints have."""

from pathlib import Path

_TAPS = 8


def write_crepe(folder: Path) -> Path:
    """Write a CREPE with few channels and taps."""
    import torch  # noqa: PLC0415

    from stages.networks.crepe import CrepeNetwork  # noqa: PLC0415

    torch.manual_seed(0)
    widths = [1, 2, 2, 2, 2, 2, 8]
    shapes = {f"conv{layer}.weight": (widths[layer], widths[layer - 1], _TAPS, 1) for layer in range(1, 7)}
    sizes = {name: torch.empty(shape) for name, shape in {**shapes, "classifier.weight": (360, 32)}.items()}
    state = CrepeNetwork(sizes, folder).state_dict()
    state["classifier.bias"] = torch.full((360,), 1.0)  # else no frame is voiced and no law has a value
    torch.save(state, folder / "crepe.pth")
    return folder / "crepe.pth"
