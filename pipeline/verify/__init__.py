"""Verify: a published dataset held to what it says of itself, without the run that made it.

From the cheap checks to the dear ones: files and counts, rows and their audio, splits, pair rule and
vetoes, the tables held to one another, pairs decided anew from the published scores, and scores of a sample
computed again. ``verify`` puts them in order; each module yields findings, and none of them stops at the
first.
"""
