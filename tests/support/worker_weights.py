"""Small weights in the layout of each published model that has a worker."""

import json
import pathlib
import sys
import tarfile
import types
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from stages.restorers import RESTORERS

State = dict[str, torch.Tensor]
MASKED = {"module.weight": torch.ones(1)}
_PARTS = ("SemanticEncoder_module", "CodecEnc", "generator", "fc_post_a", "fc_prior", "discriminator")


def write_weights(kind: str, folder: Path) -> None:
    """Write all files that the model ``kind`` is made of, and what its users put there by hand."""
    model: Any = RESTORERS[kind]()
    writers = _WRITERS[kind](torch.Generator().manual_seed(len(kind)))
    for name in {file.name for file in model.published.files} | set(writers):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        content = writers.get(name, {})
        if callable(content):
            content(path)
        elif path.suffix == ".safetensors":
            save_file(content, path)
        elif path.suffix in {".json", ".yaml", ""}:
            path.write_text(json.dumps(content))
        else:
            torch.save(content, path)


def linear(numbers: torch.Generator) -> State:
    """Return the state of a small layer."""
    return {"weight": torch.randn(2, 2, generator=numbers), "bias": torch.randn(2, generator=numbers)}


def _anyenhance(numbers: torch.Generator) -> Mapping[str, Any]:
    return {
        "epoch-1-step-300000-loss-4.3083/model.pt": MASKED,
        "dac/weights.pth": {"state_dict": linear(numbers), "metadata": {"kwargs": {"strides": [2, 4]}}},
        "anyenhance-360M-selfcritic-v2.json": {"model": {}},
    }


def _anyenhance_v1(numbers: torch.Generator) -> Mapping[str, Any]:
    def write(path: Path) -> None:
        inner = path.with_name("model.pt")
        torch.save(MASKED, inner)
        with tarfile.open(path, "w") as tar:
            tar.add(inner, arcname="epoch-83/model.pt")
        inner.unlink()

    codec = {"state_dict": linear(numbers), "metadata": {}}
    return {"epoch-83-step-200000-loss-4.4187.tar": write, "dac/weights.pth": codec}


def _flowse(numbers: torch.Generator) -> Mapping[str, Any]:
    vocoder = {f"head.{name}": value for name, value in linear(numbers).items()}
    state = {"model_state_dict": {"weight": torch.ones(1)}, "optimizer": {"m": torch.zeros(9)}}
    return {"wenetspeech4tts_Premium.pt.tar": state, "vocos/pytorch_model.bin": vocoder}


def _llase_g1(numbers: torch.Generator) -> Mapping[str, Any]:
    codec = {f"{part}.{name}": value for part in _PARTS for name, value in linear(numbers).items()}
    return {
        "ckpt/model.pt.tar": {"model_state_dict": MASKED},
        "ckpt/codec_ckpt/epoch=4-step=1400000.ckpt": lambda path: save_with_omegaconf(codec, path),
        "ckpt/codec_ckpt/hub/models--facebook--w2v-bert-2.0/model.safetensors": linear(numbers),
        "ckpt/codec_ckpt/WavLM-Large.pt": {"cfg": {"encoder_layers": 1}, "model": linear(numbers)},
    }


def _resemble_enhance(numbers: torch.Generator) -> Mapping[str, Any]:
    half = {name: value.half() for name, value in linear(numbers).items()}
    return {"ds/G/default/mp_rank_00_model_states.pt": {"module": half}}


def _sgmse(numbers: torch.Generator) -> Mapping[str, Any]:
    state = {f"dnn.{name}": value for name, value in linear(numbers).items()}
    means = list(linear(numbers).values())
    return {"ears_wham.ckpt": {"state_dict": state, "ema": {"shadow_params": means, "decay": 0.999}}}


def _unise(numbers: torch.Generator) -> Mapping[str, Any]:
    state = {f"head.{name}": value for name, value in linear(numbers).items()}
    config = {"log": {"dir": pathlib.PosixPath("/log/unise")}}
    listener = {**linear(numbers), "quantizer.codevectors": torch.randn(99, generator=numbers)}
    return {
        "unise.ckpt": {"state_dict": state, "hyper_parameters": {"config": config}},
        "codec/BiCodec/model.safetensors": linear(numbers),
        "codec/wav2vec2-large-xlsr-53/pytorch_model.bin": {k: listener[k] for k in ("weight", "bias")},
        "wavlm-base-plus/pytorch_model.bin": linear(numbers),
    }


def _voicefixer(numbers: torch.Generator) -> Mapping[str, Any]:
    analysis = {name: torch.rand(1, generator=numbers) for name in ("weight", "bias", "running_mean")}
    vocoder = torch.nn.utils.parametrizations.weight_norm(torch.nn.Conv1d(2, 2, 3)).state_dict()
    old = {"bias": "bias", "weight_g": "parametrizations.weight.original0"}
    old["weight_v"] = "parametrizations.weight.original1"
    return {
        "analysis_module/checkpoints/vf.ckpt": {**analysis, "running_var": torch.tensor([1.25])},
        "synthesis_module/44100/model.ckpt-1490000_trimed.pt": {
            "generator": {name: vocoder[other] for name, other in old.items()}
        },
    }


_WRITERS: Mapping[str, Callable[[torch.Generator], Mapping[str, Any]]] = {
    "anyenhance": _anyenhance,
    "anyenhance_v1": _anyenhance_v1,
    "flowse": _flowse,
    "llase_g1": _llase_g1,
    "resemble_enhance": _resemble_enhance,
    "sgmse": _sgmse,
    "unise": _unise,
    "voicefixer": _voicefixer,
}


def save_with_omegaconf(state: State, path: Path) -> None:
    """Write a checkpoint as Lightning does where the settings are OmegaConf's, which need not be here."""
    with _omegaconf() as (DictConfig, Metadata):  # noqa: N806 - classes
        counts: dict[str, list[int]] = defaultdict(list)
        counts["epochs"].append(4)
        settings = DictConfig({"lr": 1e-4}, Metadata())
        torch.save({"state_dict": state, "hyper_parameters": {"cfg": settings}, "loops": counts}, path)


@contextmanager
def _omegaconf() -> Iterator[tuple[Any, Any]]:
    """Provide two classes that pickles name as those of omegaconf."""
    modules = {
        name: types.ModuleType(name) for name in ("omegaconf", "omegaconf.dictconfig", "omegaconf.base")
    }

    class Metadata:
        def __init__(self) -> None:
            self.ref_type, self.object_type = Any, dict

    class DictConfig:
        def __init__(self, content: dict[str, float], metadata: Metadata) -> None:
            self.content, self.metadata = content, metadata

    for kind, module in ((Metadata, "omegaconf.base"), (DictConfig, "omegaconf.dictconfig")):
        kind.__module__, kind.__qualname__ = module, kind.__name__
        setattr(modules[module], kind.__name__, kind)
    kept = {name: sys.modules.get(name) for name in modules}
    sys.modules.update(modules)
    try:
        yield DictConfig, Metadata
    finally:
        for name, module in kept.items():
            if module is None:
                del sys.modules[name]
            else:
                sys.modules[name] = module
