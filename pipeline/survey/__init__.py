"""The survey: what a corpus holds, before anything is made of it.

A corpus is listed and decoded as a run would (``measures``), by a process for each core (``workers``), and
nothing is written into it. What stands out gets a name (``oddities``); texts and audio that nobody reads are
looked for beside it (``neighbours``). ``survey`` puts it together as records (``records``), ``page`` as one
HTML file with charts (``charts``) and the worst of each kind to hear (``players``).
"""
