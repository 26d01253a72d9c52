"""The networks of ``fm``, ``mgm`` and ``ar``: spectra, gains, codes, and how each draws."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from schemas import MissingWeightsError
from stages.networks.generative.autoregressive import AutoregressiveNetwork
from stages.networks.generative.codes import GainCodes
from stages.networks.generative.flow import FlowNetwork, GeneratorSettings
from stages.networks.generative.gains import (
    GAIN_UNIT_DB,
    NUM_BANDS,
    apply_band_gains,
    band_levels,
    gains_between,
)
from stages.networks.generative.masked import MaskedNetwork
from stages.networks.generative.parts import load_part, save_part
from stages.networks.generative.spectra import (
    FRAMES_PER_STEP,
    analyse,
    excite,
    num_steps,
    overlap_add,
    pair_frames,
    rebuild_phase,
    unpair_frames,
)
from tests.support.neural_weights import write_generative
from tests.support.speech_like import noisy, speech_like

SMALL = GeneratorSettings(channels=16, blocks=2, hidden=16)
STAGES, CODES, STEPS = 3, 8, 12


def speech(seconds: float = 1.0, snr_db: float | None = None) -> Tensor:
    """Return speech as a batch of one."""
    clean = speech_like(seconds, sample_rate=16_000)
    return torch.from_numpy((clean if snr_db is None else noisy(clean, snr_db)).samples.copy())[None]


def generator(seed: int = 0) -> torch.Generator:
    """Return a stream of torch."""
    return torch.Generator().manual_seed(seed)


def drawn_codes(batch: int = 2) -> Tensor:
    """Return codes at random."""
    return torch.randint(CODES, (batch, STAGES, STEPS), generator=generator())


def condition(batch: int = 2) -> Tensor:
    """Return a condition at random."""
    return torch.randn(batch, SMALL.channels, STEPS, generator=generator(1))


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


@pytest.mark.parametrize("num_samples", [1, 255, 256, 257, 16_000, 16_001])
def test_spectra_come_back_as_the_samples_that_they_are_of(num_samples: int) -> None:
    """Any length has two frames for each step, and returns to the bit of rounding."""
    samples = torch.randn(2, num_samples, generator=generator())

    spectra = analyse(samples)

    assert spectra.shape[-1] == FRAMES_PER_STEP * num_steps(num_samples)
    assert torch.allclose(overlap_add(spectra, num_samples), samples, atol=1e-5)


def test_frames_in_pairs_come_apart_again() -> None:
    """Pairing stacks two neighbours in time for each bin, and unpairing undoes it."""
    frames = torch.arange(2 * 3 * 4.0).reshape(2, 3, 4)

    paired = pair_frames(frames)

    assert paired[0, :, 0].tolist() == [0.0, 1.0, 4.0, 5.0, 8.0, 9.0]
    assert torch.equal(unpair_frames(paired), frames)


def test_the_excitation_is_the_same_for_whoever_asks() -> None:
    """Its noise depends neither on global generators nor on company, and lies 45 dB under speech."""
    silence = torch.zeros(2, 4_000)

    first = excite(silence)
    torch.rand(3)

    assert torch.equal(excite(silence[:1]), first[:1])
    assert 20 * first.square().mean().sqrt().log10() == pytest.approx(-26.0 - 45.0, abs=0.3)


def test_gains_to_the_clean_speech_bring_its_bands_back() -> None:
    """Levels of bands after the gains are those of the clean speech, to a decibel in the middle."""
    clean, degraded = analyse(speech()), analyse(speech(snr_db=10.0))

    after = apply_band_gains(degraded, gains_between(degraded, clean))

    error_db = (band_levels(after) - band_levels(clean)).abs()
    assert float(error_db.median()) < 1.5
    assert float(error_db.mean()) < 0.4 * float((band_levels(degraded) - band_levels(clean)).abs().mean())


def test_a_gain_of_a_unit_raises_everything_by_it() -> None:
    """Gains are in units of 6 dB, and the same for all bands raise all bins alike."""
    spectra = analyse(speech())

    raised = apply_band_gains(spectra, torch.ones(1, NUM_BANDS, spectra.shape[-1] // FRAMES_PER_STEP))

    assert torch.allclose(raised, spectra * 10 ** (GAIN_UNIT_DB / 20), rtol=1e-4)


def test_rounds_for_the_phase_make_spectra_consistent() -> None:
    """Magnitudes with phases that do not fit come nearer to a waveform's own with each dozen of rounds."""
    magnitudes = analyse(speech()).abs()
    bent = magnitudes * torch.exp(2j * torch.pi * torch.rand(magnitudes.shape, generator=generator()))

    errors = [
        float((analyse(rebuild_phase(bent, 16_000, rounds)).abs() - magnitudes).square().sum())
        for rounds in (0, 12, 60)
    ]

    assert errors[0] > 2 * errors[1] > 2 * errors[2]


def test_each_stage_of_codes_leaves_less() -> None:
    """What codes say of gains is nearer with every codebook, and the last is nearest."""
    gains = torch.randn(1, NUM_BANDS, 600, generator=generator())
    codes = GainCodes(NUM_BANDS, stages=4, codes=32)

    codes.fit(gains[0].T, generator())

    chosen = codes.encode(gains)
    left = []
    for stage in range(1, 5):
        fewer = GainCodes(NUM_BANDS, stages=stage, codes=32)
        fewer.codebooks.copy_(codes.codebooks[:stage])
        left.append(float((gains - fewer.decode(chosen[:, :stage])).square().mean()))
    assert left == sorted(left, reverse=True)
    assert torch.equal(codes.encode(gains), chosen)


