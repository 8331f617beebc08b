"""Why a score is what it is, in a marketer's words and with the customer's own numbers.

Contributions of single features are summed over the groups of :mod:`training.reason_groups`; the groups that move the
score most become reasons. Light on purpose: the API gives reasons too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from features.definition import Feature
from features.errors import UsageError, did_you_mean
from training.reason_groups import Group, group_of
from training.reason_sentences import Facts, sentence
from training.reason_texts import TEXTS

__all__ = ["Direction", "Explainer", "Reason"]

Direction: TypeAlias = Literal["raises", "lowers"]
_RAISES: Final[tuple[Direction, ...]] = ("raises",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One reason.

    Parameters
    ----------
    code : str
        Stable, for machines: ``RECENCY_PURCHASE``.
    sentence : str
        For people, with the customer's own numbers, without a full stop.
    direction : {"raises", "lowers"}
        Which way it moves the score.
    share : float
        Its part of everything that moves the score either way, in [0, 1].
    """

    code: str
    sentence: str
    direction: Direction
    share: float


class Explainer:
    """Reasons for the scores of one bundle; make one and use it for every customer.

    Parameters
    ----------
    features : sequence of Feature
        The bundle's, in order.
    language : str
        A key of ``TEXTS``.
    currency : str
        Written behind amounts, such as ``"USD"``.

    Raises
    ------
    UsageError
        If there are no texts in that language.

    Examples
    --------
    >>> from features.definition import Aggregation, Base, Family, Feature, Readout
    >>> last = Base(aggregation=Aggregation.LAST, event_type="purchase")
    >>> recency = Feature(readout=Readout.AGE_DAYS, bases=(last,), family=Family.RECENCY)
    >>> explainer = Explainer([recency])
    >>> explainer.reasons(np.array([43.2], dtype=np.float32), np.array([0.8, -2.0]), n=3)[0].sentence
    'No purchase for 43 days'
    """

    def __init__(self, features: Sequence[Feature], *, language: str = "en", currency: str = "") -> None:
        if language not in TEXTS:
            raise UsageError(f"there are no reasons in {language!r}", expected=did_you_mean(language, TEXTS))
        self._features = tuple(features)
        self._texts, self._currency = TEXTS[language], currency
        self._members: dict[Group, list[int]] = {}
        for position, feature in enumerate(self._features):
            self._members.setdefault(group_of(feature), []).append(position)

    def reasons(
        self,
        values: NDArray[np.float32],
        contributions: NDArray[np.float64],
        *,
        n: int,
        directions: Sequence[Direction] = _RAISES,
    ) -> tuple[Reason, ...]:
        """At most ``n`` reasons for one customer's score, the strongest first.

        Parameters
        ----------
        values : float32 array [f]
            The customer's features; NaN is null.
        contributions : float64 array [f + 1]
            Of ``Predictor.contributions``; the last one, the base value, is nobody's reason.
        n : int
            How many at most.
        directions : sequence of {"raises", "lowers"}
            Which ones; by default those that raise the score (of churn: towards leaving).

        Returns
        -------
        tuple of Reason
            Fewer than ``n`` when fewer groups move the score that way; none for a score that is the same for all.

        Raises
        ------
        UsageError
            If the rows do not have the features' length.
        """
        width = len(self._features)
        if values.shape != (width,) or contributions.shape != (width + 1,):
            raise UsageError(
                f"a row of shape {values.shape} with contributions of shape {contributions.shape}",
                expected=f"({width},) and ({width + 1},)",
            )
        moved = contributions.tolist()
        sums = {group: sum(moved[i] for i in members) for group, members in self._members.items()}
        total = sum(abs(amount) for amount in sums.values())
        chosen = sorted(
            (group for group, amount in sums.items() if amount != 0 and _direction(amount) in directions),
            key=lambda group: (-abs(sums[group]), group.code),
        )
        if not chosen or n < 1:
            return ()
        facts = Facts(self._features, values, self._texts, self._currency)
        found: dict[str, Reason] = {}  # by sentence: two groups may come down to the same fact
        for group in chosen:
            text = sentence(facts, group, max(self._members[group], key=lambda i: abs(moved[i])))
            share = abs(sums[group]) / total
            found.setdefault(
                text, Reason(code=group.code, sentence=text, direction=_direction(sums[group]), share=share)
            )
            if len(found) == n:
                break
        return tuple(found.values())


def _direction(amount: float) -> Direction:
    return "raises" if amount > 0 else "lowers"
