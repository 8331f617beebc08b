"""What is known about a customer at a cutoff: event log, feature catalogue, kernel, packed state."""

__all__: list[str] = []
