"""Restorers as the laws meet them: those that need published weights get small ones made here.

A model with weights enters the maker of its own here: a function that writes what the model opens into an
empty folder and returns the settings that name it.
"""

import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pipeline.config.files import module_in
from stages.networks.speechbrain_lobes import import_lobe
from stages.operators.rng import rng_for
from stages.operators.user_modules import install_modules
from stages.restorers import RESTORERS, Restorer
from tests.support.neural_weights import write_dac, write_encodec, write_generative, write_vq_enhancer
from tests.support.numpy_environment import numpy_environment
from tests.support.small_graphs import first_half_of_the_frame, write_graph

Maker = Callable[[Path], Mapping[str, Any]]


def lawful_restorer(kind: str, folder: Path) -> Restorer:
    """Return the model with its default settings, or with small weights in ``folder``."""
    settings = TINY[kind](folder) if kind in TINY else {}
    return RESTORERS[kind].model_validate(dict(settings))


def _spectra(folder: Path) -> Mapping[str, Any]:
    """Write a graph that leaves four fifths of each spectrum."""
    shape = (1, 257, 1, 2)
    ports = [("x", shape)], [("y", shape)]
    return {"path": write_graph(folder / "model.onnx", [("Mul", "x most", "y")], ports)}


def _dtln(folder: Path) -> Mapping[str, Any]:
    """Write a mask of a half and more where there is more, and a graph that leaves four fifths of frames."""
    spectra, frames = (1, 1, 257), (1, 1, 512)
    masking, rewriting = [("Sigmoid", "x", "y")], [("Mul", "x most", "y")]
    write_graph(folder / "model_1.onnx", masking, ([("x", spectra)], [("y", spectra)]))
    write_graph(folder / "model_2.onnx", rewriting, ([("x", frames)], [("y", frames)]))
    return {"path": folder}


def write_deep_filter(folder: Path, filtered_bins: int, tap: str) -> Mapping[str, Any]:
    """Write gains of a half and more where there is more; filters of one tap, which is 1."""
    bands, bins = (1, 1, "S", 32), (1, 2, "S", filtered_bins)
    hear = [("Identity", "feat_erb", "e0"), ("Identity", "feat_spec", "emb")]
    write_graph(
        folder / "enc.onnx",
        hear,
        ([("feat_erb", bands), ("feat_spec", bins)], [("e0", bands), ("emb", bins)]),
    )
    write_graph(folder / "erb_dec.onnx", [("Sigmoid", "e0", "m")], ([("e0", bands)], [("m", bands)]))
    filters = [
        ("Transpose", "emb", "last", {"perm": [0, 2, 3, 1]}),
        ("Mul", "last nothing", "none"),
        ("Concat", "none none none none none", "taps", {"axis": -1}),
        ("Add", f"taps {tap}", "coefs"),
    ]
    coefs = (1, "S", filtered_bins, 10)
    write_graph(folder / "df_dec.onnx", filters, ([("emb", bins)], [("coefs", coefs)]))
    return {"path": folder}


def _nsnet2(folder: Path) -> Mapping[str, Any]:
    """Write gains of a half and more where there is more."""
    shape = ("batch", "frames", 161)
    return {
        "path": write_graph(folder / "model.onnx", [("Sigmoid", "x", "y")], ([("x", shape)], [("y", shape)]))
    }


RNNOISE_LAYERS = (
    ("dense", 42, 24, 0),
    ("gru", 24, 24, 0),
    ("gru", 90, 48, 2),
    ("gru", 114, 96, 0),
    ("dense", 96, 22, 1),
    ("dense", 24, 1, 1),
)
"""Kind, inputs, units and activation of each layer, as the format wants them."""


def _rnnoise(folder: Path) -> Mapping[str, Any]:
    """Write the network of RNNoise with small random weights."""
    rng = rng_for(0, "rnnoise")
    lines = ["rnnoise-nu model file version 1"]
    for layer, inputs, units, activation in RNNOISE_LAYERS:
        gates = 3 if layer == "gru" else 1
        sizes = [gates * inputs * units, *([gates * units * units] if layer == "gru" else []), gates * units]
        lines.append(f"{inputs} {units} {activation}")
        lines.extend(" ".join(map(str, rng.integers(-20, 20, size))) for size in sizes)
    path = folder / "small.rnnn"
    path.write_text("\n".join(lines) + "\n")
    return {"path": path}


def _whole(folder: Path) -> Mapping[str, Any]:
    """Write a graph that leaves four fifths of a waveform."""
    shape = (1, "samples")
    ports = [("x", shape)], [("y", shape)]
    return {"path": write_graph(folder / "model.onnx", [("Mul", "x most", "y")], ports)}


