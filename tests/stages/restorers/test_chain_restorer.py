"""One restoration model after another: as if each stood alone, and known by all of them."""

import pickle

import numpy as np
import pytest
from pydantic import ValidationError

from schemas import Reason, UnfitError
from stages.audio.loudness import active_level_db
from stages.audio.waveform import Waveform
from stages.operators import user_modules
from stages.operators.rng import rng_for
from stages.restore.fitting import ModelInput
from stages.restorers import RESTORERS
from stages.restorers.chain import RestorerChain
from tests.support.speech_like import noisy, speech_like

LINKS = '''
from stages.operators.restorer import RESTORERS, MixedPrecision, Restorer
import random
from typing import ClassVar

import numpy as np


@RESTORERS.register
class Late(Restorer):
    """Comes out half as loud and late, at a rate of its own."""

    kind = "late"
    licence = "CC-BY-NC-4.0"
    delay: int = 80
    sample_rate: ClassVar[int] = 8000

    def restore(self, batch, streams):
        return [w.with_samples(np.pad(0.5 * w.samples, (self.delay, 0))[: w.samples.size]) for w in batch]


@RESTORERS.register
class Longer(Restorer):
    """Comes out longer, or shorter."""

    kind = "longer"
    licence = "MIT"
    by: int = 400
    sample_rate: ClassVar[int] = 8000

    def restore(self, batch, streams):
        return [w.with_samples(np.resize(w.samples, w.samples.size + self.by)) for w in batch]


@RESTORERS.register
class Draws(Restorer):
    kind = "draws"
    licence = "MIT"
    sampling: ClassVar[bool] = True
    globally: bool = False

    @property
    def global_randomness(self):
        return self.globally

    def restore(self, batch, streams):
        return [self._one(*pair) for pair in zip(batch, streams)]

    def _one(self, waveform, stream):
        drawn = random.random() if self.globally else stream.random()
        ripple = 1 + 0.01 * drawn * np.sin(np.arange(waveform.samples.size))
        return waveform.with_samples(waveform.samples * ripple)


@RESTORERS.register
class Product(MixedPrecision):
    """A torch model of one matrix product: the samples as exact as its precision is."""

    kind = "product"
    licence = "MIT"

    def load(self, device):
        import torch

        self._one = torch.eye(1)

    _one: object = None

    def restore(self, batch, streams):
        import torch

        products = [torch.from_numpy(w.samples[:, None].copy()) @ self._one for w in batch]
        return [w.with_samples(p.float().numpy()[:, 0]) for w, p in zip(batch, products)]
'''


@pytest.fixture(scope="module", autouse=True)
def _links() -> None:
    user_modules.install_modules(
        [user_modules.OperatorModule(name="unanimous_user_links", path="links.py", source=LINKS)]
    )


def _chain(*links: object, **settings: float) -> RestorerChain:
    chain = RestorerChain.model_validate({"links": links, **settings})
    chain.load("cpu")
    return chain


def _restored(chain: RestorerChain, given: Waveform, take: int = 0) -> np.ndarray:
    return chain.restore([given], [rng_for(0, "take", take)])[0].samples


def test_a_chain_of_one_is_its_link() -> None:
    """The chain adds nothing of its own."""
    given = noisy(speech_like(), 5.0)
    gate = RESTORERS["spectral_gate"]()
    alone = gate.restore([given], [rng_for(0)])
    placed = ModelInput(given, gate).fit(alone, restores_level=False).waveform

    assert np.array_equal(_restored(_chain({"kind": "spectral_gate"}), given), placed.samples)


def test_delays_and_levels_do_not_add_up() -> None:
    """Two links that are each late and soft give speech back in place, as loud as it was."""
    given = speech_like()

    restored = _restored(_chain({"kind": "late"}, {"kind": "late", "delay": 160}), given)

    heard = np.corrcoef(restored[4_000:-4_000], given.samples[4_000:-4_000])[0, 1]
    assert heard > 0.95
    assert active_level_db(restored, given.sample_rate) == pytest.approx(
        active_level_db(given.samples, given.sample_rate), abs=0.5
    )


