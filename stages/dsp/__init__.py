"""Signal processing that several operators share, as functions of arrays.

Filters (``filters``, ``spectral_gain``, ``stft_mask``), rooms and their responses (``rooms``, ``shoebox``,
``impulse_response``, ``convolution``), levels against one another (``mixing``), gains that follow a level
(``dynamics``), spectra (``spectra``, ``short_time``), prediction (``linear_prediction``) and made noise
(``noise``). Import the module that you need: its name is its topic.
"""
