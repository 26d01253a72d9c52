"""The dataset: its columns, rows, files and card."""
