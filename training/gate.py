"""The gate: a pure function from losses on the same test rows to a decision with its reasons.

Retraining is not promotion. The best of LightGBM and the yardsticks becomes the challenger; it must be calibrated, and
must not be worse than the champion. A champion's losses must come from the version that was fitted before the test, so
that it never competes on rows it has seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from training.evaluate import ece, paired_difference

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Contender", "Decision", "bias_limit", "decide", "ece_limit"]

_WORSE_BY: Final = 0.01
_ECE_MARGIN: Final = 0.01
_ECE_LARGE_ROWS: Final = 20_000
_ECE_LARGE: Final = 0.02
_SIMULATIONS: Final = 400
_BIAS_MARGIN: Final = 0.10
_NORMAL_95: Final = 1.959963984540054


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Contender:
    """One way to predict, judged on the test rows.

    Parameters
    ----------
    name : str
        ``"LightGBM"``, or a yardstick's name.
    losses : ndarray of float64, shape (n,)
        Loss of each test row: log loss, or Tweedie deviance of amounts. All contenders share the rows.
    calibration_error : float
        Expected calibration error of probabilities, or absolute total bias of amounts.
    calibration_limit : float
        Largest error that counts as calibrated: :func:`ece_limit` or :func:`bias_limit`.
    """

    name: str
    losses: NDArray[np.float64]
    calibration_error: float
    calibration_limit: float

    @property
    def loss(self) -> float:
        """Mean loss."""
        return float(self.losses.mean())

    @property
    def is_calibrated(self) -> bool:
        """Whether the calibration error is within its limit."""
        return self.calibration_error <= self.calibration_limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What the gate says.

    Parameters
    ----------
    outcome : {"promote", "refuse", "provisional"}
        ``provisional``: there is no champion yet and nothing passes; the least bad serves until something does.
    winner : str
        Name of the contender that is the challenger.
    reasons : tuple of str
        Sentences with figures; the first one says what decided.
    metrics : mapping of str to float
        The figures behind the reasons.
    """

    outcome: Literal["promote", "refuse", "provisional"]
    winner: str
    reasons: tuple[str, ...]
    metrics: Mapping[str, float] = field(default_factory=dict)


def ece_limit(probabilities: NDArray[np.float64], *, seed: int) -> float:
    """Calibration error that a perfectly calibrated model of this size stays below in 95 of 100 samples, plus 0.01.

    Parameters
    ----------
    probabilities : ndarray of float64, shape (n,)
        The model's own; outcomes are drawn from them. From 20,000 rows on the limit is 0.02.
    seed : int
        Of the simulation.
    """
    if probabilities.size >= _ECE_LARGE_ROWS:
        return _ECE_LARGE
    generator = np.random.default_rng(seed)
    errors = [
        ece((generator.random(probabilities.size) < probabilities).astype(np.float64), probabilities)
        for _ in range(_SIMULATIONS)
    ]
    return float(np.quantile(errors, 0.95)) + _ECE_MARGIN


def bias_limit(amounts: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Total bias of amounts that chance explains (95 %), plus a tenth."""
    mean = float(amounts.mean())
    if amounts.size < 2 or mean <= 0:
        return _BIAS_MARGIN
    deviation = float((amounts - expected).std(ddof=1)) / float(np.sqrt(amounts.size))
    return _BIAS_MARGIN + _NORMAL_95 * deviation / mean


def decide(
    model: Contender,
    baselines: Sequence[Contender],
    *,
    champion_losses: NDArray[np.float64] | None,
    blockers: Sequence[str] = (),
) -> Decision:
    """Decide what becomes of a challenger.

    Parameters
    ----------
    model : Contender
        LightGBM.
    baselines : sequence of Contender
        At least one yardstick, on the same rows.
    champion_losses : ndarray of float64, shape (n,), or None
        Losses of the champion's version fitted before its own test, on these rows; None if there is no champion.
    blockers : sequence of str
        Sentences on what else is wrong (minimum data, a segment); any of them refuses. Features that fail parity
        never come this far: without a champion, a refused model would still serve provisionally.

    Returns
    -------
    Decision
    """
    reasons: list[str] = []
    metrics: dict[str, float] = {"rows": float(model.losses.size)}
    best = min(baselines, key=lambda one: one.loss)
    ranked = _ranked(model, baselines, best, reasons, metrics)
    passing = [one for one in ranked if one.is_calibrated]
    reasons += [_calibration_sentence(one) for one in ranked[:2]]
    for one in (model, *baselines):
        metrics[f"{one.name} calibration error"] = one.calibration_error
    if blockers or not passing:
        winner = ranked[0] if blockers and passing else min((model, *baselines), key=lambda one: one.loss)
        first = list(blockers) or ["no contender is calibrated"]
        if champion_losses is None:
            text = f"{winner.name} serves provisionally: {'; '.join(first)}"
            return Decision(outcome="provisional", winner=winner.name, reasons=(text, *reasons), metrics=metrics)
        text = f"refused: {'; '.join(first)}"
        return Decision(outcome="refuse", winner=winner.name, reasons=(text, *reasons), metrics=metrics)
    winner = passing[0]
    if champion_losses is None:
        text = f"{winner.name} is promoted: it is the best calibrated contender, with no champion to compare it with"
        return Decision(outcome="promote", winner=winner.name, reasons=(text, *reasons), metrics=metrics)
    worse, sentence = _worse(winner.losses, champion_losses, winner.name, "the champion", metrics)
    outcome: Literal["promote", "refuse"] = "refuse" if worse else "promote"
    text = f"{winner.name} is {'refused' if worse else 'promoted'}: {sentence}"
    return Decision(outcome=outcome, winner=winner.name, reasons=(text, *reasons), metrics=metrics)


def _ranked(
    model: Contender,
    baselines: Sequence[Contender],
    best: Contender,
    reasons: list[str],
    metrics: dict[str, float],
) -> list[Contender]:
    """Order of preference: LightGBM unless it loses to the best yardstick, then the yardsticks by loss."""
    loses, sentence = _worse(model.losses, best.losses, model.name, best.name, metrics)
    reasons.append(sentence)
    by_loss = sorted(baselines, key=lambda one: one.loss)
    return by_loss if loses else [model, *by_loss]


def _worse(
    ours: NDArray[np.float64],
    theirs: NDArray[np.float64],
    our_name: str,
    their_name: str,
    metrics: dict[str, float],
) -> tuple[bool, str]:
    """Whether the interval lies wholly on the worse side, or the mean is more than 1 % worse; and a sentence."""
    gap = paired_difference(ours, theirs)
    share = gap.mean / max(float(theirs.mean()), 1e-12)
    metrics[f"{our_name} less {their_name}"] = gap.mean
    metrics[f"{our_name} less {their_name}, low"] = gap.low
    metrics[f"{our_name} less {their_name}, high"] = gap.high
    worse = gap.low > 0 or share > _WORSE_BY
    verdict = "worse than" if worse else "better than" if gap.high < 0 else "not worse than"
    return worse, (
        f"{our_name} is {verdict} {their_name}: loss {ours.mean():.4f} against {theirs.mean():.4f} on {ours.size} "
        f"rows, difference {gap.mean:+.4f} (95 % interval {gap.low:+.4f} to {gap.high:+.4f}, {share:+.1%})"
    )


def _calibration_sentence(one: Contender) -> str:
    verdict = "calibrated" if one.is_calibrated else "miscalibrated"
    return f"{one.name} is {verdict}: error {one.calibration_error:.4f}, limit {one.calibration_limit:.4f}"
