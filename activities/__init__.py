"""Doors to the world: every side effect of a workflow, retryable."""