def _torchscript(folder: Path) -> Mapping[str, Any]:
    """Write a module that bends waveforms a little."""
    import torch  # noqa: PLC0415

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # torch would have new files in another format
        torch.jit.save(torch.jit.script(torch.nn.Softsign()), str(folder / "model.pt"))
    return {"path": folder / "model.pt", "batch_seconds": 10.0}


EXPANDER = """
import numpy as np

class Expander:
    def load(self, device, weights):
        self.threshold = 0.01

    def restore(self, samples, sample_rate, stream):
        quiet = np.abs(samples) < self.threshold
        return np.where(quiet, 0.5 * samples, samples) + 1e-5 * stream.standard_normal(samples.size)
"""


def _python(folder: Path) -> Mapping[str, Any]:
    """Write a class that turns quiet samples down and draws a little noise."""
    (folder / "lawful_expander.py").write_text(EXPANDER)
    install_modules([module_in(folder / "lawful_expander.py")])
    return {"target": "lawful_expander:Expander", "model_sampling": True}


def _external(folder: Path) -> Mapping[str, Any]:
    """Name the example worker and an environment made for it."""
    example = Path(__file__).parents[2] / "stages" / "restorers" / "workers" / "example_worker.py"
    interpreter = numpy_environment(folder / "environment")
    return {"interpreter_path": interpreter, "script_path": example, "model_sampling": True}


def write_metricgan_plus(folder: Path) -> Path:
    """Write a state of SpeechBrain's enhancement network that nobody trained."""
    import torch  # noqa: PLC0415

    torch.manual_seed(0)
    torch.save(
        import_lobe("models.MetricGAN").EnhancementGenerator().state_dict(), folder / "enhance_model.ckpt"
    )
    return folder / "enhance_model.ckpt"


def write_sepformer(folder: Path) -> Path:
    """Write the states of a SepFormer of 16 features, two layers of two heads and two blocks."""
    import torch  # noqa: PLC0415

    dual_path = import_lobe("models.dual_path")
    torch.manual_seed(0)
    intra, inter = (
        dual_path.SBTransformerBlock(
            num_layers=2, d_model=16, nhead=2, d_ffn=32, use_positional_encoding=True, norm_before=True
        )
        for _ in range(2)
    )
    masknet = dual_path.Dual_Path_Model(
        16, 16, intra, inter, num_layers=2, K=50, num_spks=1, linear_layer_after_inter_intra=False
    )
    torch.save(dual_path.Encoder(16, 16).state_dict(), folder / "encoder.ckpt")
    torch.save(masknet.state_dict(), folder / "masknet.ckpt")
    torch.save(
        dual_path.Decoder(16, 1, kernel_size=16, stride=8, bias=False).state_dict(), folder / "decoder.ckpt"
    )
    return folder


def _sepformer(folder: Path) -> Mapping[str, Any]:
    return {"path": write_sepformer(folder), "heads": 2, "chunk_frames": 50}


def _dac(folder: Path) -> Mapping[str, Any]:
    return {"path": write_dac(folder, sample_rate=16_000), "model_sample_rate": 16_000, "num_codebooks": 4}


TINY: dict[str, Maker] = {
    "chain": lambda _: {"links": [{"kind": "wiener"}, {"kind": "identity"}, {"kind": "spectral_gate"}]},
    "onnx": _whole,
    "torchscript": _torchscript,
    "python": _python,
    "external": _external,
    **dict.fromkeys(("gtcrn", "ul_unas", "lisennet", "fspen", "bsrnn", "fe_dprnn", "fe_dpt"), _spectra),
    "fast_enhancer": lambda folder: {"path": first_half_of_the_frame(folder)},
    "dtln": _dtln,
    "deepfilternet3": lambda folder: write_deep_filter(folder, 96, "middle_tap"),
    "hush": lambda folder: write_deep_filter(folder, 64, "last_tap"),
    "nsnet2": _nsnet2,
    "rnnoise": _rnnoise,
    "metricgan_plus": lambda folder: {"path": write_metricgan_plus(folder)},
    "sepformer": _sepformer,
    "dac": _dac,
    "encodec": lambda folder: {"path": write_encodec(folder)},
    "vq_enhance": lambda folder: {"path": write_vq_enhancer(folder)},
    **dict.fromkeys(("fm", "mgm", "ar"), lambda folder: {"path": write_generative(folder)}),
}
"""Makers by kind."""

MADE_ANEW = frozenset({"dac", "encodec", "metricgan_plus", "sepformer", "vq_enhance"})
"""Networks whose random weights leave nothing of the input that could be found again."""
