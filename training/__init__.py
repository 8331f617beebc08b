"""What the past teaches: labels, panel, model, calibration, gate, bundle, registry."""

__all__: list[str] = []
