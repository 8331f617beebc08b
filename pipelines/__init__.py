"""Everything that runs by command or on schedule; the only place that knows all the others.

``from pipelines import Project`` is the Python API. The name is resolved on first use, so that importing this package
(as the command line does to print its help) loads nothing heavy.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.project import Project

__all__ = ["Project"]


def __getattr__(name: str) -> object:
    if name == "Project":
        from pipelines.project import Project

        return Project
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
