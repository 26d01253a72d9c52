"""UniSE: a language model writes the tokens of restored speech, at 16 kHz."""

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from stages.operators.restorer import RESTORERS
from stages.restorers.common.worker import PublishedWorker
from stages.weights.files import WeightFile, Weights
from stages.weights.repositories import KnownFiles, make_hub_file, weights_of_revision

SPARK = "SparkAudio/Spark-TTS-0.5B"
WAVLM = "microsoft/wavlm-base-plus"
_W2V = "wav2vec2-large-xlsr-53"
SPARK_REVISION = "642071559bfc6346c2359d19dcb6be3f9dd8a05d"
CODEC_FILES: KnownFiles = {
    "config.yaml": (None, None),
    "BiCodec/config.yaml": (1_164, "744f4093ae2381a2eb44ea8c4a5268a8d1e581498e9bf0808c034d1b076429be"),
    "BiCodec/model.safetensors": (
        625_518_756,
        "e9940cd48d4446e4340ced82d234bf5618350dd9f5db900ebe47a4fdb03867ec",
    ),
    f"{_W2V}/config.json": (None, None),
    f"{_W2V}/preprocessor_config.json": (None, None),
    f"{_W2V}/pytorch_model.bin": (None, "314340227371a608f71adcd5f0de5933824fe77e55822aa4b24dba9c1c364dcb"),
}
"""Bytes and SHA-256, as far as projects that pin them have them; so too below."""
WAVLM_REVISION = "4c66d4806a428f2e922ccfa1a962776e232d487b"
WAVLM_FILES: KnownFiles = {
    "config.json": (2_232, "fea6df1c2700a3954fc07e70588aecc9055eeb28db2ff57151a2db0d19180ed4"),
    "pytorch_model.bin": (377_617_425, "3bb273a6ace99408b50cfc81afdbb7ef2de02da2eab0234e18db608ce692fe51"),
}


@RESTORERS.register
class UniSE(PublishedWorker):
    """WavLM hears five seconds at a time, a decoder-only model writes BiCodec tokens; it samples.

    Yan et al. 2025 (arXiv 2510.20441); check out github.com/alibaba/unified-audio at
    7afa7ab074527c30a47b47e606f853f62bc6a1c6, and name its folder ``QuarkAudio-UniSE`` as the repository;
    before 77109b1 the last token of the speaker was lost. It needs transformers before 4.53.
    Hazards: code under Apache-2.0, but the codec's weights are CC-BY-NC-SA-4.0, which is what the output is
    under; five-second pieces are put together without overlap; its own test takes the likeliest token, which
    is what ``sample: false`` does; a language model can say what nobody said.
    """

    kind: ClassVar[str] = "unise"
    paradigm: ClassVar[str] = "autoregressive"
    licence: ClassVar[str] = "Apache-2.0"
    weights: ClassVar[str] = f"huggingface.co: QuarkAudio/QuarkAudio-UniSE, {SPARK}, {WAVLM}"
    sample_rate: ClassVar[int] = 16_000
    needs_repository: ClassVar[bool] = True

    harmless: ClassVar[Mapping[str, tuple[str, ...]]] = {"unise.ckpt": ("pathlib.PosixPath",)}

    sample: bool = True
    """Whether tokens are drawn; else each is the likeliest, and every take the same."""
    temperature: Annotated[float, Field(gt=0.0)] = 0.8
    top_k: Annotated[int, Field(ge=1)] = 50
    """How many of the likeliest tokens one is drawn from."""
    top_p: Annotated[float, Field(gt=0.0, le=1.0)] = 0.95
    """The probability that these tokens have together at least."""

    @property
    def sampling(self) -> bool:
        """Whether tokens are drawn."""
        return self.sample

    @property
    def may_sample(self) -> bool:
        """Unless it is told not to."""
        return True

    @property
    def published(self) -> Weights:
        """Language model, codec, and the network that hears."""
        return Weights(
            name="unise",
            source="https://huggingface.co/QuarkAudio/QuarkAudio-UniSE",
            licence="Apache-2.0 AND CC-BY-NC-SA-4.0",
            files=tuple(_files()),
        )


def _files() -> Iterator[WeightFile]:
    yield make_hub_file("QuarkAudio/QuarkAudio-UniSE", "epoch=20-step=109367.ckpt", name="unise.ckpt")
    codec = weights_of_revision("spark", SPARK, SPARK_REVISION, "CC-BY-NC-SA-4.0", CODEC_FILES)
    hearing = weights_of_revision("wavlm", WAVLM, WAVLM_REVISION, "MIT", WAVLM_FILES)
    for folder, weights in (("codec", codec), ("wavlm-base-plus", hearing)):
        yield from (f.model_copy(update={"name": f"{folder}/{f.name}"}) for f in weights.files)
