"""Config: from YAML to a checked ``ResolvedConfig`` with operators, all mistakes told at once.

``document`` reads YAML and remembers where each value stands; ``recipes`` are included and ``overrides``
applied; ``schema`` is the shape of it all. ``resolve`` then builds operators (``operators``,
``nested_operators``), the chain (``chain``) and the criteria (``preference``), reading on where a part is
wrong (``reader``), and ``problems`` collects each mistake with file, line, value and way out.
"""
