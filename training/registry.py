"""MLflow: runs, registered versions and the aliases ``champion`` and ``challenger``; no other file knows it.

A registered version is three things in this order: a run and a model in MLflow, a checked copy of the bundle under
``home/bundles/<target>/<version>/``, and a tag saying that the copy is whole. A promotion moves the alias first and
the pointer file last, so that workers never follow a pointer to a version that the registry does not call champion.

Writers of one home take turns (a lock file beside the database); readers never wait. MLflow stores absolute artifact
paths: in a home that was moved, ``models:/churn@champion`` no longer loads until the next training (which goes to a new
experiment of the same name), while the pointer and the bundles still do.
"""

from __future__ import annotations

import importlib.metadata
import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import features
import training
from features.clock import from_us
from features.errors import BundleError, EbbtideError, ModelNotFoundError
from training.bundle import Bundle, read_bundle, write_pointer
from training.model_version import (
    CHECKSUM_TAG,
    INCOMPLETE,
    STATUS_TAG,
    ModelVersion,
    RegisteredVersion,
    find_version,
    known_target,
    version_from,
)
from training.registry_artifacts import checked_pointer, keep_bundle, log_run
from training.registry_lock import writers_turn
from training.registry_quiet import quiet_import

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ModelVersion", "RegisteredVersion", "Registry"]

_CHAMPION: Final = "champion"
_CHALLENGER: Final = "challenger"
_HISTORY: Final = "ebbtide.champions"
_KEPT_CHAMPIONS: Final = 50


