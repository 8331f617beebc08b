"""Before training: a sample of customers replayed against the very rows that the panels were made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from features.clock import from_us
from features.errors import ParityError
from features.parity import BatchRows, Tally
from features.parity_log import Sample, sample
from features.parity_replay import Customer, Moment, dice
from pipelines.parity import moment_of, replay_sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from features.event_log import Snapshot
    from features.feature_table import FeatureTable
    from features.plan import Plan
    from pipelines.workspace import Workspace
    from training.panel import Panel

__all__ = ["Proof", "TrainingParity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That nothing differed, or that nothing was compared.

    Parameters
    ----------
    sentence : str
        For the report and the run.
    metrics : mapping of str to float
        For the run: ``parity_pairs``, ``parity_values``.
    """

    sentence: str
    metrics: Mapping[str, float]


class TrainingParity:
    """Watches the feature table that panels are made of, then replays ``[retrain] parity_pairs`` pairs against it.

    Parameters
    ----------
    workspace : Workspace
    snapshot : Snapshot
        The log the panels are built from.
    """

    def __init__(self, workspace: Workspace, snapshot: Snapshot) -> None:
        self._workspace, self._snapshot = workspace, snapshot
        self._pairs = workspace.settings.retrain.parity_pairs
        if self._pairs:
            self._sample = sample(snapshot, self._pairs, seed=workspace.settings.retrain.seed)
        else:
            workspace.say("warning: [retrain] parity_pairs is 0: the features are not checked before training")
            self._sample = Sample(buckets={}, strata={}, left_out=0)
        self._rows = BatchRows(self._sample.buckets)

    def watch(self, table: FeatureTable) -> None:
        """Keep the sampled customers' rows of a batch."""
        self._rows.take(table)

    def prove(self, plan: Plan, panels: Mapping[str, Panel]) -> Proof:
        """Replay; each customer at one of the cutoffs after its first event, at more if there are few customers.

        Raises
        ------
        ParityError
            If any bit differs.
        """
        moments = [
            moment_of(self._workspace, from_us(cutoff_us))
            for cutoff_us in sorted({int(at) for panel in panels.values() for at in panel.cutoffs_us})
        ]
        if not self._pairs or not moments:
            return Proof(sentence="parity: nothing was replayed", metrics={"parity_pairs": 0.0, "parity_values": 0.0})
        seed = self._workspace.settings.retrain.seed
        each = -(-self._pairs // max(len(self._sample.buckets), 1))

        def drawn(customer: Customer) -> list[Moment]:
            after = [moment for moment in moments if moment.cutoff_us > customer.first_us] or moments
            order = dice(seed, customer.customer_id).permutation(len(after))
            return [after[at] for at in order[:each].tolist()]

        tally = replay_sample(self._workspace, self._snapshot, plan, self._rows, self._sample, drawn, seed=seed)
        if tally.different:
            raise self._error(tally, tuple(panels))
        return Proof(
            sentence=f"parity: {tally.pairs:,} replayed pairs of customer and cutoff, {tally.values:,} numbers equal "
            "to the last bit",
            metrics={"parity_pairs": float(tally.pairs), "parity_values": float(tally.values)},
        )

    def _error(self, tally: Tally, targets: tuple[str, ...]) -> ParityError:
        first, settings = tally.first[0], self._workspace.settings.retrain
        command = (
            f"ebbtide features parity --cutoff {self._workspace.show(from_us(first.cutoff_us))} "
            f"--customers {settings.parity_pairs} --seed {settings.seed} --target {' --target '.join(targets)}"
        )
        return ParityError(
            f"the features are not what the customers' own events say: {tally.different:,} numbers of "
            f"{tally.pairs:,} replayed pairs differ, the first: {first.sentence()}",
            expected="the same bits; nothing was trained or registered, and the champion serves on",
            remedy=f"report this as a bug, with the output of `{command}`",
        )
