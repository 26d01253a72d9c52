"""Metrics as the laws meet them: those that need published weights get small random ones.

A metric with weights enters the maker of its own here: a function that writes what the metric opens into an
empty folder and returns the settings that name it.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from stages.metrics import METRICS, Metric
from tests.support.faster_whisper_networks import write_faster_whisper
from tests.support.perceptual_networks import (
    write_distill_mos,
    write_nisqa,
    write_squim,
    write_squim_mos,
    write_utmos,
    write_vqscore,
)
from tests.support.pitch_networks import write_crepe
from tests.support.speaker_networks import (
    write_dvectors,
    write_ecapa,
    write_ge2e,
    write_wavlm_speakers,
)
from tests.support.speech_networks import write_hubert, write_whisper

Maker = Callable[[Path], Mapping[str, Any]]
TINY: dict[str, Maker] = {
    "crepe_pitch": lambda folder: {"path": write_crepe(folder)},
    "distill_mos": lambda folder: {"path": write_distill_mos(folder), "windows": "once"},
    "dvector_speaker_similarity": lambda folder: {"path": write_dvectors(folder)},
    "ge2e_speaker_similarity": lambda folder: {"path": write_ge2e(folder)},
    "nisqa": lambda folder: {"path": write_nisqa(folder)},
    "squim": lambda folder: {"path": write_squim(folder)},
    "squim_mos": lambda folder: {"path": write_squim_mos(folder)},
    "utmos": lambda folder: {"path": write_utmos(folder)},
    "vqscore": lambda folder: {"path": write_vqscore(folder)},
    "ecapa_speaker_similarity": lambda folder: {"path": write_ecapa(folder)},
    "wavlm_speaker_similarity": lambda folder: {"path": write_wavlm_speakers(folder)},
    "speech_bert_score": lambda folder: {"path": write_hubert(folder), "model": "narrow-hubert"},
    "faster_whisper": lambda folder: {"path": write_faster_whisper(folder)},
    "faster_whisper_clean": lambda folder: {"path": write_faster_whisper(folder)},
    "whisper": lambda folder: {"path": write_whisper(folder)},
    "whisper_clean": lambda folder: {"path": write_whisper(folder)},
}
"""Makers by kind. What their networks say is random: laws of worth (noise is worse) are not for them."""


OPTIONAL = {"visqol": "visqol"}
"""Modules that an installation can do without, by the kind of the metric that imports them."""


def lawful_metric(kind: str, folder: Path) -> Metric:
    """Return the metric with its default settings, or with small random weights in ``folder``.

    The test is skipped where the package of an optional one is not installed.
    """
    if kind in OPTIONAL:
        pytest.importorskip(OPTIONAL[kind])
    settings = TINY[kind](folder) if kind in TINY else {}
    return METRICS[kind].model_validate(dict(settings))


def is_trained(kind: str) -> bool:
    """Say whether the laws meet the metric as it is published."""
    return kind not in TINY
