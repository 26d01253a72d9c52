"""Networks of models that come as weights alone; each is built from what its checkpoint holds."""
