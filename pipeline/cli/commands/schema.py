"""``schema``: the JSON Schema of configs."""

import json
import sys

from pipeline.config.schema import Config


def schema_command() -> None:
    """Print the schema."""
    sys.stdout.write(json.dumps(Config.model_json_schema(), indent=2) + "\n")
