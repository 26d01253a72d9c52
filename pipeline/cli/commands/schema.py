"""``schema``: the JSON Schema of configs."""

import json
import sys

from pipeline.config.schema import Config
from schemas.field_docs import describe_schema


def schema_command() -> None:
    """Print the schema."""
    sys.stdout.write(json.dumps(describe_schema(Config), indent=2) + "\n")
