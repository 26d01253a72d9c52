"""The sides of a dataset, which share no speaker, no utterance, no noise and no room."""

from enum import StrEnum


class Split(StrEnum):
    """Train, validation or test."""

    TRAIN = "train"
    VALIDATION = "validation"
    TEST = "test"
