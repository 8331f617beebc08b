"""What every table of a configuration file has in common."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

__all__ = ["Strict"]


class Strict(BaseModel):
    """No unknown keys, no silent conversions, frozen once read."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
