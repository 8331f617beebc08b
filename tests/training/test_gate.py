from __future__ import annotations

import numpy as np
import pytest

from training.gate import Contender, bias_limit, decide, ece_limit

ROWS = 400
NOISE = np.random.default_rng(5).normal(0, 0.2, ROWS)


def contender(name: str, loss: float, *, error: float = 0.01, noise: float = 1.0) -> Contender:
    """A mean loss exactly as given; contenders of different noise differ row by row."""
    losses = loss + noise * (NOISE - NOISE.mean())
    return Contender(name=name, losses=losses, calibration_error=error, calibration_limit=0.03)


def losses(loss: float, *, noise: float = 1.0) -> np.ndarray:
    return contender("", loss, noise=noise).losses


MODEL, RULE, PRIOR = contender("LightGBM", 0.30), contender("silence rule", 0.33), contender("prior", 0.40)


def test_the_first_good_model_is_promoted() -> None:
    found = decide(MODEL, [PRIOR, RULE], champion_losses=None)
    assert (found.outcome, found.winner) == ("promote", "LightGBM")
    assert "LightGBM is better than silence rule: loss 0.3000 against 0.3300 on 400 rows" in found.reasons[1]
    assert found.metrics["LightGBM less silence rule"] == pytest.approx(-0.03)


def test_a_yardstick_that_wins_becomes_the_challenger() -> None:
    better = contender("logistic RFM", 0.29)
    found = decide(MODEL, [PRIOR, RULE, better], champion_losses=None)
    assert (found.outcome, found.winner) == ("promote", "logistic RFM")
    assert "LightGBM is worse than logistic RFM" in found.reasons[1]


def test_more_than_one_percent_worse_loses_even_inside_the_interval() -> None:
    noisy = contender("logistic RFM", 0.30 / 1.011, noise=-3.0)
    assert decide(MODEL, [noisy], champion_losses=None).winner == "logistic RFM"
    close = contender("logistic RFM", 0.30 / 1.009, noise=-3.0)
    assert decide(MODEL, [close], champion_losses=None).winner == "LightGBM"


def test_a_sure_loss_loses_even_below_one_percent() -> None:
    close = contender("logistic RFM", 0.30 / 1.005)  # the same noise: the difference is certain
    assert decide(MODEL, [close], champion_losses=None).winner == "logistic RFM"


def test_a_miscalibrated_model_gives_way_to_the_best_calibrated_yardstick() -> None:
    model = contender("LightGBM", 0.30, error=0.05)
    bad = contender("logistic RFM", 0.31, error=0.04)
    found = decide(model, [PRIOR, bad, RULE], champion_losses=None)
    assert (found.outcome, found.winner) == ("promote", "silence rule")
    assert "LightGBM is miscalibrated: error 0.0500, limit 0.0300" in found.reasons


def test_if_nothing_is_calibrated_the_least_loss_serves_provisionally() -> None:
    model = contender("LightGBM", 0.30, error=0.05)
    found = decide(model, [contender("prior", 0.4, error=0.2)], champion_losses=None)
    assert (found.outcome, found.winner) == ("provisional", "LightGBM")
    assert found.reasons[0] == "LightGBM serves provisionally: no contender is calibrated"
    refused = decide(model, [contender("prior", 0.4, error=0.2)], champion_losses=losses(0.5))
    assert refused.outcome == "refuse"


def test_the_champion_stays_unless_the_challenger_holds_its_own() -> None:
    assert decide(MODEL, [RULE], champion_losses=losses(0.31)).outcome == "promote"
    found = decide(MODEL, [RULE], champion_losses=losses(0.299))
    assert found.outcome == "refuse"
    assert found.reasons[0].startswith("LightGBM is refused: LightGBM is worse than the champion")
    assert decide(MODEL, [RULE], champion_losses=losses(0.299, noise=-3.0)).outcome == "promote"
    assert decide(MODEL, [RULE], champion_losses=losses(0.290, noise=-3.0)).outcome == "refuse"


def test_blockers_refuse_or_make_it_provisional() -> None:
    blockers = ["the test cutoff has 12 eligible customers, at least 100 are needed"]
    found = decide(MODEL, [RULE], champion_losses=losses(0.5), blockers=blockers)
    assert found.outcome == "refuse"
    assert found.reasons[0].startswith("refused: the test cutoff has 12 eligible customers")
    found = decide(MODEL, [RULE], champion_losses=None, blockers=blockers)
    assert (found.outcome, found.winner) == ("provisional", "LightGBM")


def test_ece_limit_follows_the_size_and_the_seed() -> None:
    probabilities = np.random.default_rng(2).uniform(0, 0.5, 2_000)
    limit = ece_limit(probabilities, seed=3)
    assert limit == ece_limit(probabilities, seed=3)
    assert 0.03 < limit < 0.05  # about 0.027 by chance, and the margin
    assert ece_limit(probabilities[:200], seed=3) > 2 * limit
    assert ece_limit(np.full(20_000, 0.2), seed=3) == 0.02


def test_bias_limit_by_hand() -> None:
    amounts, expected = np.array([10.0, 30.0]), np.array([20.0, 20.0])
    # sd of the errors is sqrt(200), its standard error 10; 1.96 * 10 / 20 = 0.98
    assert bias_limit(amounts, expected) == pytest.approx(0.1 + 0.98, abs=1e-4)
    assert bias_limit(np.zeros(2), expected) == 0.1
