"""Pictures of what a person sees after ``make demo``, for the README: the drift page, the figures, the summary.

    python benchmarks/pictures.py --project demo --out docs/img

Needs headless Chromium (on Debian: ``apt-get install chromium``). Nothing is fetched: every page is a local file.
"""

from __future__ import annotations

import argparse
import html
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops

from features.durable import replacing
from features.errors import EbbtideError, UsageError
from training.bundle import read_champion

TARGET: Final = "churn"
MAX_BYTES: Final = 300_000
MAX_SIZE: Final = (1200, 1600)
MARGIN: Final = 24
BROWSERS: Final = ("chromium", "chromium-browser", "google-chrome")
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--virtual-time-budget=5000",
)
TERMINAL: Final = """<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>summary</title><style>
html, body {{ margin: 0; background: #f6f8fa }}
pre {{ margin: 24px; font: 14px/16px "DejaVu Sans Mono", "Liberation Mono", monospace; color: #1c2733 }}
</style><pre>{text}</pre></html>
"""


def pictures(project: Path, out: Path, browser: str) -> Iterator[tuple[str, str]]:
    """Write each picture; give its name and what became of it."""
    pages = sorted((project / "reports").glob(f"{TARGET}-*/index.html"))
    if pages:  # the names end in the cutoff: the last is the latest
        yield "drift.png", _photograph(browser, pages[-1], out / "drift.png", size=(1040, 1500))
    else:
        yield "drift.png", f"skipped: no {project}/reports/{TARGET}-*/index.html (run `ebbtide monitor`)"
    summary = project / "summary.txt"
    if summary.is_file():
        lines = summary.read_text(encoding="utf-8").expandtabs().splitlines()
        with tempfile.TemporaryDirectory() as folder:
            page = Path(folder) / "summary.html"
            page.write_text(TERMINAL.format(text=html.escape("\n".join(lines))), encoding="utf-8")
            size = (9 * max(map(len, lines), default=0) + 100, 20 * len(lines) + 300)
            yield "summary.png", _photograph(browser, page, out / "summary.png", size=size)
    else:
        yield "summary.png", f"skipped: no {summary} (run `ebbtide demo`)"
    yield from _figures(project, out)


def _figures(project: Path, out: Path) -> Iterator[tuple[str, str]]:
    """Copy the evaluation figures of the run that made the champion."""
    champion = read_champion(project, TARGET)
    run = champion.run_id if champion else None
    found = sorted((project / "mlruns" / "artifacts").glob(f"{run}/artifacts/figures/*.png")) if run else []
    if not found:
        whose = f"run {run}" if run else f"a {TARGET} champion"
        yield f"{TARGET}-*.png", f"skipped: no figures of {whose} (run `ebbtide retrain`)"
    for path in found:
        name = f"{TARGET}-{path.name}"
        with Image.open(path) as image:
            yield name, _save(image.convert("RGB"), out / name)


def _photograph(browser: str, page: Path, target: Path, *, size: tuple[int, int]) -> str:
    """Render a local page in a browser with an empty profile, without the empty space below and beside it."""
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        subprocess.run(
            [
                browser,
                *FLAGS,
                f"--user-data-dir={folder}/profile",
                f"--window-size={size[0]},{size[1]}",
                f"--screenshot={shot}",
                page.resolve().as_uri(),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,  # Chromium reports a missing D-Bus and the like; the picture is the answer
            env={**os.environ, "HOME": folder},
            timeout=120,
            check=False,
        )
        if not shot.is_file():
            raise UsageError(f"{browser} made no picture of {page}", remedy=f"try `{browser} --headless {page}`")
        with Image.open(shot) as image:
            return _save(_trimmed(image.convert("RGB")), target)


def _trimmed(image: Image.Image) -> Image.Image:
    """The picture without what has the top left corner's colour right of and below the content, but for a margin."""
    background = Image.new("RGB", image.size, image.getpixel((0, 0)))
    box = ImageChops.difference(image, background).getbbox()
    if box is None:
        return image
    return image.crop((0, 0, min(box[2] + MARGIN, image.width), min(box[3] + MARGIN, image.height)))


def _save(image: Image.Image, target: Path) -> str:
    """Write a PNG no larger than allowed: in 256 colours if it must be, then smaller and smaller."""
    image.thumbnail(MAX_SIZE)
    with replacing(target) as temporary:
        image.save(temporary, format="PNG", optimize=True)
        while temporary.stat().st_size > MAX_BYTES:
            image.quantize(256).save(temporary, format="PNG", optimize=True)
            image = image.reduce(2)
        size = temporary.stat().st_size
    with Image.open(target) as written:
        return f"{written.width} x {written.height}, {size / 1000:.0f} kB"


def main() -> int:
    """Parse, take the pictures, print."""
    parser = argparse.ArgumentParser(description="Pictures of a project that `ebbtide demo` made.")
    parser.add_argument("--project", type=Path, default=Path("demo"), help="the project's home (default: demo)")
    parser.add_argument("--out", type=Path, default=Path("docs/img"), help="folder for the PNGs (default: docs/img)")
    options = parser.parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        if browser is None:
            raise UsageError(
                f"none of {', '.join(BROWSERS)} is installed",
                remedy="on Debian: apt-get install --no-install-recommends chromium fonts-dejavu-core",
            )
        if not options.project.is_dir():
            raise UsageError(f"there is no folder {options.project}", remedy="run `make demo`, or give --project")
        results = []
        for name, result in pictures(options.project, options.out, browser):
            print(f"{name:<24}{result}", flush=True)
            results.append(result)
    except (EbbtideError, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if all("skipped" not in result for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
