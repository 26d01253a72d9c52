"""Audio in memory and in the store: what every other folder agrees on.

A ``Waveform`` is mono float32 at a rate; ``flac`` is how it is stored, so that what is scored is what is
stored. The formulas that must mean the same everywhere live here: ``level``, ``loudness``, ``lag``,
``bandwidth``, ``pauses``. There is one resampler (``resampling``) and one cache of decoded audio per worker
(``cache``).
"""

from stages.audio.flac import decode_flac, encode_flac
from stages.audio.level import ratio_db, rms
from stages.audio.resampling import resample
from stages.audio.waveform import AudioSource, Samples, Waveform

__all__ = ["AudioSource", "Samples", "Waveform", "decode_flac", "encode_flac", "ratio_db", "resample", "rms"]
