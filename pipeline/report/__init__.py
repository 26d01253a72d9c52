"""The report: what came of a run, to read and to listen to. The dashboard serves the same views live."""
