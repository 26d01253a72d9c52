"""The only place that knows Ray: actors, placement, resources, failure detection and metrics are Ray's.

``executor`` starts an ``actor`` where there is work for one and hands it tickets, as many as ``scaling``
says; ``cluster`` connects to a cluster or starts one, ``deaths`` counts who died over what, ``metrics``
tells the cluster's dashboard.
"""

from pipeline.execution.ray.executor import RayExecutor

__all__ = ["RayExecutor"]
