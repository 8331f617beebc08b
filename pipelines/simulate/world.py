"""A shop's parameters: everything that is true of it, as data. A preset is one :class:`World`."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

__all__ = [
    "BgNbd",
    "Bump",
    "Campaigns",
    "Coupons",
    "Customers",
    "Fault",
    "Funnel",
    "Levels",
    "Live",
    "Messages",
    "Season",
    "Social",
    "States",
    "World",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bump:
    """A peak that comes back every year: a bell of ``width_days`` around a day of the year.

    The rate of visits is multiplied by ``1 + height`` at its top.
    """

    day_of_year: float
    width_days: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Season:
    """How visits swing over the year, the week and the day."""

    yearly_amplitude: float = 0.15
    yearly_peak_day: float = 330.0
    weekday: tuple[float, ...] = (0.9, 0.9, 0.95, 1.0, 1.1, 1.2, 0.95)
    hours: tuple[float, ...] = (
        *(1.0, 0.5, 0.3, 0.2, 0.2, 0.4, 1.0, 2.0, 3.0, 3.5, 4.0, 4.5),
        *(5.0, 4.5, 4.0, 3.8, 3.8, 4.2, 5.0, 6.0, 7.0, 7.5, 5.5),
    )
    """Weights of the hours in which a visit may begin; the last hour is left free so that no visit crosses midnight."""
    bumps: tuple[Bump, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Customers:
    """Who the customers are when they join; each draws rates of its own.

    A rate is ``mean · exp(effects · x) · Gamma(shape, 1/shape)``, with x the first three observed attributes, each
    uniform on ±√3 (mean 0, variance 1). The chance to buy at a visit is ``Beta(c·m, c·(1 - m))`` with m the mean times
    ``exp(effects · x)``, at most 0.5.
    """

    existing_share: float = 0.6
    visits_a_day: float = 0.22
    visits_shape: float = 1.5
    visits_effects: tuple[float, float, float] = (0.2, -0.1, 0.25)
    conversion: float = 0.16
    conversion_concentration: float = 12.0
    conversion_effects: tuple[float, float, float] = (0.15, 0.1, 0.0)
    order_median: float = 32.0
    order_sigma: float = 0.6
    order_spread: float = 0.35
    refund_rate: float = 0.05
    refund_days: tuple[int, int] = (3, 14)
    main_device_share: float = 0.85


@dataclass(frozen=True, slots=True, kw_only=True)
class States:
    """Daily chances to change state, and how seldom a dormant customer comes by.

    Each customer's own chance is the mean times ``exp(effects · x) · Gamma(shape, 1/shape)``, at most ``0.5``.
    """

    to_dormant: float = 0.012
    to_active: float = 0.02
    to_gone: float = 0.002
    dormant_to_gone: float = 0.006
    shape: float = 2.0
    effects: tuple[float, float, float] = (-0.2, 0.1, -0.25)
    dormant_weight: float = 0.08
    start: tuple[float, float, float] = (0.7, 0.2, 0.1)
    """States, on the log's first day, of those who had joined before it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A planted fault of the funnel: on one device and page the step succeeds ``drop`` less often."""

    step: Literal["cart", "checkout", "purchase"]
    page: str
    device: str
    start_share: float
    days: int
    drop: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Funnel:
    """What a visit holds. Counts are Poisson means a visit, the others chances."""

    views: float = 2.2
    searches: float = 0.4
    clicks: float = 0.5
    contents: float = 0.15
    favorites: float = 0.05
    logins: float = 0.5
    checkout_given_cart: float = 0.75
    purchase_given_checkout: float = 0.8
    more_lines: float = 0.7
    cart_removes: float = 0.12
    items: int = 2000
    categories: int = 24
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupons:
    """The wallet: a coupon for every member each ``every_days``, good for one order at or above its threshold."""

    every_days: int = 14
    valid_days: int = 14
    member_share: float = 0.8
    redeem: float = 0.7
    thresholds: tuple[float, ...] = (0.0, 15.0, 30.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Levels:
    """Levels by money spent over ``earn_days``, which take effect ``lag_days`` later; a level raises conversion.

    Because of the lag a level is known ``lag_days`` ahead, so that the truth stays in closed form up to there.
    """

    thresholds: tuple[float, ...] = (80.0, 250.0, 600.0)
    multipliers: tuple[float, ...] = (1.0, 1.08, 1.18, 1.3)
    review_days: int = 28
    earn_days: int = 84
    lag_days: int = 28
    checkins: float = 0.15
    tasks: float = 0.06
    lotteries: float = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaigns:
    """Randomised campaigns that never overlap, and the true effect of each arm.

    ``form = "points"``: the arm adds ``effect_mean + effect_sd · (weights · x)`` to the chance of at least one order in
    the window; ``form = "log"``: it multiplies conversion by the exponential of the same sum. ``base_response`` sets
    every customer's chance without treatment to ``base_response + base_spread · x₄``, whatever the other rates say.
    """

    every_days: int = 56
    first_day: int = 30
    window_days: int = 14
    audience: float = 0.8
    arms: tuple[str, ...] = ("holdout", "message", "coupon")
    shares: tuple[float, ...] = (0.34, 0.33, 0.33)
    effect_mean: tuple[float, ...] = (0.0, 0.08, 0.2)
    effect_sd: tuple[float, ...] = (0.0, 0.08, 0.15)
    weights: tuple[float, float, float] = (0.64, 0.6, 0.48)
    form: Literal["points", "log"] = "log"
    coupon_redeem: float = 0.6
    base_response: float | None = None
    base_spread: float = 0.0
    cost: float = 0.3
    value_of_response: float = 12.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Live:
    """Live-stream sessions by hosts; who watches may buy, more often with a good host."""

    sessions_a_day: float = 1.0
    hosts: int = 8
    watches: float = 0.03
    """Live sessions that an active watcher sees a day, on average."""
    watchers_share: float = 0.4
    host_conversion: tuple[float, float] = (0.01, 0.09)
    interacts: float = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Social:
    """Sharing, and inviting people who become customers."""

    shares: float = 0.06
    likes: float = 0.1
    comments: float = 0.03
    follows: float = 0.02
    invites: float = 0.02
    accepted: float = 0.3
    invited_multiplier: float = 1.25
    """Invited customers visit so many times as often as others."""
    most_invited_share: float = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Messages:
    """Messages to those who allow them, by channel, on a shop-wide schedule."""

    channels: tuple[str, ...] = ("email", "sms", "push", "wecom")
    every_days: tuple[int, ...] = (14, 56, 28, 42)
    opt_in: tuple[float, ...] = (0.6, 0.3, 0.35, 0.25)
    open_rate: float = 0.25
    click_rate: float = 0.2
    bounce_rate: float = 0.02
    unsubscribe_rate: float = 0.01
    tickets: float = 0.03
    surveys: float = 0.05
    reviews: float = 0.15


@dataclass(frozen=True, slots=True, kw_only=True)
class BgNbd:
    """A pure BG/NBD world: r, alpha (days), a, b; orders of a mean amount that says nothing about the rest."""

    r: float = 0.6
    alpha: float = 20.0
    a: float = 0.9
    b: float = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A shop.

    Parameters
    ----------
    name, description : str
        Of the preset.
    events_a_customer_day : float
        About how many rows a customer makes a day; it only decides how many customers are generated at once.
    season, customers, states, funnel, coupons, levels, campaigns, live, social, messages
        Its parts; None: the shop has no such thing.
    bg_nbd : BgNbd or None
        If given the world is a pure BG/NBD world, and only ``customers.order_*`` count beside it.
    """

    name: str
    description: str
    events_a_customer_day: float = 1.0
    season: Season = field(default_factory=Season)
    customers: Customers = field(default_factory=Customers)
    states: States = field(default_factory=States)
    funnel: Funnel = field(default_factory=Funnel)
    coupons: Coupons | None = field(default_factory=Coupons)
    levels: Levels | None = field(default_factory=Levels)
    campaigns: Campaigns | None = field(default_factory=Campaigns)
    live: Live | None = None
    social: Social | None = field(default_factory=Social)
    messages: Messages | None = field(default_factory=Messages)
    bg_nbd: BgNbd | None = None
    concept_scale: float = 0.5
    """Concept shift of strength 1, in logs of the rate; calibrated to +5 % log loss (``docs/simulate.md``)."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)
