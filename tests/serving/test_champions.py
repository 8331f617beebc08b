"""Following the champions: atomic swaps, refusals that keep the old one, rollbacks."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from serving.champions import ChampionFollower, Champions, load_champions
from tests.serving.builders import CHURN, HIGH, LOW, NOW, WINBACK, make_home, promote, purchase, serving
from tests.training.bundle_builders import bundle, prior
from training.bundle import Pointer, write_pointer


def test_a_new_champion_takes_over_without_a_restart(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(40))
        before = client.score("a")[0]["scores"]["churn"]
        promote(tmp_path, prior(0.25), "2")
        unchanged = client.score("a")[0]["scores"]["churn"]
        assert client.runtime.follower.look()
        after = client.score("a")[0]["scores"]["churn"]
        assert not client.runtime.follower.look()
    assert (before["model_version"], before["probability"]) == ("1", HIGH)
    assert unchanged == before
    assert (after["model_version"], after["probability"]) == ("2", 0.25)


def test_a_corrupt_bundle_is_refused_reported_and_the_old_one_stays(tmp_path: Path) -> None:
    with serving(make_home(tmp_path)) as client:
        client.store("a", purchase(10))
        folder = promote(tmp_path, bundle(), "2")
        model = folder / "model.txt"
        model.write_text(model.read_text().replace("leaf_value=-1.0", "leaf_value=-9.0"))
        client.runtime.follower.look()
        score = client.score("a")[0]["scores"]["churn"]
        page = client.get("/v1/model").json
        ready = client.get("/readyz").status
        text = client.get("/metrics").body.decode()
    assert (score["model_version"], score["probability"], ready) == ("1", LOW, 200)
    assert [refused["target"] for refused in page["refused"]] == ["churn"]
    assert "model.txt" in page["refused"][0]["reason"]
    assert 'ebbtide_model_refusals_total{target="churn"} 1' in text


def test_a_refused_champion_is_tried_again_and_a_mended_one_taken(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    folder = promote(home, bundle(), "2")
    hidden = folder.rename(folder.with_name("3"))  # the pointer came before the bundle
    follower = _follower(home)
    assert follower.current.models == {}
    hidden.rename(folder)
    looks = [follower.look() for _ in range(10)]
    assert looks == [False] * 9 + [True]
    assert (follower.current.models["churn"].version, follower.current.refused) == ("2", {})


def test_a_damaged_pointer_and_a_foreign_checksum_are_refused(tmp_path: Path) -> None:
    home = make_home(tmp_path, CHURN, WINBACK)
    follower = _follower(home)
    (home / "champions" / "churn.json").write_text("{")
    write_pointer(home, Pointer(target="winback", version="1", bundle="bundles/winback/1", checksum="0" * 64))
    assert follower.look()
    assert sorted(follower.current.refused) == ["churn", "winback"]
    assert [model.version for model in follower.current.models.values()] == ["1", "1"]


def test_features_that_this_version_computes_otherwise_are_refused(tmp_path: Path) -> None:
    promote(tmp_path, replace(bundle(), fingerprint="f" * 64))
    champions = load_champions(tmp_path, (), currency="EUR", now=NOW)
    assert champions.models == {}
    assert "ebbtide retrain" in champions.refused["churn"]


def test_a_withdrawn_pointer_withdraws_the_model_and_an_old_one_comes_back(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    pointer = home / "champions" / "churn.json"
    first = pointer.read_bytes()
    promote(home, prior(), "2")
    follower = _follower(home)
    pointer.write_bytes(first)
    assert follower.look()
    assert follower.current.models["churn"].version == "1"
    pointer.unlink()
    assert follower.look()
    assert follower.current.models == {}


def test_only_configured_targets_are_loaded_and_an_unchanged_model_stays_the_same(tmp_path: Path) -> None:
    home = make_home(tmp_path, CHURN, WINBACK)
    only = load_champions(home, ("winback",), currency="EUR", now=NOW)
    again = load_champions(home, ("winback",), currency="EUR", now=NOW, previous=only)
    assert list(only.models) == ["winback"]
    assert again.models["winback"] is only.models["winback"]


def test_the_thread_follows_and_new_champions_are_warm_before_they_are_current(tmp_path: Path) -> None:
    home = make_home(tmp_path)
    changes: list[tuple[bool, str]] = []
    swapped, polled = threading.Event(), threading.Event()

    def changed(old: Champions | None, new: Champions) -> None:
        version = new.models["churn"].version
        changes.append((old is None or old.models["churn"].version != version, version))
        if version == "2":
            assert follower.current.models["churn"].version == "1"
            swapped.set()

    follower = ChampionFollower(
        home, (), currency="EUR", poll_seconds=0.01, now=lambda: NOW, on_change=changed, on_poll=polled.set
    )
    follower.start()
    promote(home, prior(), "2")
    assert swapped.wait(10)
    assert polled.wait(10)
    follower.close()
    assert changes == [(True, "1"), (True, "2")]


def test_an_unforeseen_failure_costs_one_look_and_not_the_thread(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    home = make_home(tmp_path)
    swapped = threading.Event()

    def changed(_: Champions | None, new: Champions) -> None:
        if new.models["churn"].version == "2":
            raise MemoryError
        if new.models["churn"].version == "3":
            swapped.set()

    follower = ChampionFollower(
        home, (), currency="EUR", poll_seconds=0.01, now=lambda: NOW, on_change=changed, on_poll=lambda: None
    )
    promote(home, prior(), "2")
    follower.start()
    deadline = time.monotonic() + 10
    while "could not be looked at" not in caplog.text:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert follower.current.models["churn"].version == "1"
    promote(home, prior(), "3")
    assert swapped.wait(10)
    follower.close()


def test_no_answer_mixes_two_champions(tmp_path: Path) -> None:
    home = make_home(tmp_path, CHURN, WINBACK)
    with serving(home) as client:
        client.store("a", purchase(10))
        stop = threading.Event()
        versions = [(home / "champions" / "churn.json").read_bytes()]
        promote(home, prior(0.25), "2")
        versions.append((home / "champions" / "churn.json").read_bytes())

        def swap() -> None:
            at = 0
            while not stop.is_set():
                at += 1
                (home / "champions" / "next").write_bytes(versions[at % 2])
                (home / "champions" / "next").rename(home / "champions" / "churn.json")
                client.runtime.follower.look()

        thread = threading.Thread(target=swap)
        thread.start()
        seen = set()
        for _ in range(200):
            for result in client.score(*(["a"] + [f"n{i}" for i in range(20)])):
                score = result["scores"]["churn"]
                if score["status"] == "scored":
                    seen.add((score["model_version"], score["probability"]))
        stop.set()
        thread.join()
    assert seen <= {("1", LOW), ("2", 0.25)}
    assert json.loads(versions[0])["version"] == "1"


def _follower(home: Path) -> ChampionFollower:
    return ChampionFollower(
        home,
        (),
        currency="EUR",
        poll_seconds=60,
        now=lambda: NOW,
        on_change=lambda old, new: None,  # noqa: ARG005 - nothing to warm up
        on_poll=lambda: None,
    )
