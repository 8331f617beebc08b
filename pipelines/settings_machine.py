"""What a project runs on: the online store, MLflow, the batch engine."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from pipelines.settings_strict import Strict

__all__ = ["EngineSettings", "StoreSettings", "TrackingSettings"]


class StoreSettings(Strict):
    """The online store of customers' states."""

    url: str = Field(
        default="embedded:state",
        pattern=r"^embedded:.+$",
        description="`embedded:FOLDER`, no server; the folder is relative to home.",
    )


class TrackingSettings(Strict):
    """Where MLflow keeps runs and models."""

    uri: str = Field(
        default="sqlite:///mlruns/mlflow.db",
        description="MLflow tracking URI; a local `sqlite:///` path is relative to home.",
    )


class EngineSettings(Strict):
    """What brings a customer's events together in batch."""

    name: Literal["duckdb", "spark"] = Field(
        default="duckdb",
        description="`duckdb`: one machine, out of core; `spark`: many, with the extra `spark` and Java 17.",
    )
    threads: int = Field(default=0, ge=0, le=256, description="Threads to use; 0: one a processor.")
    master: str = Field(
        default="local[*]",
        pattern=r"^(local(\[[^\]]+\])?|yarn|(spark|k8s)://.+)$",
        description="Spark's master URL; `local[N]`: N cores of this machine, `*`: all of them.",
    )
    properties: dict[Annotated[str, Field(pattern=r"^spark\.")], str] = Field(
        default_factory=dict,
        description='Further properties for Spark, such as `{ "spark.driver.memory" = "4g" }`.',
    )
