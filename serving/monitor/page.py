"""The summary page: one file of HTML that needs no network, for someone who will not read the code."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from serving.monitor.statistics import finite

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from serving.monitor.findings import FeatureFinding
from serving.monitor.verdicts import Verdict

__all__ = ["Labels", "render_page"]

_TOP = 25
_BINS = 24
_HEADLINE = {
    "no_drift": "No drift in the scores",
    "score_drift": "The scores have drifted",
    "too_few_rows": "Too few customers to tell",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """What to call things on the page.

    Parameters
    ----------
    project : str
        Name of the project.
    reference, current : str
        Such as "model 3, tested at 2017-11-06" and "scored at 2017-12-04".
    meanings : mapping of feature name to sentence
        What each feature is.
    """

    project: str = ""
    reference: str = "when the model was tested"
    current: str = "now"
    meanings: Mapping[str, str] = field(default_factory=dict)


def render_page(
    verdict: Verdict,
    reference: NDArray[Any],
    current: NDArray[Any],
    *,
    labels: Labels,
    evidently: str | None,
    sampled_rows: int | None = None,
) -> str:
    """Render what was compared, the verdict, the scores of both samples as a picture, and the drifted features.

    Parameters
    ----------
    verdict : Verdict
        Already judged.
    reference, current : array of float
        The scores, for the picture.
    labels : Labels
        What to call them.
    evidently : str or None
        Link to Evidently's report, relative to this page.
    sampled_rows : int, optional
        Evidently's report shows a sample of so many rows a side.

    Returns
    -------
    str
        A whole HTML document.
    """
    drifted = [finding for finding in verdict.features if finding.drifted]
    title = f"{labels.project} · {verdict.target}" if labels.project else verdict.target
    return _DOCUMENT.format(
        title=escape(f"Drift monitor: {title}"),
        kind=verdict.kind,
        headline=escape(_HEADLINE[verdict.kind]),
        sentence=escape(verdict.sentence),
        facts=_facts(verdict, labels),
        picture=_picture(finite(reference), finite(current), labels),
        features=_features(verdict.features, drifted, labels),
        links=_links(evidently, sampled_rows),
    )


def _facts(verdict: Verdict, labels: Labels) -> str:
    pairs = [
        ("Reference", f"{labels.reference}: {verdict.reference_rows:,} customers"),
        ("Current", f"{labels.current}: {verdict.rows:,} customers"),
    ]
    if verdict.unscored:
        pairs.append(("Left out", f"{verdict.unscored:,} current rows without a score"))
    if verdict.threshold is not None:
        shift = "not measurable" if verdict.statistic is None else f"{verdict.statistic:.3f}"
        pairs.append(("Shift", f"{shift}; alarm above {verdict.threshold:.3f} (typical spreads of the reference)"))
    return "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in pairs)


def _picture(reference: NDArray[np.float64], current: NDArray[np.float64], labels: Labels) -> str:
    """Two histograms of shares over each other, as inline SVG; cut at the 99.5th percentile of both."""
    if not len(reference) or not len(current):
        return ""
    both = np.concatenate([reference, current])
    low, high = float(both.min()), float(np.quantile(both, 0.995))
    if not high > low:
        return ""
    edges = np.linspace(low, high, _BINS + 1)
    shares = [np.histogram(np.clip(side, low, high), edges)[0] / len(side) for side in (reference, current)]
    top = max(float(side.max()) for side in shares)
    width, height = 600 / _BINS, 150

    def bars(side: NDArray[np.float64], css: str) -> str:
        return "".join(
            f'<rect class="{css}" x="{i * width:.1f}" width="{width - 1.5:.1f}"'
            f' y="{height * (1 - share / top):.1f}" height="{height * share / top:.1f}"/>'
            for i, share in enumerate(side.tolist())
        )

    return (
        '<figure><svg viewBox="0 -2 600 172" role="img" aria-label="Share of customers by score">'
        f"{bars(shares[0], 'old')}{bars(shares[1], 'new')}"
        f'<text x="0" y="167">{low:,.2f}</text><text x="600" y="167" text-anchor="end">{high:,.2f}</text></svg>'
        '<figcaption>Share of customers by score: <b class="old">grey</b> '
        f'{escape(labels.reference)}, <b class="new">outlined</b> {escape(labels.current)}.</figcaption></figure>'
    )


def _features(findings: tuple[FeatureFinding, ...], drifted: list[FeatureFinding], labels: Labels) -> str:
    if not findings:
        return "<p>The bundle holds no reference features, so only the scores were compared.</p>"
    if not drifted:
        return f"<p>None of the {len(findings)} features moved beyond its limit.</p>"
    rows = "".join(
        f"<tr><td><code>{escape(f.name)}</code><br><small>{escape(labels.meanings.get(f.name, ''))}</small></td>"
        f"<td>{escape(f.status.replace('_', ' '))}</td>"
        f'<td class="number">{"" if f.statistic is None else f"{f.statistic:.2f}"}</td>'
        f"<td>{escape(f.sentence)}</td></tr>"
        for f in drifted[:_TOP]
    )
    more = f"<p>The {_TOP} that moved most; all are in verdict.json.</p>" if len(drifted) > _TOP else ""
    return (
        f"<p>{len(drifted)} of {len(findings)} features differ from the reference. Features are reported, they do"
        " not raise the alarm: many move with the calendar.</p><table><thead><tr><th>Feature</th><th>Finding</th>"
        f'<th class="number">Shift</th><th>In words</th></tr></thead><tbody>{rows}</tbody></table>{more}'
    )


def _links(evidently: str | None, sampled_rows: int | None) -> str:
    links = '<li><a href="verdict.json">verdict.json</a>: the verdict and every finding, for programs</li>'
    if evidently is None:
        return links
    sample = f" (a sample of {sampled_rows:,} customers a side)" if sampled_rows else ""
    return (
        f'<li><a href="{escape(evidently)}">Evidently\'s report</a>: every column with its distributions{sample};'
        f" its headline counts columns, it is not the verdict above</li>"
        f"{links}"
    )


_DOCUMENT = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733 }}
h1 {{ font-size: 1.3rem; margin: 0 0 1rem }} h2 {{ font-size: 1.1rem; margin-top: 2rem }}
.verdict {{ border-left: .5rem solid #7a8794; background: #f2f4f6; padding: .8rem 1.2rem }}
.verdict strong {{ font-size: 1.2rem }} .verdict p {{ margin: .3rem 0 0 }}
.no_drift {{ border-color: #2e8b57 }} .score_drift {{ border-color: #c0392b }} .too_few_rows {{ border-color: #d69e2e }}
dl {{ display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1.2rem }}
dt {{ color: #5b6875 }} dd {{ margin: 0 }}
figure {{ margin: 1.5rem 0 }} svg {{ width: 100%; max-width: 40rem }} svg text {{ font-size: 12px; fill: #5b6875 }}
rect.old {{ fill: #c3cbd3 }} rect.new {{ fill: none; stroke: #1f6feb; stroke-width: 1.6 }}
b.old {{ color: #7a8794 }} b.new {{ color: #1f6feb }} figcaption, small {{ color: #5b6875; font-size: .85rem }}
table {{ border-collapse: collapse; width: 100% }}
th, td {{ text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid #dde2e7 }}
.number {{ text-align: right; font-variant-numeric: tabular-nums }}
</style></head><body>
<h1>{title}</h1>
<section class="verdict {kind}"><strong>{headline}</strong><p>{sentence}</p></section>
<dl>{facts}</dl>
{picture}
<h2>Features</h2>
{features}
<h2>More</h2>
<ul>{links}</ul>
</body></html>
"""
