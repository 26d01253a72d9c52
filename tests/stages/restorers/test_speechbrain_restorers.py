"""SpeechBrain's enhancement networks from local folders: as SpeechBrain runs them, and tensors alone.

As a script, in ``folder``: what a processor says that is asked for MetricGAN+ in bfloat16.
"""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from schemas import MissingWeightsError, RunError
from stages.audio.level import ratio_db
from stages.audio.waveform import Waveform
from stages.operators.rng import rng_for
from stages.restore.calls import ModelCalls, load_model
from stages.restorers import RESTORERS, Restorer
from tests.support.bundled_speech import bundled
from tests.support.other_process import printed_by
from tests.support.tiny_restorers import lawful_restorer, write_metricgan_plus, write_sepformer
from tests.support.torch_kernels import KERNELS, computes

KINDS = ("metricgan_plus", "sepformer")
NO_KERNEL = r"this processor cannot run {} in bfloat16: .*; set precision: float32, or run on a GPU"
METRICGAN_RECIPE = """
compute_stft: !new:speechbrain.processing.features.STFT
    sample_rate: 16000
    n_fft: 512
    win_length: 32
    hop_length: 16
compute_istft: !new:speechbrain.processing.features.ISTFT
    sample_rate: 16000
    n_fft: 512
    win_length: 32
    hop_length: 16
spectral_magnitude: !name:speechbrain.processing.features.spectral_magnitude
    power: 0.5
resynth: !name:speechbrain.processing.signal_processing.resynthesize
    stft: !ref <compute_stft>
    istft: !ref <compute_istft>
    normalize_wavs: False
enhance_model: !new:speechbrain.lobes.models.MetricGAN.EnhancementGenerator
modules:
    enhance_model: !ref <enhance_model>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        enhance_model: !ref <enhance_model>
"""
SEPFORMER_RECIPE = """
num_spks: 1
sample_rate: 16000
encoder: !new:speechbrain.lobes.models.dual_path.Encoder
    kernel_size: 16
    out_channels: 16
intra: !new:speechbrain.lobes.models.dual_path.SBTransformerBlock
    num_layers: 2
    d_model: 16
    nhead: 2
    d_ffn: 32
    dropout: 0
    use_positional_encoding: True
    norm_before: True
inter: !new:speechbrain.lobes.models.dual_path.SBTransformerBlock
    num_layers: 2
    d_model: 16
    nhead: 2
    d_ffn: 32
    dropout: 0
    use_positional_encoding: True
    norm_before: True
masknet: !new:speechbrain.lobes.models.dual_path.Dual_Path_Model
    in_channels: 16
    out_channels: 16
    intra_model: !ref <intra>
    inter_model: !ref <inter>
    num_layers: 2
    norm: ln
    K: 50
    num_spks: 1
    skip_around_intra: True
    linear_layer_after_inter_intra: False
decoder: !new:speechbrain.lobes.models.dual_path.Decoder
    in_channels: 16
    out_channels: 1
    kernel_size: 16
    stride: 8
    bias: False
modules:
    encoder: !ref <encoder>
    masknet: !ref <masknet>
    decoder: !ref <decoder>
pretrainer: !new:speechbrain.utils.parameter_transfer.Pretrainer
    loadables:
        encoder: !ref <encoder>
        masknet: !ref <masknet>
        decoder: !ref <decoder>
"""


def _loaded(kind: str, folder: Path, **settings: Any) -> Restorer:
    model = lawful_restorer(kind, folder).with_settings(settings)
    load_model(model, "cpu")
    return model


def _restored(model: Restorer, *given: Waveform) -> list[np.ndarray]:
    streams = [rng_for(0, "unused") for _ in given]
    return [waveform.samples for waveform in model.restore(given, streams)]


def _by_speechbrain(interface: str, folder: Path, recipe: str) -> Any:
    """Return SpeechBrain's own interface, made from a recipe beside the weights."""
    from speechbrain.inference import enhancement, separation  # noqa: PLC0415

    (folder / "hyperparams.yaml").write_text(recipe)
    classes: dict[str, Any] = {**vars(enhancement), **vars(separation)}
    return classes[interface].from_hparams(source=str(folder), run_opts={"device": "cpu"})


@pytest.mark.parametrize(("kind", "layer"), [("metricgan_plus", "lstm"), ("sepformer", "linear")])
def test_sixteen_bits_are_nearly_as_good(kind: str, layer: str, tmp_path: Path) -> None:
    """In bfloat16 the sound is another one, and within 26 dB of that in 32 bits; or it is refused at once."""
    if not computes(layer, "bfloat16"):
        with pytest.raises(RunError, match=NO_KERNEL.format(kind)):
            _loaded(kind, tmp_path, precision="bfloat16")
        return
    given = bundled(1)
    exact, rounded = (
        ModelCalls().outputs(_loaded(kind, tmp_path, precision=precision), [given], [rng_for(0, "unused")])[0]
        for precision in ("float32", "bfloat16")
    )

    assert not np.array_equal(exact.samples, rounded.samples)
    assert ratio_db(exact.samples, rounded.samples - exact.samples) > 26.0


