"""LLaSE-G1: a language model hears WavLM and writes X-Codec2 tokens, at 16 kHz."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from stages.operators.distributions import Distribution, Uniform
from stages.operators.restorer import RESTORERS
from stages.restorers.common.worker import PublishedWorker
from stages.weights.files import WeightFile, Weights
from stages.weights.repositories import KnownFiles, make_hub_file, weights_of_revision

_W2V = "facebook/w2v-bert-2.0"
_W2V_REVISION = "da985ba0987f70aaeb84a80f2851cfac8c697a7b"
_W2V_FILES: KnownFiles = {
    "config.json": (1_874, "f5572bd5998b68182e9c328a43127ed21fed687f6910497136b91a4e3b0e3675"),
    "preprocessor_config.json": (275, "8e6281aad64f97e40534135a59dcc5d33571efae376f2a25adf5551951897ab4"),
    "model.safetensors": (2_322_063_736, "eb890c9660ed6e3414b6812e27257b8ce5454365d5490d3ad581ea60b93be043"),
}
"""Bytes and SHA-256, as several projects that pin them have them."""
_CODEC_REVISION = "06071873ab345f44488d235dae3cb10b5901fd90"
_CODEC = "epoch=4-step=1400000.ckpt"
_OF_SETTINGS = (
    "__builtin__.dict",
    "__builtin__.int",
    "__builtin__.list",
    "__builtin__.long",
    "builtins.dict",
    "builtins.int",
    "builtins.list",
    "collections.defaultdict",
    "omegaconf.base.ContainerMetadata",
    "omegaconf.base.Metadata",
    "omegaconf.dictconfig.DictConfig",
    "omegaconf.listconfig.ListConfig",
    "omegaconf.nodes.AnyNode",
    "typing.Any",
)
"""What X-Codec2's checkpoint names beside tensors, by its page on the hub: the settings of its training."""


@RESTORERS.register
class LlaseG1(PublishedWorker):
    """One pass of a LLaMA over WavLM features, and a codec that speaks its tokens.

    Kang et al. 2025 (arXiv 2503.00493); check out github.com/Kevin-naticl/LLaSE-G1 at
    bad6a2d2d58c38174120172b06a90a742327db1e. As published it takes the likeliest token and so gives one take;
    with a ``temperature`` the worker draws instead, which is ours. Hazards: X-Codec2 is CC-BY-NC-4.0, and so
    is the output; ``WavLM-Large.pt`` has to be put by hand into ``ckpt/codec_ckpt`` of the
    weights, in the form of github.com/microsoft/unilm (the hub's has other names); the output keeps no phase
    and is late by what the stage measures; others counted 42 % wrong words in reverberation.
    """

    kind: ClassVar[str] = "llase_g1"
    paradigm: ClassVar[str] = "autoregressive"
    licence: ClassVar[str] = "unknown"
    weights: ClassVar[str] = f"huggingface.co: ASLP-lab/LLaSE-G1, HKUSTAudio/xcodec2, {_W2V}; WavLM-Large.pt"
    sample_rate: ClassVar[int] = 16_000
    needs_repository: ClassVar[bool] = True
    by_hand: ClassVar[Mapping[str, str]] = {
        "ckpt/codec_ckpt/WavLM-Large.pt": "github.com/microsoft/unilm/tree/master/wavlm, 'WavLM Large'"
    }
    draws: ClassVar[Mapping[str, Distribution]] = {"temperature": Uniform(low=0.3, high=1.0)}
    harmless: ClassVar[Mapping[str, tuple[str, ...]]] = {f"ckpt/codec_ckpt/{_CODEC}": _OF_SETTINGS}

    temperature: Annotated[float, Field(ge=0.0)] = 0.0
    """0 takes the likeliest token, as published; more draws."""

    @property
    def sampling(self) -> bool:
        """Whether tokens are drawn."""
        return self.temperature > 0.0

    @property
    def may_sample(self) -> bool:
        """Under another temperature it does."""
        return True

    @property
    def published(self) -> Weights:
        """Language model, codec, and the network that the codec is trained with."""
        return Weights(
            name="llase_g1",
            source="https://huggingface.co/ASLP-lab/LLaSE-G1",
            licence="Apache-2.0 AND CC-BY-NC-4.0",
            files=tuple(_files()),
        )


def _files() -> Iterator[WeightFile]:
    yield make_hub_file("ASLP-lab/LLaSE-G1", "ckpt/model.pt.tar", about_bytes=4_290_000_000)
    codec = f"ckpt/codec_ckpt/{_CODEC}"
    yield make_hub_file(
        "HKUSTAudio/xcodec2",
        f"ckpt/{_CODEC}",
        revision=_CODEC_REVISION,
        name=codec,
        about_bytes=8_310_000_000,
    )
    for file in weights_of_revision("w2v-bert-2.0", _W2V, _W2V_REVISION, "MIT", _W2V_FILES).files:
        place = f"ckpt/codec_ckpt/hub/models--facebook--w2v-bert-2.0/{file.name}"
        yield file.model_copy(update={"name": place})
