"""Events among customers: share, like, comment, follow, invite; and live streams watched and joined in."""

from __future__ import annotations

from typing import Final

import numpy as np

from pipelines.simulate.draws import Ints, pick, stream
from pipelines.simulate.scene import Scene
from pipelines.simulate.vocabulary import CHANNELS, CONTENTS, DEVICES, PAGES, kind

__all__ = ["add_live", "add_social"]

_APP: Final = CHANNELS.index("app")
_SECOND: Final = 1_000_000
_INTERACTIONS: Final = ("comment", "question", "vote", "draw")


def add_social(scene: Scene) -> None:
    """What is done with others during a visit; the other is somebody of the same chunk who has joined."""
    spec, visits, people = scene.plan.world.social, scene.latent.visits, scene.latent.people
    if spec is None:
        return
    draw = stream(scene.plan.seed, "rows of social", scene.latent.chunk)
    size = visits.day.size
    joined = np.argsort(people.join_day, kind="stable")
    so_far = np.searchsorted(people.join_day[joined], visits.day)
    for event_type, mean in (
        ("share", spec.shares),
        ("like", spec.likes),
        ("comment", spec.comments),
        ("follow", spec.follows),
    ):
        rows = np.repeat(np.arange(size), draw.poisson(mean, size))
        time = visits.time[rows] + ((20 + 600 * draw.random(rows.size)) * _SECOND).astype(np.int64)
        content = (len(CONTENTS) * draw.random(rows.size) ** 2).astype(np.int64)
        someone = joined[(draw.random(rows.size) * np.maximum(so_far[rows], 1)).astype(np.int64)]
        other = np.where((someone != visits.customer[rows]) & (so_far[rows] > 0), someone, -1)
        scene.rows.add(
            event_type,
            visits.customer[rows],
            time,
            content_id=-1 if event_type == "follow" else content,
            related_customer_id=other if event_type in ("share", "follow") else np.full(rows.size, -1),
            channel=_APP,
            page=PAGES.index("content"),
            session_id=scene.key(rows),
        )
    rows, newcomer = scene.latent.invites[:, 0], scene.latent.invites[:, 1]
    scene.rows.add(
        "invite",
        visits.customer[rows],
        visits.time[rows] + 150 * _SECOND,
        related_customer_id=newcomer,
        channel=_APP,
        session_id=scene.key(rows),
    )


def add_live(scene: Scene) -> None:
    """Live sessions watched, and what watchers write."""
    spec, live, watches = scene.plan.world.live, scene.calendar.live, scene.latent.watches
    if spec is None or live is None:
        return
    draw = stream(scene.plan.seed, "rows of live", scene.latent.chunk)
    size = watches.session.size
    seconds = np.round(np.minimum(draw.exponential(900.0, size) + 20, 0.4 * live.seconds[watches.session] + 20))

    def add(event_type: str, rows: Ints, time: Ints, **columns: object) -> None:
        session = watches.session[rows]
        scene.rows.add(
            event_type,
            watches.customer[rows],
            time,
            live_id=session,
            host_id=live.host[session],
            channel=_APP,
            device=DEVICES.index("ios"),
            page=PAGES.index("live"),
            **columns,  # type: ignore[arg-type]  # codes and numbers
        )

    add("live_watch", np.arange(size), watches.time, duration_seconds=seconds)
    rows = np.repeat(np.arange(size), draw.poisson(spec.interacts, size))
    what = np.array([kind(name) for name in _INTERACTIONS])[pick(draw, (0.6, 0.15, 0.15, 0.1), rows.size)]
    time = watches.time[rows] + (draw.random(rows.size) * seconds[rows] * _SECOND).astype(np.int64)
    add("live_interact", rows, time, kind=what)