def test_a_flow_of_true_velocity_leads_to_the_gains() -> None:
    """If every place has the velocity towards one target, the midpoint rule gets there from any noise."""
    target = torch.randn(2, NUM_BANDS, STEPS, generator=generator())

    class Straight(FlowNetwork):
        def forward(self, noised: Tensor, condition: Tensor, moments: Tensor) -> Tensor:  # noqa: ARG002
            return (target - noised) / (1.0 - moments[:, None, None])

    noise = torch.randn(target.shape, generator=generator(1))

    assert torch.allclose(Straight(SMALL).draw(condition(), noise, 64), target, atol=0.02)


def test_the_error_of_a_flow_is_that_of_its_definition() -> None:
    """(v(x_t, t) − (x_1 − x_0))², x_t being on the straight line between noise and gains."""
    network = FlowNetwork(SMALL)
    gains, noise = torch.randn(2, 2, NUM_BANDS, STEPS, generator=generator())
    moments = torch.tensor([0.25, 0.75])

    found = network.errors(gains, condition(), noise, moments)

    for place, moment in enumerate((0.25, 0.75)):
        between = (1 - moment) * noise[place] + moment * gains[place]
        velocity = network(between[None], condition()[place, None], torch.tensor([moment]))[0]
        assert torch.allclose(found[place], (velocity - gains[place] + noise[place]) ** 2, atol=1e-5)


def test_masked_generation_fills_every_code_and_repeats_itself() -> None:
    """No code stays masked, the same stream draws the same, another one others."""
    network = MaskedNetwork(SMALL, STAGES, CODES)

    drawn = [network.draw(condition(), generator(seed), rounds=5, temperature=1.0) for seed in (0, 0, 1)]

    assert int(drawn[0].max()) < CODES
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])


def test_what_masked_generation_was_told_does_not_count() -> None:
    """The likelihood is of masked codes, each unknown to the network: another code there moves no other."""
    network = MaskedNetwork(SMALL, STAGES, CODES)
    codes, is_masked = drawn_codes(), torch.rand((2, STAGES, STEPS), generator=generator()) < 0.5
    others = torch.where(is_masked, (codes + 1) % CODES, codes)

    logits = network(codes.masked_fill(is_masked, network.mask), condition())
    likelihood = network.log_likelihood(others, is_masked, condition())

    expected = logits.log_softmax(dim=2).gather(2, others[:, :, None])[:, :, 0]
    assert torch.allclose(likelihood, expected * is_masked)


def test_autoregression_hears_no_code_that_comes_later() -> None:
    """Another code at one place moves what is said of later places only: in time, then in stages."""
    network = AutoregressiveNetwork(SMALL, STAGES, CODES)
    codes = drawn_codes(1)
    changed = codes.clone()
    changed[0, 1, 5] = (changed[0, 1, 5] + 1) % CODES

    moved = (network(codes, condition(1)) - network(changed, condition(1))).abs().amax(dim=2)[0] > 0

    assert not moved[:, :5].any()
    assert moved[:, 5].tolist() == [False, False, True]
    assert moved[:, 6:].all()


def test_what_autoregression_draws_is_what_it_holds_likely() -> None:
    """Without temperature each drawn code is the likeliest one, given those before it."""
    network = AutoregressiveNetwork(SMALL, STAGES, CODES)

    drawn = network.draw(condition(), generator(), temperature=0.0, top=CODES)

    assert torch.equal(network(drawn, condition()).argmax(dim=2), drawn)


def test_drawn_codes_come_as_often_as_they_are_likely() -> None:
    """At temperature 1 the first code's frequencies over many draws are its probabilities."""
    network = AutoregressiveNetwork(SMALL, STAGES, CODES)
    same = condition(1)[..., :1].expand(4_000, -1, -1)

    drawn = network.draw(same, generator(), temperature=1.0, top=CODES)

    found = torch.bincount(drawn[:, 0, 0], minlength=CODES) / 4_000
    expected = network(drawn[:1], same[:1]).softmax(dim=2)[0, 0, :, 0]
    assert torch.allclose(found, expected, atol=0.03)


def test_parts_come_back_in_sixteen_bits(tmp_path: Path) -> None:
    """A part that was saved, loaded and saved again is the same file."""
    place = write_generative(tmp_path / "a")

    for part in ("estimate", "codes", "fm", "mgm", "ar"):
        network = load_part(place, part, "cpu")
        save_part(network, part, tmp_path / "b")
        name = f"{part}.safetensors"
        assert (tmp_path / "b" / name).read_bytes() == (place / name).read_bytes()


def test_another_part_under_the_name_is_refused(tmp_path: Path) -> None:
    """A file that holds another network than its name says is an error that names it."""
    place = write_generative(tmp_path)
    (place / "fm.safetensors").write_bytes((place / "ar.safetensors").read_bytes())

    with pytest.raises(MissingWeightsError, match=r"fm\.safetensors is another network"):
        load_part(place, "fm", "cpu")


def test_a_missing_part_is_named(tmp_path: Path) -> None:
    """A part that nobody has trained is an error with the path of its file."""
    with pytest.raises(MissingWeightsError, match=r"mgm\.safetensors is no trained 'mgm'"):
        load_part(tmp_path, "mgm", "cpu")
