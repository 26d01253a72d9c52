"""When and where the work is done: config, plan, tables, executors, export, command line."""

__version__ = "0.1.0"
