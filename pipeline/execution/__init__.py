"""Execution: tickets done, by one process or by a Ray cluster, with the same bytes.

``board`` decides which ticket a worker is given next; ``worker`` does it: read, process record by record,
commit. ``local`` is a for loop and defines what is right; ``ray`` does the same, faster. ``interrupts`` is
being told to stop; ``machine``, ``log_file`` and ``peak_memory`` are for those who look on.
"""
