"""What an operator needs of a machine."""

from schemas import Record


class Resources(Record):
    """Logical CPUs and GPUs that a worker reserves while it holds the operator."""

    cpus: float = 1.0
    gpus: float = 0.0
