"""Trained networks as files: one for each part, its weights and sizes, all of a set in one folder."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import nn

from schemas import MissingWeightsError
from stages.networks.generative.autoregressive import AutoregressiveNetwork
from stages.networks.generative.codes import NUM_CODES, NUM_STAGES, GainCodes
from stages.networks.generative.estimate import Estimator, EstimatorSettings
from stages.networks.generative.flow import FlowNetwork, GeneratorSettings
from stages.networks.generative.gains import NUM_BANDS
from stages.networks.generative.masked import MaskedNetwork
from stages.networks.loading import with_state

SETTINGS_KEY = "settings"
SHIPPED = Path(__file__).parent / "weights"
"""The set that comes with this package."""


def part_file(folder: Path, part: str) -> Path:
    """Return where a part lies: ``estimate``, ``codes``, ``fm``, ``mgm`` or ``ar``."""
    return folder / f"{part}.safetensors"


def make_part(part: str, settings: Mapping[str, Any]) -> nn.Module:
    """Return the network of a part, untrained. Raises ``ValueError`` for settings of something else."""
    match part:
        case "estimate":
            return Estimator(EstimatorSettings.model_validate(settings))
        case "codes":
            return GainCodes(NUM_BANDS)
        case "fm":
            return FlowNetwork(GeneratorSettings.model_validate(settings))
        case "mgm":
            return MaskedNetwork(GeneratorSettings.model_validate(settings), NUM_STAGES, NUM_CODES)
        case "ar":
            return AutoregressiveNetwork(GeneratorSettings.model_validate(settings), NUM_STAGES, NUM_CODES)
    raise ValueError(f"there is no part {part!r}")


def save_part(network: Any, part: str, folder: Path) -> None:
    """Write a part in 16 bits to ``folder``, which is made; ``load_part`` gives back what this leaves."""
    from safetensors.torch import save_file  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().half().contiguous() for name, value in network.state_dict().items()}
    settings = network.settings.model_dump() if part != "codes" else {}
    draft = part_file(folder, f".{part}")
    save_file(state, draft, {SETTINGS_KEY: json.dumps(settings)})
    draft.replace(part_file(folder, part))


def load_part(folder: Path, part: str, device: str) -> Any:
    """Return a trained part on ``device``, in single precision, ready to be asked.

    Raises ``MissingWeightsError`` if it is not there, or another network than its sizes say.
    """
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415

    path = part_file(folder, part)
    try:
        with safe_open(path, "pt") as file:
            settings = json.loads((file.metadata() or {}).get(SETTINGS_KEY, "{}"))
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - no mapping
        network = make_part(part, settings)
    except (OSError, SafetensorError, ValueError) as error:
        raise MissingWeightsError(f"{path} is no trained {part!r} of this project: {error}") from error
    return with_state(network, state, path, device)
