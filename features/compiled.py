"""The one typed wrapper of Numba: every compiled function of the kernel goes through it.

No fastmath, so the same bits come out on the same CPU type; the GIL is released; the machine code is cached on disk.
Divisions are not checked for zero: where a divisor can be zero, the code says what then comes out.
Numba checks only the file of a function when it decides whether its cache is fresh, and would keep the old machine
code of a function that calls into another, edited file. Here every kernel file counts, and the function's own.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba

__all__ = ["compiled", "in_place", "inlined"]

P = ParamSpec("P")
R = TypeVar("R")


def compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function on its first call, and keep what was compiled.

    Parameters
    ----------
    function : callable
        Only loops, numbers, arrays and named tuples of arrays.

    Returns
    -------
    callable
        The same signature; the plain Python function stays reachable as ``py_func``.

    Examples
    --------
    >>> compiled(max_of_two)(3, 4)
    4
    """
    dispatcher = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return cast("Callable[P, R]", _cached(dispatcher, function))


def in_place(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that makes no array and returns none: it only writes into those that it is given.

    Numba then counts no references to them, which in the kernel's short loops costs more than the work. It checks
    both when it compiles the function.
    """
    without_counting: Any = {"_nrt": False}
    dispatcher = numba.njit(cache=True, nogil=True, error_model="numpy", **without_counting)(function)
    return cast("Callable[P, R]", _cached(dispatcher, function))


def inlined(function: Callable[P, R]) -> Callable[P, R]:
    """As :func:`in_place`, compiled into each of its callers, which need not pass it named tuples of arrays."""
    without_counting: Any = {"_nrt": False}
    dispatcher = numba.njit(nogil=True, forceinline=True, error_model="numpy", **without_counting)(function)
    return cast("Callable[P, R]", dispatcher)


def max_of_two(left: int, right: int) -> int:
    """Larger of two integers: an example to compile."""
    return max(left, right)


def _cached(dispatcher: object, function: Callable[..., object]) -> object:
    cache = getattr(dispatcher, "_cache", None)  # NUMBA_DISABLE_JIT gives the plain function back
    if cache is not None:
        own = Path(function.__code__.co_filename)
        cache._cache_file._source_stamp = _stamp(own)  # noqa: SLF001 (there is no public way to add files)
    return dispatcher


def _stamp(own: Path) -> tuple[tuple[str, int, int], ...]:
    sources = sorted({own, *Path(__file__).parent.glob("kernel*.py")})
    return tuple((path.name, path.stat().st_mtime_ns, path.stat().st_size) for path in sources)
