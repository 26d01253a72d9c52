"""The dashboard: the report's views of a workspace, live on this machine, and a blind listening test."""
