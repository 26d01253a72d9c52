"""Compact generative restoration at 16 kHz: networks that this project trains itself.

A predictive network hears the degraded speech and gives an estimate of the clean spectrum: one gain per bin.
What is left to generate is a handful of numbers per frame, the gains of ERB bands from the estimate to the
clean speech: harmonics and phases come from the input. Three networks draw these gains, each its own way:
by a flow from noise, by codes that are unmasked in a few rounds, and by codes of one frame after the other.
Codes are those of residual k-means. Needs torch; nothing here is imported before a model is loaded.
"""