class Registry:
    """The model registry of one home.

    Parameters
    ----------
    tracking_uri : str
        Such as ``sqlite:////path/to/home/mlruns/mlflow.db`` (absolute).
    home : Path
        Folder of the project.
    """

    def __init__(self, tracking_uri: str, home: Path) -> None:
        self._uri, self._home = tracking_uri, home.absolute()
        self._connected: Any = None

    def record(
        self,
        target: str,
        folder: Path,
        *,
        params: Mapping[str, object],
        metrics: Mapping[str, float],
        figures: Mapping[str, bytes],
        documents: Mapping[str, str],
        tags: Mapping[str, str],
        input_example: pd.DataFrame,
        status: str = "registered",
    ) -> RegisteredVersion:
        """Log a run, register the bundle as a new version of the target, and make it the challenger.

        Parameters
        ----------
        target : str
            The bundle's target.
        folder : Path
            A bundle as ``write_bundle`` wrote it; it is read, not moved.
        params, metrics, tags : mapping
            For the run. Metrics that are not finite are left out.
        figures : mapping of str to bytes
            PNG images by file name.
        documents : mapping of str to str
            Texts by file name (reports, the gate's reasons).
        input_example : DataFrame of float32
            A few feature rows.
        status : str
            What the gate said of it, for ``versions``.

        Raises
        ------
        BundleError
            If the bundle is damaged or of another target.
        LockedError
            If another process is writing to this registry for more than a minute.
        """
        bundle = read_bundle(folder)
        if bundle.target.name != target:
            raise BundleError(f"{folder} is a bundle of {bundle.target.name!r}", expected=f"one of {target!r}")
        with writers_turn(self._home):
            client = self._client()
            experiment = self._experiment(client, target)
            run = client.create_run(experiment, tags={**tags, "ebbtide.target": target}, run_name=target)
            run_id = str(run.info.run_id)
            try:
                log_run(client, run_id, params=params, metrics=metrics, figures=figures, documents=documents)
                source, model_id = _save_pyfunc(client, (experiment, run_id), folder, bundle, input_example)
                if not client.search_registered_models(f"name='{target}'"):
                    client.create_registered_model(target, description=f"Ebbtide: {bundle.target.kind} scores")
                made = client.create_model_version(
                    target,
                    source,
                    run_id,
                    tags={STATUS_TAG: INCOMPLETE, CHECKSUM_TAG: bundle.checksum},
                    model_id=model_id,
                )
                version = str(made.version)
                created = from_us(made.creation_timestamp * 1000)
                keep_bundle(self._home, bundle, folder, version=version, run_id=run_id, created=created)
                client.set_model_version_tag(target, version, STATUS_TAG, status)
                client.set_registered_model_alias(target, _CHALLENGER, version)
            except BaseException:
                client.set_terminated(run_id, "FAILED")
                raise
            client.set_terminated(run_id, "FINISHED")
        return RegisteredVersion(target=target, version=version, run_id=run_id, checksum=bundle.checksum)

    def promote(self, target: str, version: str) -> ModelVersion:
        """Make a version the champion; the one it replaces is remembered for :meth:`rollback`.

        Promoting the champion again changes nothing but mends the pointer.

        Raises
        ------
        ModelNotFoundError
            If there is no such target or version.
        BundleError
            If its bundle is damaged or is not the one that was registered.
        """
        with writers_turn(self._home):
            chosen = self._find(target, version)
            before = self._aliases(target).get(_CHAMPION)
            history = self._history(target)
            if before not in (None, chosen.version):
                history = [*history, str(before)]
            self._crown(chosen, history)
            return self._find(target, version)

    def rollback(self, target: str) -> ModelVersion:
        """Return to the champion before this one; again, to the one before that.

        Raises
        ------
        ModelNotFoundError
            If there is no such target, or nothing to return to.
        BundleError
            If the earlier champion's bundle is damaged.
        """
        with writers_turn(self._home):
            self._known(target)
            now = self._aliases(target).get(_CHAMPION)
            history = self._history(target)
            while history and history[-1] == now:
                history.pop()
            if not history:
                raise ModelNotFoundError(
                    f"{target} has no earlier champion than {'version ' + now if now else 'none'}",
                    expected="a version that was champion before",
                    remedy=f"choose one with `ebbtide models list` and `ebbtide models promote {target} VERSION`",
                )
            self._crown(self._find(target, history[-1]), history[:-1])
            return self._find(target, history[-1])

    def champion(self, target: str) -> ModelVersion | None:
        """The champion of a target, or ``None`` if none was promoted yet.

        Raises
        ------
        ModelNotFoundError
            If there is no such target.
        """
        return next((v for v in self.versions(target) if _CHAMPION in v.aliases), None)

    def versions(self, target: str | None = None) -> list[ModelVersion]:
        """Every version of a target, or of all targets by name, newest first.

        Raises
        ------
        ModelNotFoundError
            If there is no such target.
        """
        names = self._targets() if target is None else [self._known(target)]
        found: list[ModelVersion] = []
        for name in names:
            client, aliases = self._client(), self._aliases(name)
            for made in client.search_model_versions(f"name='{name}'"):
                metrics = client.get_run(made.run_id).data.metrics if made.run_id else {}
                found.append(version_from(made, metrics=metrics, aliases=aliases))
        return sorted(found, key=lambda v: (v.target, -int(v.version)))

    def _crown(self, chosen: ModelVersion, history: Sequence[str]) -> None:
        pointer = checked_pointer(self._home, chosen)
        client = self._client()
        kept = json.dumps(list(history)[-_KEPT_CHAMPIONS:])
        client.set_registered_model_tag(chosen.target, _HISTORY, kept)
        client.set_registered_model_alias(chosen.target, _CHAMPION, chosen.version)
        if self._aliases(chosen.target).get(_CHALLENGER) == chosen.version:
            client.delete_registered_model_alias(chosen.target, _CHALLENGER)
        write_pointer(self._home, pointer)

    def _find(self, target: str, version: str) -> ModelVersion:
        return find_version(self.versions(target), target, version)

    def _targets(self) -> list[str]:
        path = self._uri.removeprefix("sqlite:///").partition("?")[0]
        if self._uri.startswith("sqlite:///") and not Path(path).is_file():
            return []  # asking a project without models for its models creates no database
        return sorted(str(model.name) for model in self._client().search_registered_models(max_results=1000))

    def _known(self, target: str) -> str:
        return known_target(self._targets(), target)

    def _aliases(self, target: str) -> dict[str, str]:
        return {k: str(v) for k, v in self._client().get_registered_model(target).aliases.items()}

    def _history(self, target: str) -> list[str]:
        return [str(v) for v in json.loads(self._client().get_registered_model(target).tags.get(_HISTORY, "[]"))]

    def _experiment(self, client: Any, target: str) -> str:  # noqa: ANN401 (mlflow has no types)
        name = f"ebbtide/{target}"
        local = self._uri.startswith("sqlite:")
        place = (self._home / "mlruns" / "artifacts").as_uri() if local else None
        if (found := client.get_experiment_by_name(name)) is not None:
            if place is None or found.artifact_location == place:
                return str(found.experiment_id)
            # The home was moved; MLflow would go on writing where it was.
            client.rename_experiment(found.experiment_id, f"{name} (until moved, {found.experiment_id})")
        return str(client.create_experiment(name, artifact_location=place))

    def _client(self) -> Any:  # noqa: ANN401 (mlflow has no types)
        if self._connected is None:
            self._connected = _connect(self._uri)
        return self._connected


