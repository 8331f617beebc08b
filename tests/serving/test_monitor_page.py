from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np

from serving.monitor.findings import FeatureFinding
from serving.monitor.page import Labels, render_page
from serving.monitor.threshold import Threshold
from serving.monitor.verdicts import judge_scores

RAMP = np.linspace(0.0, 1.0, 400)


def page(shift: float = 0.0, features: tuple[FeatureFinding, ...] = (), labels: Labels | None = None) -> str:
    verdict = judge_scores(RAMP, RAMP + shift, target="churn", threshold=Threshold(), features=features)
    return render_page(verdict, RAMP, RAMP + shift, labels=labels or Labels(), evidently="evidently.html")


def text_of(html: str) -> str:
    pieces: list[str] = []

    class Reader(HTMLParser):
        def handle_data(self, data: str) -> None:
            pieces.append(data)

    Reader().feed(re.sub(r"<style>.*?</style>", "", html, flags=re.DOTALL))
    return " ".join(" ".join(pieces).split())


def test_it_says_what_was_compared_and_what_came_out() -> None:
    labels = Labels(project="demo", reference="model 3, tested at 2017-11-06", current="scored at 2017-12-04")
    text = text_of(page(0.2, labels=labels))
    assert "Drift monitor: demo · churn" in text
    assert "The scores have drifted" in text
    assert "model 3, tested at 2017-11-06: 400 customers" in text
    assert "0.691; alarm above 0.212" in text
    assert "0.500 on average then, 0.700 now" in text


def test_it_loads_nothing() -> None:
    html = page(0.2)
    assert not re.search(r"https?://|<script|<link|@import|url\(", html)
    assert re.findall(r'href="([^"]+)"', html) == ["evidently.html", "verdict.json"]


def test_drifted_features_are_listed_with_their_meaning_and_escaped() -> None:
    moved = FeatureFinding(name="<b>x", status="compared", statistic=0.5, limit=0.2, drifted=True, sentence="a & b")
    calm = FeatureFinding(name="calm", status="compared", statistic=0.1, limit=0.2, drifted=False, sentence="")
    html = page(features=(moved, calm), labels=Labels(meanings={"<b>x": "Visits in 28 days"}))
    assert "<code>&lt;b&gt;x</code>" in html
    assert "a &amp; b" in html
    text = text_of(html)
    assert "1 of 2 features differ" in text
    assert "Visits in 28 days" in text
    assert "calm" not in text


def test_without_features_or_scores_it_still_stands() -> None:
    assert "only the scores were compared" in text_of(page())
    none = np.array([])
    verdict = judge_scores(RAMP, none, target="churn", threshold=Threshold())
    text = text_of(render_page(verdict, RAMP, none, labels=Labels(), evidently=None))
    assert "Too few customers to tell" in text
    assert "Evidently" not in text
