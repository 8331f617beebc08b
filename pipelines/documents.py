"""Generated pages: configuration from its models, features and grammar from their own words, API from its routes.

``python -m pipelines.documents`` writes them; ``--check`` fails when a committed page is not what would be written.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic_core import PydanticUndefined

from features.catalogue import catalogue
from features.catalogue.vocabulary import ATTRIBUTES, CONVENTIONS, POSTERIOR, SEASON_DAYS, VOCABULARY
from features.grammar import MAX_EVENTS, TAIL_DAYS
from features.naming_phrase import windows_text
from pipelines import settings
from pipelines.documents_grammar import grammar_page
from serving.routes import ROUTES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel
    from pydantic.fields import FieldInfo

    from features.definition import Feature

__all__ = ["api_page", "config_page", "features_page", "main", "pages"]

_SECTIONS: Mapping[str, type[BaseModel]] = {
    "[project]": settings.ProjectSettings,
    "[[events]]": settings.EventsSettings,
    "[customers]": settings.CustomersSettings,
    "[targets.NAME]": settings.TargetSettings,
    "[features]": settings.FeaturesSettings,
    "[store]": settings.StoreSettings,
    "[tracking]": settings.TrackingSettings,
    "[engine]": settings.EngineSettings,
    "[retrain]": settings.RetrainSettings,
    "[serving]": settings.ServingSettings,
    "[monitor]": settings.MonitorSettings,
    "[export]": settings.ExportSettings,
}
_WRITTEN_BY = "<!-- Written by `make docs`; change the source, not this page. -->\n"


def config_page() -> str:
    """Markdown of every section and key of ``ebbtide.toml``."""
    lines = [
        "# `ebbtide.toml`",
        _WRITTEN_BY,
        "Unknown keys and impossible values are refused before anything runs, all of them at once. Paths are relative",
        "to the file, or to `home` where it says so.",
    ]
    for header, model in _SECTIONS.items():
        lines += [
            "",
            f"## `{header}`",
            "",
            _first_sentence(model),
            "",
            "| key | type | default | meaning |",
            "|---|---|---|---|",
        ]
        lines += [_row(name, field) for name, field in model.model_fields.items()]
    return "\n".join(lines) + "\n"


def features_page() -> str:
    """Markdown of the catalogue for a log that has everything."""
    features = catalogue(VOCABULARY, season_days=SEASON_DAYS, posterior=POSTERIOR, attributes=ATTRIBUTES)
    lines = [
        "# Features",
        _WRITTEN_BY,
        f"The {len(features)} features of a log that has all {len(VOCABULARY)} built-in event types with every column",
        "that makes sense for them. A log has those that its event types and columns allow: the others vanish. An",
        "event type of a project's own brings what `login` brings, under its own name, or what `coupon_redeemed`",
        "brings on its own if its rows carry money or orders. Where a name holds a value of the log (a channel, a",
        "kind, an attribute), each value brings its own. `ebbtide features` lists those of a project, with the ones it",
        "adds itself in the words of the [grammar](grammar.md). The season is there where a log spans two years.",
        "",
        "- A window is half-open, `[cutoff - window, cutoff)`, in days of 86,400 s.",
        f"- Windows, gaps, streaks, spreads and different values look at a customer's last {MAX_EVENTS:,} events of",
        f"  the last {TAIL_DAYS} days at most; *lifetime* looks at everything.",
        "- Orders are counted by `order_id`, at the time of their first row; without one, each row is its own.",
        "- An empty cell under *null when* means never. What is undefined is null, not 0.",
        "",
        "Some columns and kinds have a meaning of their own:",
        "",
        *(f"- {convention}" for convention in CONVENTIONS),
    ]
    for family in dict.fromkeys(feature.family for feature in features):
        about = (importlib.import_module(f"features.catalogue.{family}").__doc__ or "").partition(": ")[2]
        lines += [
            "",
            f"## {str(family).capitalize()}",
            "",
            f"{about[:1].upper()}{about[1:]}".strip(),
            "",
            "| feature | unit | window | null when | meaning |",
            "|---|---|---|---|---|",
        ]
        lines += [_feature_row(feature) for feature in features if feature.family == family]
    return "\n".join(lines) + "\n"


def api_page() -> str:
    """Markdown of every route of the service, with an example."""
    lines = [
        "# The HTTP API",
        _WRITTEN_BY,
        "`ebbtide serve` answers on port 3000. The machine-readable form is at `/v1/openapi.json`. On localhost no key",
        "is needed unless `[serving] keys_file` names some; then send `Authorization: Bearer KEY`.",
        "",
        "Every refusal has one shape and names every fault found:",
        '`{"error": {"code", "message", "problems": [{"path", "found", "expected"}], "request_id"}}`.',
        "A customer who cannot be scored is not an error: `status` is `not_eligible` or `unknown_customer`, with a",
        "sentence, and the probability is null. `stale` is scored, but an event that came too late for the stored",
        "state is missing from it until the next `ebbtide ingest`. A cutoff that is not given is now.",
        "Attributes of the table of customers come with the stored state; a full `history` brings none, and a",
        "customer whose first event came live has none until the next `ebbtide ingest`: they are null.",
    ]
    for route in ROUTES:
        lines += ["", f"## `{route.method} {route.path}`", "", route.summary]
        if route.request_example is not None:
            body = json.dumps(route.request_example)
            call = f"curl -s localhost:3000{route.path} -H 'Content-Type: application/json' -d '{body}'"
            lines += ["", "```", call, "```"]
        text = route.example if isinstance(route.example, str) else json.dumps(route.example, indent=2)
        lines += ["", "```json" if not isinstance(route.example, str) else "```", text.rstrip(), "```"]
        if route.faults:
            lines += ["", f"Refusals: {', '.join(map(str, route.faults))}."]
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """File name → text of every generated page."""
    return {
        "docs/api.md": api_page(),
        "docs/config.md": config_page(),
        "docs/features.md": features_page(),
        "docs/grammar.md": grammar_page(_WRITTEN_BY),
    }


def main(arguments: list[str]) -> int:
    """Write the pages, or compare them with ``--check``; the exit code."""
    root = Path(__file__).resolve().parent.parent
    stale = []
    for name, text in pages().items():
        path = root / name
        if "--check" in arguments:
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            path.write_text(text, encoding="utf-8", newline="\n")
    if stale:
        sys.stderr.write(f"{', '.join(stale)}: not what the code says; run `make docs`\n")
    return 1 if stale else 0


def _feature_row(feature: Feature) -> str:
    cells = (f"`{feature.name}`", feature.unit, windows_text(feature.bases), feature.null_meaning, feature.description)
    return f"| {' | '.join(cells)} |"


def _row(name: str, field: FieldInfo) -> str:
    default = "required" if field.is_required() else _default(field)
    return f"| `{name}` | {_type(field)} | {default} | {field.description or ''} |"


def _default(field: FieldInfo) -> str:
    value = field.default if field.default is not PydanticUndefined else field.get_default(call_default_factory=True)
    return (
        "" if value is None or value == {} else f"`{str(value).lower() if isinstance(value, bool) else _toml(value)}`"
    )


def _toml(value: object) -> str:
    if isinstance(value, str):
        return f'"{value}"'
    return f"[{', '.join(_toml(item) for item in value)}]" if isinstance(value, list) else str(value)


def _type(field: FieldInfo) -> str:
    text = str(field.annotation)
    names = {
        "int": "integer",
        "float": "number",
        "list[": "list of text",
        "dict[": "table",
        "Literal": "choice",
        "str": "text",
    }
    if "Literal[" in text:
        choices = text[text.index("Literal[") + 8 : text.index("]")].replace("'", "`")
        return ("list of " if text.startswith("list") else "") + choices.replace(", ", " \\| ")
    for needle, name in names.items():
        if needle in text.replace("typing.Annotated", ""):
            return name
    return text


def _first_sentence(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().splitlines()[0]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
