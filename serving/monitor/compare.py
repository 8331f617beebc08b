"""One comparison from end to end: judge, render, write."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from features.durable import replacing
from features.errors import UsageError
from serving.monitor.findings import FeatureFinding, judge_feature
from serving.monitor.page import Labels, render_page
from serving.monitor.sample import Sample
from serving.monitor.statistics import finite
from serving.monitor.threshold import Threshold
from serving.monitor.verdicts import Verdict, judge_scores

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MonitorResult", "compare"]

SCORE = "score"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorResult:
    """The verdict and the files that show it.

    Parameters
    ----------
    verdict : Verdict
        What to act on; its ``exit_code`` is the command's.
    page : Path
        ``index.html``: the summary to open first.
    verdict_json : Path
        ``verdict.json``: the verdict with every finding.
    evidently_html, evidently_json : Path or None
        Evidently's report; null if there were too few rows or no column it can compare.
    """

    verdict: Verdict
    page: Path
    verdict_json: Path
    evidently_html: Path | None
    evidently_json: Path | None


def compare(
    reference: Sample,
    current: Sample,
    *,
    target: str,
    out_dir: Path,
    labels: Labels | None = None,
    threshold: Threshold | None = None,
    report_rows: int = 5_000,
    report_columns: int = 100,
    seed: int = 0,
) -> MonitorResult:
    """Compare batch scores and features with the bundle's reference, and write the report.

    Parameters
    ----------
    reference, current : Sample
        The bundle's reference customers, and the customers just scored.
    target : str
        Whose scores.
    out_dir : Path
        Folder for the files; made if it is not there, files of an earlier comparison are replaced.
    labels : Labels, optional
        What to say on the page about the two samples.
    threshold : Threshold, optional
        When it is an alarm.
    report_rows, report_columns : int, optional
        Evidently sees at most so many rows a side (drawn with ``seed``) and so many columns (the scores and the
        features that moved most): its time grows with both. The verdict always uses every row.
    seed : int, optional
        Of the draw of rows.

    Returns
    -------
    MonitorResult

    Raises
    ------
    UsageError
        If the folder cannot be written.
    """
    threshold = threshold or Threshold()
    findings = _findings(reference, current, threshold)
    verdict = judge_scores(reference.scores, current.scores, target=target, threshold=threshold, features=findings)
    shown = _report(reference, current, verdict, threshold, rows=report_rows, columns=report_columns, seed=seed)
    page = render_page(
        verdict,
        reference.scores,
        current.scores,
        labels=labels or Labels(),
        evidently=None if shown is None else "evidently.html",
        sampled_rows=report_rows if max(len(reference.scores), len(current.scores)) > report_rows else None,
    )
    files = {
        "evidently.html": shown[0] if shown else None,
        "evidently.json": shown[1] if shown else None,
        "verdict.json": json.dumps(verdict.to_dict(), indent=2, allow_nan=False) + "\n",
        "index.html": page,
    }
    try:
        for name, text in files.items():
            if text is None:
                (out_dir / name).unlink(missing_ok=True)
                continue
            with replacing(out_dir / name) as temporary:
                temporary.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(
            f"the report cannot be written to {out_dir} ({error.strerror})", remedy="choose another folder"
        ) from error
    return MonitorResult(
        verdict=verdict,
        page=out_dir / "index.html",
        verdict_json=out_dir / "verdict.json",
        evidently_html=out_dir / "evidently.html" if shown else None,
        evidently_json=out_dir / "evidently.json" if shown else None,
    )


def _findings(reference: Sample, current: Sample, threshold: Threshold) -> tuple[FeatureFinding, ...]:
    names = dict.fromkeys([*reference.features, *current.features])
    findings = [
        judge_feature(name, reference.features.get(name), current.features.get(name), threshold=threshold)
        for name in names
    ]

    def rank(finding: FeatureFinding) -> tuple[bool, float, str]:
        unmeasured = float("inf") if finding.drifted else 0.0  # what has gone comes before what has moved
        return not finding.drifted, -(unmeasured if finding.statistic is None else finding.statistic), finding.name

    return tuple(sorted(findings, key=rank))


def _report(
    reference: Sample,
    current: Sample,
    verdict: Verdict,
    threshold: Threshold,
    *,
    rows: int,
    columns: int,
    seed: int,
) -> tuple[str, str] | None:
    """Evidently's HTML and JSON of what it can compare, or None when that is nothing."""
    if verdict.kind == "too_few_rows":
        return None
    names = [finding.name for finding in verdict.features if finding.statistic is not None]
    score_name = SCORE if SCORE not in names else f"{SCORE} of {verdict.target}"
    generator = np.random.default_rng(seed)
    old, new = (
        sample.draw(names, score_name=score_name, rows=rows, generator=generator) for sample in (reference, current)
    )
    usable = [name for name in (score_name, *names) if _evidently_can(old[name], new[name])][:columns]
    if not usable:
        return None
    limits = {name: threshold.limit(len(finite(old[name])), len(finite(new[name]))) for name in usable}
    from serving.monitor.evidently_report import render

    return render(old, new, limits=limits)


def _evidently_can(reference: NDArray[np.float64], current: NDArray[np.float64]) -> bool:
    """Whether the drawn column has values on both sides, and more than one in the reference."""
    return len(finite(current)) > 0 and len(np.unique(finite(reference))) > 1
