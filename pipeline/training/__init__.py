"""Training of the project's own generative restorers, on speech that its own simulator degrades on the fly.

A run's config says what there is to hear: its speech and pools are ingested once, as in a run, into a
workspace of the training. Every step then draws its stretches and their damage from streams that its number
names, so a training that was killed goes on from its last checkpoint as if it had never stopped.
"""