@pytest.mark.parametrize("strength", [1.0, 0.5])
@pytest.mark.parametrize("by", [400, -400])
def test_a_change_of_length_within_the_chain_is_seen_at_its_end(by: int, strength: float) -> None:
    """That of the worst link, whichever it is; links that keep the length leave it as it is."""
    given = speech_like()
    links = [{"kind": "longer", "by": by}, {"kind": "longer", "by": -50}, {"kind": "identity"}]
    first, last = (_restored(_chain(*each, strength=strength), given) for each in (links, links[::-1]))

    assert first.size == last.size == given.samples.size + 2 * by
    assert _restored(_chain({"kind": "identity"}), given).size == given.samples.size


@pytest.mark.parametrize("globally", [False, True])
def test_links_draw_from_streams_of_their_own(globally: bool) -> None:  # noqa: FBT001
    """The same stream gives the same samples; another take, and a second link, draw something else."""
    link = {"kind": "draws", "globally": globally}
    given = speech_like()
    twice, once = _chain(link, link), _chain(link)

    assert np.array_equal(_restored(twice, given), _restored(twice, given))
    assert not np.array_equal(_restored(twice, given), _restored(twice, given, 1))
    assert not np.array_equal(_restored(twice, given), _restored(once, given))
    assert twice.sampling
    assert not _chain({"kind": "late"}).sampling


def test_a_link_computes_in_its_own_precision() -> None:
    """As it would alone: in 16 bits if it says so, whatever the links beside it do."""
    torch = pytest.importorskip("torch")
    given = speech_like()
    exact, rounded = (
        _restored(_chain({"kind": "product", "precision": precision}), given)
        for precision in ("float32", "bfloat16")
    )

    assert np.array_equal(exact, given.samples)
    assert np.array_equal(rounded, torch.from_numpy(given.samples.copy()).bfloat16().float().numpy())


def test_licences_are_those_of_all_links() -> None:
    """The most restrictive of them is the row's."""
    assert _chain({"kind": "late"}, {"kind": "draws"}, {"kind": "late"}).licences == ("CC-BY-NC-4.0", "MIT")


def test_is_known_by_its_links() -> None:
    """Another setting, order or number of links is another model; pickled it is the same."""
    one, two = {"kind": "late"}, {"kind": "late", "delay": 9}
    chain = _chain(one, two)
    others = [_chain(one), _chain(two, one), _chain(one, two, strength=0.5)]

    assert all(other.fingerprint_params != chain.fingerprint_params for other in others)
    assert pickle.loads(pickle.dumps(chain)).fingerprint_params == chain.fingerprint_params
    assert chain.with_digests().fingerprint_params == chain.fingerprint_params
    assert RestorerChain.model_validate(chain.spec.params).fingerprint_params == chain.fingerprint_params


def test_strength_mixes_the_input_back_in() -> None:
    """Half of a chain is half of its output and half of its input."""
    given = noisy(speech_like(), 5.0)
    chain = _chain({"kind": "wiener"})

    halved = _restored(chain.with_settings({"strength": 0.5}), given)

    assert halved == pytest.approx(0.5 * (_restored(chain, given) + given.samples), abs=1e-6)


def test_other_links_are_other_models() -> None:
    """A draw that exchanges the links loads the new ones."""
    given, links = speech_like(), [{"kind": "draws"}]

    changed = _chain({"kind": "identity"}).with_settings({"links": links})

    assert np.array_equal(_restored(changed, given), _restored(_chain(*links), given))


def test_a_link_that_cannot_be_is_named() -> None:
    """Unknown kinds, settings out of bounds and links without a kind do not wait for the run."""
    with pytest.raises(LookupError, match="no restorer is called 'weiner'; did you mean 'wiener'"):
        _chain({"kind": "weiner"})
    with pytest.raises(ValidationError, match="strength"):
        _chain({"kind": "spectral_gate", "strength": 2.0})
    with pytest.raises(ValidationError, match="a link needs its kind"):
        _chain({"strength": 1.0})


def test_silence_is_a_reason() -> None:
    """As for every link alone."""
    with pytest.raises(UnfitError) as caught:
        _restored(_chain({"kind": "identity"}), Waveform(np.zeros(8_000, dtype=np.float32), 16_000))

    assert caught.value.reason is Reason.SILENT
