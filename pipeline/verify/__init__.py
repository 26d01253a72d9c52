"""Whether a dataset is what it says of itself: files, rows, audio, and scores computed again."""