def _connect(uri: str) -> Any:  # noqa: ANN401 (mlflow has no types)
    """Open MLflow's store, which is made on first use."""
    with quiet_import():
        import mlflow.store.model_registry.sqlalchemy_store
        import mlflow.store.tracking.sqlalchemy_store  # noqa: F401 (imported for its warnings to fall in here)
        from mlflow import MlflowClient
        from mlflow.exceptions import MlflowException
        from sqlalchemy.exc import SQLAlchemyError
    try:
        client = MlflowClient(tracking_uri=uri, registry_uri=uri)
        client.search_experiments(max_results=1)
    except (MlflowException, SQLAlchemyError, ValueError) as error:
        raise EbbtideError(
            f"the model registry {uri} cannot be opened: {str(error).strip().splitlines()[0]}",
            expected="an MLflow store such as sqlite:///mlruns/mlflow.db",
            remedy="mend `uri` under [tracking] in ebbtide.toml, or restore the database from a backup",
        ) from error
    return client


def _save_pyfunc(
    client: Any,  # noqa: ANN401 (mlflow has no types)
    run: tuple[str, str],
    folder: Path,
    bundle: Bundle,
    example: pd.DataFrame,
) -> tuple[str, str]:
    """Store the bundle as a pyfunc model of the run: the folder, the code that reads it, no pickled object."""
    with quiet_import():
        from mlflow.models import Model, ModelSignature
        from mlflow.pyfunc import save_model
        from mlflow.types.schema import ColSpec, Schema

    experiment, run_id = run
    model = client.create_logged_model(experiment, name=bundle.target.name, source_run_id=run_id)
    columns: list[Any] = [ColSpec("double", name) for name in bundle.feature_names]  # takes float32 and float64 frames
    pins = [f"{name}=={importlib.metadata.version(name)}" for name in ("mlflow", "numpy", "pandas", "lightgbm")]
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "model"
        save_model(
            path,
            loader_module="training.pyfunc_loader",
            data_path=str(folder),
            code_paths=[package.__path__[0] for package in (features, training)],
            signature=ModelSignature(inputs=Schema(columns), outputs=Schema([ColSpec("double")])),
            input_example=example,
            pip_requirements=pins,
            mlflow_model=Model(artifact_path=model.artifact_location, run_id=run_id, model_id=model.model_id),
        )
        client.log_model_artifacts(model.model_id, str(path))
    client.finalize_logged_model(model.model_id, "READY")
    return str(model.artifact_location), str(model.model_id)
