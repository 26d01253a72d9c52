"""SQUIM: the checkpoint says how large its network is, and the scores are torchaudio's own."""

from pathlib import Path

import pytest

from schemas import MissingWeightsError, Outcome
from stages.metrics.squim import Squim, SquimMos
from stages.operators.metric import Comparison, Measured, Metric
from tests.support.perceptual_networks import tiny_wav2vec2, write_squim, write_squim_mos
from tests.support.speech_like import noisy, speech_like


def scored(metric: Metric, comparison: Comparison) -> Measured:
    """Return the scores, which must be there."""
    metric.load("cpu")
    (values,) = metric.score([comparison])
    assert not isinstance(values, Outcome), values
    return values


def test_estimates_are_those_of_torchaudio(tmp_path: Path) -> None:
    """The network of another size than the published one is found from its tensors."""
    import torch  # noqa: PLC0415

    path = write_squim(tmp_path)
    from torchaudio.models import squim_objective_model  # noqa: PLC0415

    network = squim_objective_model(8, 512, 8, 4, 8, 1, "LSTM", 71).eval()
    network.load_state_dict(torch.load(path, weights_only=True))
    speech = speech_like(2.0)

    values = scored(Squim(path=path), Comparison(speech, speech))

    with torch.inference_mode():
        theirs = [float(each) for each in network(torch.from_numpy(speech.samples.copy())[None])]
    assert list(values.values()) == pytest.approx(theirs, abs=1e-5)


def test_the_published_size_is_found(tmp_path: Path) -> None:
    """Random weights of torchaudio's own network of objective measures load as they would be published."""
    import torch  # noqa: PLC0415

    write_squim(tmp_path)
    from torchaudio.models import squim_objective_base  # noqa: PLC0415

    torch.save(squim_objective_base().state_dict(), tmp_path / "base.pth")
    speech = speech_like(1.0)

    values = scored(Squim(path=tmp_path / "base.pth"), Comparison(speech, speech))

    assert 0.0 < values["stoi"] < 1.0 < values["pesq"]


@pytest.mark.parametrize("old_names", [False, True])
def test_opinions_are_those_of_torchaudio(tmp_path: Path, *, old_names: bool) -> None:
    """So it is next to a reference, also if the checkpoint has weight norm's names of before torch 2.1."""
    import torch  # noqa: PLC0415

    path = write_squim_mos(tmp_path)
    state = torch.load(path, weights_only=True)
    from torchaudio.models import SquimSubjective  # noqa: PLC0415
    from torchaudio.models.squim.subjective import Predictor  # noqa: PLC0415

    network = SquimSubjective(tiny_wav2vec2(), torch.nn.Linear(64, 8), Predictor(16, 5)).eval()
    network.load_state_dict(state)
    if old_names:
        torch.save({before_torch_2_1(key): value for key, value in state.items()}, path)
    clean = speech_like(2.0)
    candidate = noisy(clean, 5.0)

    values = scored(SquimMos(path=path), Comparison(candidate, clean))

    sides = (torch.from_numpy(side.samples.copy())[None] for side in (candidate, clean))
    with torch.inference_mode():
        assert values[""] == pytest.approx(float(network(*sides)), abs=1e-5)


def before_torch_2_1(name: str) -> str:
    """Return what torch called the tensors of weight norm."""
    for number, letter in enumerate("gv"):
        name = name.replace(f"parametrizations.weight.original{number}", f"weight_{letter}")
    return name


def test_one_kind_of_squim_is_not_the_other(tmp_path: Path) -> None:
    """Estimates need the network of estimates."""
    with pytest.raises(MissingWeightsError, match="no SQUIM of objective measures"):
        Squim(path=write_squim_mos(tmp_path)).load("cpu")
    with pytest.raises(MissingWeightsError, match="no SQUIM of opinions"):
        SquimMos(path=write_squim(tmp_path)).load("cpu")
