"""Networks that are no operators by themselves: each is built from what its checkpoint holds.

What restorers, metrics and training share: the networks behind DNSMOS, NISQA, UTMOS, SQUIM and VQScore,
Whisper's transcription (``transcription``, ``faster_transcription``), Silero's voice detector, neural codecs
and their tokens, and ``loading`` with every weight in its place or not at all. The modules load torch, so
this face imports none of them: import the one you need.
"""
