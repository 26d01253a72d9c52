"""Who does the tickets: one process, or a Ray cluster. Both give the same bytes."""
