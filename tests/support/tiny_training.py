"""A training of seconds that can be killed, or meets a full disk, in a process of its own."""

import ctypes
import os
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import soundfile

from pipeline.cli.commands.train_generative import TrainingOptions, train_part_command
from pipeline.config.resolve import resolve
from schemas import RunError
from tests.support.speech_like import speech_like

CONFIG = """
name: voices
speech: [{name: voices, path: speech}]
ingest: {sample_rate: 16000, splits: {train: 0.5, validation: 0.5}}
pools: {noise: [{synthesise: [white, pink], count: 4, duration_s: 1}]}
degradations: {chain: [{kind: noise, snr_db: {uniform: [0, 10]}}]}
restorers: [{kind: identity}, {kind: wiener}]
metrics: [{kind: estoi}]
preference: {criteria: [estoi], uncovered: [perceptual_quality, signal_fidelity, timbre_preservation]}
"""
OPTIONS = TrainingOptions(
    hours=None,
    steps=4,
    batch_size=1,
    stretch_s=0.6,
    learning_rate=1e-3,
    channels=16,
    blocks=1,
    seed=0,
    every_minutes=60.0,
    judged=1,
    device="cpu",
)
DISK_KB = 8_192
_NEW_MOUNTS, _PRIVATE = 0x00020000, (1 << 18) | (1 << 14)
"""``CLONE_NEWNS``; ``MS_PRIVATE | MS_REC``."""


def write_training(folder: Path) -> Path:
    """Write eight short recordings, and the config that trains on them."""
    (folder / "speech").mkdir()
    for number in range(8):
        voice = speech_like(1.2, pitch_hz=90.0 + 20.0 * number, sample_rate=16_000)
        soundfile.write(folder / "speech" / f"{number}.flac", voice.samples, 16_000)
    (folder / "config.yaml").write_text(CONFIG)
    return folder / "config.yaml"


def train_estimate(config: Path, out: Path, steps: int, every_minutes: float = 60.0) -> None:
    """Train the smallest part; with 0 minutes a checkpoint follows each step."""
    options = replace(OPTIONS, steps=steps, every_minutes=every_minutes)
    train_part_command(resolve(config), "estimate", out, options)


def train_on_full_disk(config: Path, out: Path, told: Connection) -> None:
    """Train two steps on a small disk, two more once it is full, and two more once there is room.

    Tells what was said of the full disk, what of the checkpoint was still there then, and the weights; or
    nothing where a process may not mount a disk of its own.
    """
    if not _mount_small_disk(out):
        told.send(None)
        return
    train_estimate(config, out, 2)
    checkpoint = (out / "estimate.checkpoint.pt").read_bytes()
    ballast = out / "ballast"
    _fill(ballast)
    said = _what_is_raised(lambda: train_estimate(config, out, 4))
    is_whole = (out / "estimate.checkpoint.pt").read_bytes() == checkpoint
    ballast.unlink()
    train_estimate(config, out, 4)
    told.send((said, is_whole, (out / "weights" / "estimate.safetensors").read_bytes()))


def _mount_small_disk(place: Path) -> bool:
    """Mount some megabytes where only this process sees them; whether that may be done here."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_NEW_MOUNTS) or libc.mount(None, b"/", None, _PRIVATE, None):
        return False
    size = f"size={DISK_KB}k".encode()
    return not libc.mount(b"none", os.fsencode(place), b"tmpfs", 0, size)


def _fill(ballast: Path) -> None:
    """Write until nothing more fits."""
    with ballast.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            return


def _what_is_raised(call: Callable[[], None]) -> str:
    try:
        call()
    except RunError as error:
        return str(error)
    return ""
