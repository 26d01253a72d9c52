"""What is done: stages, and the families of operators that they apply."""

from stages import torchaudio_guard

torchaudio_guard.install()
