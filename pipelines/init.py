"""``ebbtide init``: a commented ``ebbtide.toml`` to start from."""

from __future__ import annotations

import re
from importlib import resources
from pathlib import Path
from zoneinfo import available_timezones

from features.errors import UsageError, did_you_mean

__all__ = ["init"]


def init(folder: Path, *, name: str | None = None, timezone: str = "UTC") -> Path:
    """Write a commented configuration file.

    Parameters
    ----------
    folder : Path
        Where; made if it is not there.
    name : str, optional
        The project's name; the folder's by default.
    timezone : str
        IANA time zone of the shop.

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    UsageError
        If there is one already, there is no such time zone, or the folder cannot be written.
    """
    path = folder / "ebbtide.toml"
    if path.exists():
        raise UsageError(f"{path} is there already", remedy="edit it, or choose another folder: `ebbtide init FOLDER`")
    if timezone not in available_timezones():
        near = did_you_mean(timezone, available_timezones())
        raise UsageError(
            f"there is no time zone {timezone!r}" + (f"; {near}" if near.startswith("did") else ""),
            expected="an IANA name such as 'Europe/Berlin'",
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"the folder {folder} cannot be made: {error.strerror}") from error
    template = resources.files("pipelines").joinpath("ebbtide.template.toml").read_text(encoding="utf-8")
    slug = re.sub(r"[^a-z0-9_-]+", "-", (name or folder.resolve().name).lower()).strip("-_") or "shop"
    text = template.replace("__NAME__", slug).replace("__TIMEZONE__", timezone)
    try:
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    return path
