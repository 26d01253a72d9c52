"""The blind listening test: people judge what metrics have judged, and their agreement is measured."""
