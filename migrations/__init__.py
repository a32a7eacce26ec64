"""The core's history of its tables. Each plugin keeps its own beside its code."""
