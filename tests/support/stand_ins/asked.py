"""What every stand-in notes: the settings that it was asked with."""

NOTE = """
import json
from pathlib import Path


def note(**asked):
    (Path(__file__).parent / "asked.json").write_text(json.dumps(asked))
"""
