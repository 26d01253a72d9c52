"""The audit: whether pairs are better by scores that did not choose them, and how scores agree."""