def test_what_a_processor_cannot_do_is_found_when_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without AVX-512 there is no LSTM in bfloat16: that and the way out are said, if torch itself fails."""
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")

    said = printed_by(__file__, str(tmp_path))

    assert re.fullmatch("fits|" + NO_KERNEL.format("metricgan_plus"), said)
    assert (said == "fits") == (printed_by(KERNELS, "lstm", "bfloat16") == "True")


def test_metricgan_plus_is_speechbrains(tmp_path: Path) -> None:
    """The same weights give the same sound as SpectralMaskEnhancement, to 16 bits."""
    given = bundled(1)
    write_metricgan_plus(tmp_path)
    reference = _by_speechbrain("SpectralMaskEnhancement", tmp_path, METRICGAN_RECIPE)

    (restored,) = _restored(_loaded("metricgan_plus", tmp_path), given)

    with torch.inference_mode():
        expected = reference.enhance_batch(torch.from_numpy(given.samples.copy())[None], torch.ones(1))
    assert np.abs(restored - expected.numpy()[0]).max() < 2**-16 * np.abs(restored).max()


def test_sepformer_is_speechbrains(tmp_path: Path) -> None:
    """The same weights give the same sound as SepformerSeparation for one source, to 16 bits."""
    given = bundled(1)
    write_sepformer(tmp_path)
    reference = _by_speechbrain("SepformerSeparation", tmp_path, SEPFORMER_RECIPE)

    (restored,) = _restored(_loaded("sepformer", tmp_path), given)

    with torch.inference_mode():
        expected = reference.separate_batch(torch.from_numpy(given.samples.copy())[None])[0, :, 0].numpy()
    length = min(restored.size, expected.size)
    assert given.samples.size - length < 16
    assert np.abs(restored[:length] - expected[:length]).max() < 2**-16 * np.abs(restored).max()


def test_metricgan_plus_hears_no_company(tmp_path: Path) -> None:
    """In a batch of other lengths each input sounds as alone, within the tolerance that is stated."""
    model = _loaded("metricgan_plus", tmp_path)
    given = [bundled(number) for number in (1, 2, 3)] + [Waveform(bundled(4).samples[:700], 16_000)]

    together = _restored(model, *given)

    for waveform, made in zip(given, together, strict=True):
        (alone,) = _restored(model, waveform)
        assert made.size == waveform.samples.size
        assert np.abs(made - alone).max() < model.tolerance * np.abs(alone).max()


@pytest.mark.parametrize(("kind", "file"), [
    ("metricgan_plus", "enhance_model.ckpt"),
    ("sepformer", "masknet.ckpt"),
])  # fmt: skip
@pytest.mark.parametrize("content", ["another network", "code", "a page"])
def test_what_is_no_such_state_is_refused(kind: str, file: str, content: str, tmp_path: Path) -> None:
    """Another network's tensors, a pickle that would run code and a page are refused by name."""
    model = lawful_restorer(kind, tmp_path)
    ran = tmp_path / "ran"
    writers: dict[str, Callable[[], object]] = {
        "another network": lambda: torch.save(torch.nn.Linear(2, 2).state_dict(), tmp_path / file),
        "code": lambda: torch.save({"x": _Touches(ran)}, tmp_path / file),
        "a page": lambda: (tmp_path / file).write_text("<html>"),
    }
    writers[content]()

    with pytest.raises(MissingWeightsError, match=str(tmp_path)):
        model.load("cpu")

    assert not ran.exists()


def test_a_recipe_beside_the_weights_runs_nothing(tmp_path: Path) -> None:
    """hyperparams.yaml, which may name any code, is not opened."""
    model = lawful_restorer("sepformer", tmp_path)
    (tmp_path / "hyperparams.yaml").write_text(f"x: !apply:pathlib.Path.touch [{tmp_path / 'ran'}]")

    model.load("cpu")

    assert not (tmp_path / "ran").exists()


def test_heads_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """Shapes do not tell the number of heads, but some numbers cannot be."""
    with pytest.raises(MissingWeightsError, match="16 features, which 3 heads"):
        _loaded("sepformer", tmp_path, heads=3)


@pytest.mark.parametrize("kind", KINDS)
def test_without_weights_the_way_out_is_said(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names what to fetch."""
    monkeypatch.setenv("UNANIMOUS_WEIGHTS", str(tmp_path))

    with pytest.raises(MissingWeightsError, match="weights fetch"):
        RESTORERS[kind]().load("cpu")


class _Touches:
    """A value whose pickle makes a file when it is read."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.place,)


if __name__ == "__main__":
    try:
        _loaded("metricgan_plus", Path(sys.argv[1]), precision="bfloat16")
        sys.stdout.write("fits")
    except RunError as error:
        sys.stdout.write(str(error))
