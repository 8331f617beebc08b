"""The score, now: online store, scoring, HTTP API, prediction log, drift."""

__all__: list[str] = []
