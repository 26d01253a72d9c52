"""Trained networks as files: one for each part, its weights and sizes, all of a set in one folder."""

import json
from collections.abc import Mapping, Sequence
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
from stages.weights.files import weights_digest

ABOUT_KEY = "about"
"""One key of the header for all that is said: several are written in any order, and bytes would differ."""
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


def save_part(network: Any, part: str, folder: Path, builds_on: Sequence[str] = ()) -> None:
    """Write a part in 16 bits to ``folder``, which is made; ``load_part`` gives back what this leaves.

    It remembers the digests of the parts in ``folder`` that it ``builds_on``. Raises ``OSError`` if there is
    no room; what was there before is then still there.
    """
    from safetensors.torch import save  # noqa: PLC0415

    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.detach().cpu().half().contiguous() for name, value in network.state_dict().items()}
    settings = network.settings.model_dump() if part != "codes" else {}
    below = {each: weights_digest(part_file(folder, each)) for each in builds_on}
    content = save(state, {ABOUT_KEY: json.dumps({"settings": settings, "builds_on": below})})
    draft = part_file(folder, f".{part}")
    try:
        draft.write_bytes(content)
        draft.replace(part_file(folder, part))
    finally:
        draft.unlink(missing_ok=True)


def load_parts(folder: Path, parts: Sequence[str], device: str) -> dict[str, Any]:
    """Return parts of one set by their names.

    Raises ``MissingWeightsError`` if one is not there, or was trained on others than those that are.
    """
    loaded = {part: load_part(folder, part, device) for part in parts}
    for part in parts:
        for each, digest in _read_about(part_file(folder, part))["builds_on"].items():
            if weights_digest(part_file(folder, each)) != digest:
                raise MissingWeightsError(
                    f"{part_file(folder, part)} was trained on another {each!r} than the one beside it: "
                    "train it again, or bring both from one place"
                )
    return loaded


def _read_about(path: Path) -> dict[str, Any]:
    """Return ``settings`` and ``builds_on`` of a part; raises what ``safe_open`` does, and ``ValueError``."""
    from safetensors import safe_open  # noqa: PLC0415

    with safe_open(path, "pt") as file:
        about = json.loads((file.metadata() or {}).get(ABOUT_KEY, "{}"))
    return {"settings": {}, "builds_on": {}, **about}


def load_part(folder: Path, part: str, device: str) -> Any:
    """Return a trained part on ``device``, in single precision, ready to be asked.

    Raises ``MissingWeightsError`` if it is not there, or another network than its sizes say.
    """
    from safetensors import SafetensorError, safe_open  # noqa: PLC0415

    path = part_file(folder, part)
    try:
        network = make_part(part, _read_about(path)["settings"])
        with safe_open(path, "pt") as file:
            state = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - no mapping
    except (OSError, SafetensorError, ValueError) as error:
        raise MissingWeightsError(f"{path} is no trained {part!r} of this project: {error}") from error
    return with_state(network, state, path, device)
