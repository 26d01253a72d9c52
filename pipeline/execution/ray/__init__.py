"""The only place that knows Ray: actors, placement, resources, failure detection and metrics are Ray's."""

from pipeline.execution.ray.executor import RayExecutor

__all__ = ["RayExecutor"]
