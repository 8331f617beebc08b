"""What is passed to the service, and what is refused."""

from __future__ import annotations

import pytest

from features.errors import CutoffError, EbbtideError, UsageError
from serving.config import ServingConfig


def test_it_comes_back_as_it_was() -> None:
    config = ServingConfig(home="/srv/é", targets=("a", "b"), keys_file="/k", workers=3, run_dir="/run/x")
    assert ServingConfig.from_environment({"EBBTIDE_SERVING": config.to_json()}) == config


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "cannot be read"),
        ("[]", "cannot be read"),
        ('{"home": "/h", "prot": 1}', "did you mean 'port'"),
        ('{"home": "/h", "port": "1"}', "int"),
        ('{"home": "h"}', "not absolute"),
        ('{"home": "/h", "port": 70000}', "65535"),
        ('{"home": "/h", "workers": 0}', "at least 1"),
        ("{}", "home"),
    ],
)
def test_what_cannot_be_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ServingConfig.from_json(text)


def test_an_unknown_time_zone_and_no_configuration_at_all() -> None:
    with pytest.raises(CutoffError, match="Atlantis"):
        ServingConfig(home="/h", timezone="Atlantis")
    with pytest.raises(EbbtideError, match="ebbtide serve"):
        ServingConfig.from_environment({})
