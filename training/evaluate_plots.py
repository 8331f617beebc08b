"""Figures of a run, drawn without pyplot's global state: ranking, calibration, lift and gain, importance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from training.evaluate import calibration_bins

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from training.train import Contestant, Trained

__all__ = ["figures"]

_COLOURS: Final = ("#0b6e99", "#b0b0b0", "#e08e0b", "#7a5195", "#58a14f", "#d1495b")
_IMPORTANCE: Final = 20
_INCHES: Final = (10.0, 4.4)


def figures(trained: Trained) -> dict[str, Figure]:
    """Draw what a run measured on its test cutoff.

    Parameters
    ----------
    trained : Trained

    Returns
    -------
    dict of str to Figure
        Binary: ``ranking``, ``calibration``, ``lift``, ``importance``; value: ``calibration``, ``gain``,
        ``importance``. ``figure.savefig(path)`` writes one.
    """
    drawn = {"calibration": _calibration(trained)}
    if trained.target.is_binary:
        drawn = {"ranking": _ranking(trained)} | drawn | {"lift": _lift(trained)}
    else:
        drawn["gain"] = _gain_only(trained)
    return drawn | {"importance": _importance(trained)}


def _ranking(trained: Trained) -> Figure:
    figure, (roc, recall) = _axes(f"{trained.target.name}: ranking", 2)
    labels = trained.test_labels
    for number, one in enumerate(trained.contestants):
        colour, text = _COLOURS[number % len(_COLOURS)], f"{one.name}{_metric(one, 'auc', 'AUC {:.3f}')}"
        true, false, taken = _curve(labels, one.scores)
        roc.plot(false / max(false[-1], 1), true / max(true[-1], 1), color=colour, label=text, lw=_width(number))
        precision = true[1:] / taken[1:]
        recall.plot(true[1:] / max(true[-1], 1), precision, color=colour, label=one.name, lw=_width(number))
    roc.plot([0, 1], [0, 1], color="#dddddd", lw=1, zorder=0)
    recall.axhline(float(labels.mean()), color="#dddddd", lw=1, zorder=0)
    _label(roc, "share of customers without the outcome", "share of customers with the outcome", "ROC")
    _label(recall, "recall", "precision", f"precision and recall (rate {labels.mean():.1%})")
    recall.set_ylim(0, 1.02)
    return figure


def _calibration(trained: Trained) -> Figure:
    figure, (axes,) = _axes(f"{trained.target.name}: calibration", 1)
    top = 0.0
    for number, one in enumerate(trained.contestants):
        bins = calibration_bins(trained.test_labels, one.scores)
        predicted, observed = [b.predicted for b in bins], [b.observed for b in bins]
        top = max(top, *predicted, *observed)
        colour = _COLOURS[number % len(_COLOURS)]
        axes.plot(predicted, observed, "o-", color=colour, label=_fit_text(one), lw=_width(number), ms=4)
        if number == 0 and trained.target.is_binary:
            error = [1.96 * float(np.sqrt(b.observed * (1 - b.observed) / b.rows)) for b in bins]
            axes.errorbar(predicted, observed, yerr=error, fmt="none", ecolor=colour, alpha=0.5, capsize=2)
    axes.plot([0, top], [0, top], color="#dddddd", lw=1, zorder=0)
    what = "rate" if trained.target.is_binary else "amount"
    _label(axes, f"predicted {what}", f"observed {what}", "tenths of the customers by prediction")
    return figure


def _lift(trained: Trained) -> Figure:
    figure, (lift, gain) = _axes(f"{trained.target.name}: lift and gain", 2)
    labels = trained.test_labels
    rate = max(float(labels.mean()), 1e-12)
    for number, one in enumerate(trained.contestants):
        true, _, taken = _curve(labels, one.scores)
        share, colour = taken / labels.size, _COLOURS[number % len(_COLOURS)]
        keep = share >= 0.01
        text = f"{one.name}{_metric(one, 'lift_top_decile', 'top tenth {:.1f}')}"
        lift.plot(share[keep], true[keep] / taken[keep] / rate, color=colour, label=text, lw=_width(number))
        gain.plot(share, true / max(true[-1], 1), color=colour, label=one.name, lw=_width(number))
    gain.plot([0, 1], [0, 1], color="#dddddd", lw=1, zorder=0)
    _label(lift, "share of customers, highest scores first", "times the average rate", "lift")
    _label(gain, "share of customers, highest scores first", "share of the outcomes found", "gain")
    return figure


def _gain_only(trained: Trained) -> Figure:
    figure, (gain,) = _axes(f"{trained.target.name}: gain", 1)
    amounts = np.maximum(trained.test_labels, 0.0)
    for number, one in enumerate(trained.contestants):
        true, _, taken = _curve(amounts, one.scores)
        colour, text = _COLOURS[number % len(_COLOURS)], f"{one.name}{_metric(one, 'spearman', 'Spearman {:.3f}')}"
        gain.plot(taken / amounts.size, true / max(true[-1], 1e-12), color=colour, label=text, lw=_width(number))
    gain.plot([0, 1], [0, 1], color="#dddddd", lw=1, zorder=0)
    _label(gain, "share of customers, highest scores first", "share of the amount found", "gain")
    return figure


def _importance(trained: Trained) -> Figure:
    figure = Figure(figsize=(_INCHES[0], 5.6), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    top = [pair for pair in trained.importance[:_IMPORTANCE] if pair[1] > 0][::-1]
    axes.barh([name for name, _ in top], [share for _, share in top], color=_COLOURS[0])
    axes.set_xlabel("share of LightGBM's gain")
    axes.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"{trained.target.name}: importance")
    return figure


def _curve(
    labels: NDArray[np.float64], scores: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Outcomes found, others found, and rows taken at each distinct score from the top, each from 0."""
    order = np.argsort(-scores, kind="stable")
    ends = np.append(np.flatnonzero(np.diff(scores[order])), scores.size - 1)
    true = np.concatenate([[0.0], np.cumsum(labels[order])[ends]])
    taken = np.concatenate([[0.0], ends + 1.0])
    return true, taken - true, taken


def _axes(title: str, count: int) -> tuple[Figure, list[Axes]]:
    figure = Figure(figsize=_INCHES if count > 1 else (6.4, 5.0), layout="constrained")
    FigureCanvasAgg(figure)
    figure.suptitle(title)
    return figure, [figure.add_subplot(1, count, number + 1) for number in range(count)]


def _label(axes: Axes, horizontal: str, vertical: str, title: str) -> None:
    axes.set_xlabel(horizontal)
    axes.set_ylabel(vertical)
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=8)


def _width(number: int) -> float:
    return 2.2 if number == 0 else 1.3


def _fit_text(one: Contestant) -> str:
    return f"{one.name}{_metric(one, 'ece', 'ECE {:.3f}')}{_metric(one, 'total_bias', 'total bias {:+.1%}')}"


def _metric(one: Contestant, name: str, form: str) -> str:
    """Metric in brackets; nothing where it is not defined."""
    return f" ({form.format(one.metrics[name])})" if name in one.metrics else ""
