"""Which container a file is, by its first bytes; names say nothing."""

from collections.abc import Mapping

_FRONTS: Mapping[bytes, str] = {
    b"OggS": "ogg",
    b"fLaC": "flac",
    b"RF64": "rf64",
    b"RIFX": "rifx",
    b"caff": "caf",
    b".snd": "au",
    b"dns.": "au",
    b"NIST_1A": "nist",
    b"\x1a\x45\xdf\xa3": "matroska",
    b"#!AMR": "amr",
    b"wvpk": "wv",
    b"MAC ": "ape",
    b"\x30\x26\xb2\x75": "asf",
    b".ra\xfd": "real",
    b".RMF": "real",
    b"TTA1": "tta",
    b"Creative Voice File": "voc",
    b"2BIT": "avr",
    b"ajkg": "shorten",
    b"MThd": "midi",
    b"MPCK": "musepack",
    b"MP+": "musepack",
    b"DSD ": "dsd",
    b"FRM8": "dsd",
    b" paf": "paf",
    b"fap ": "paf",
    b"PVF1": "pvf",
    b"ALaw": "wve",
    b"MATL": "matlab",
    b"\x64\xa3": "ircam",
    b"\xf0\x7e": "sds",
    b"\x0b\x77": "ac3",
    b"Extended Instrument": "xi",
    b"FLV\x01": "flash",
}
FOREIGN: Mapping[str, str] = {
    "ape": "Monkey's Audio",
    "asf": "Windows Media",
    "real": "RealAudio",
    "tta": "True Audio",
    "voc": "Creative Voice",
    "avr": "Audio Visual Research",
    "shorten": "Shorten",
    "midi": "MIDI",
    "musepack": "Musepack",
    "dsd": "DSD",
    "paf": "Ensoniq PARIS",
    "pvf": "Portable Voice Format",
    "wve": "Psion",
    "matlab": "MATLAB",
    "ircam": "IRCAM",
    "sds": "MIDI sample dump",
    "ac3": "Dolby Digital",
    "xi": "FastTracker",
    "flash": "Flash video",
    "svx": "Amiga IFF",
    "avi": "AVI",
}
"""Known by sight and by name, and not read: some cannot say whether they are whole."""
_W64_FRONT = b"riff\x2e\x91\xcf\x11"
_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"moof", b"styp"})


def kind_of(front: bytes) -> str | None:
    """Return the container of a file that begins with ``front``; None for MPEG audio and what is none."""
    if front[:4] == b"RIFF" and front[8:12] in {b"WAVE", b"AVI "}:
        return "wav" if front[8:12] == b"WAVE" else "avi"
    if front[:4] == b"FORM":
        return {b"AIFF": "aiff", b"AIFC": "aiff", b"8SVX": "svx", b"16SV": "svx"}.get(front[8:12])
    if front[:8] == _W64_FRONT:
        return "w64"
    if front[4:8] in _BOXES:
        return "mov"
    if front[:1] == b"\xff" and len(front) > 1 and front[1] & 0xF6 == 0xF0:  # noqa: PLR2004 - ADTS, layer 0
        return "aac"
    return next((kind for mark, kind in _FRONTS.items() if front.startswith(mark)), None)
