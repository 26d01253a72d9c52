"""What several degradations share, and no degradation by itself.

A sound that is added at a level (``added_sound``), filters of bands (``band_filter``), changes of the
spectrum without phase (``spectral``), packets that are lost (``loss_models``), voice-mode Opus
(``libopus``), and room above the signal for codecs of 16 bits (``headroom``).
"""
