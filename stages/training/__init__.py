"""Training of the few networks that nobody publishes with a licence."""
