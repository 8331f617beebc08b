"""LightGBM's shared library through ctypes: predictions without its Python package.

Importing ``lightgbm`` costs seconds and brings pandas along; its C library loads in milliseconds, has a path for one
row that its Python package lacks, and gives the same bits. Everything here runs on one thread of LightGBM's.
"""

from __future__ import annotations

import ctypes
import importlib.util
import threading
import weakref
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from features.errors import BundleError
from training.lightgbm_text import check_model_text

__all__ = ["Booster", "library_path"]

_RAW_SCORE: Final = 1  # C_API_PREDICT_RAW_SCORE
_CONTRIB: Final = 3  # C_API_PREDICT_CONTRIB
_FLOAT32: Final = 0  # C_API_DTYPE_FLOAT32
_ROW_MAJOR: Final = 1
_ALL_TREES: Final = (0, -1)  # start_iteration, num_iteration
_PARAMETERS: Final = b"num_threads=1 verbosity=-1"
_NAMES: Final = ("lib_lightgbm.so", "lib_lightgbm.dylib")
_MAX_ROWS: Final = 1 << 20  # a call; the C API counts rows in 32 bits


def library_path() -> Path:
    """Where the installed LightGBM keeps its shared library, found without importing the package.

    Raises
    ------
    BundleError
        If LightGBM is not installed, or came without its library.
    """
    spec = importlib.util.find_spec("lightgbm")
    folders = [Path(folder) for folder in (spec.submodule_search_locations or ()) if spec] if spec else []
    for folder in folders:
        for name in _NAMES:
            if (folder / "lib" / name).is_file():
                return folder / "lib" / name
    raise BundleError(
        "the model is a LightGBM model and LightGBM's shared library is not here",
        expected=f"{_NAMES[0]} in the installed package lightgbm",
        remedy="pip install lightgbm==4.7.0",
    )


def load_library(path: Path) -> ctypes.CDLL:
    """Open LightGBM's shared library.

    Raises
    ------
    BundleError
        If the dynamic linker refuses it, most often because OpenMP's run-time library is missing.
    """
    try:
        library = ctypes.CDLL(str(path))
        library.LGBM_GetLastError.restype = ctypes.c_char_p
        library.LGBM_BoosterFree.argtypes = [ctypes.c_void_p]
        library.LGBM_FastConfigFree.argtypes = [ctypes.c_void_p]
    except (OSError, AttributeError) as error:
        remedy = "install OpenMP's run time: apt-get install libgomp1" if "gomp" in str(error) else "reinstall lightgbm"
        raise BundleError(
            f"LightGBM's shared library does not load ({error})",
            expected="a working lib_lightgbm",
            remedy=remedy,
        ) from error
    return library


@cache
def _library() -> ctypes.CDLL:
    return load_library(library_path())


def _check(library: ctypes.CDLL, status: int) -> None:
    if status != 0:
        reason = (library.LGBM_GetLastError() or b"").decode("utf-8", "replace").strip().splitlines()
        raise BundleError(
            f"LightGBM refuses the model or its input: {reason[0] if reason else 'no reason given'}",
            expected="a model text written by LightGBM 4 and rows of its width",
            remedy="train again or roll back to another version",
        )


def _check_shape(features: int, trees: int, width: int) -> None:
    if features != width or trees < 1:
        raise BundleError(
            f"the LightGBM model has {features} features and {trees} trees",
            expected=f"{width} features and at least 1 tree",
            remedy="train again or roll back to another version",
        )


def _free(library: ctypes.CDLL, booster: int | None, fast: int | None) -> None:
    if fast:
        library.LGBM_FastConfigFree(fast)
    if booster:
        library.LGBM_BoosterFree(booster)


class Booster:
    """A LightGBM model read from its text; safe to share between threads.

    Parameters
    ----------
    text : str
        What ``lightgbm.Booster.model_to_string()`` gives.
    width : int
        Number of features the caller will pass.

    Raises
    ------
    BundleError
        If the library is missing, the text is no model, or it has another number of features.
    """

    def __init__(self, text: str, width: int) -> None:
        check_model_text(text, width)
        self._library = library = _library()
        handle, fast, iterations, features = (
            ctypes.c_void_p(),
            ctypes.c_void_p(),
            ctypes.c_int(),
            ctypes.c_int(),
        )
        encoded = text.encode()
        _check(
            library,
            library.LGBM_BoosterLoadModelFromString(encoded, ctypes.byref(iterations), ctypes.byref(handle)),
        )
        try:
            _check(library, library.LGBM_BoosterGetNumFeature(handle, ctypes.byref(features)))
            _check_shape(features.value, iterations.value, width)
            init = library.LGBM_BoosterPredictForMatSingleRowFastInit
            arguments = (_RAW_SCORE, *_ALL_TREES, _FLOAT32, width, _PARAMETERS, ctypes.byref(fast))
            _check(library, init(handle, *arguments))
        except BundleError:
            _free(library, handle.value, fast.value)
            raise
        self._handle, self._fast, self._width = handle, fast, width
        self.trees = iterations.value
        # The single-row configuration owns scratch memory: one caller at a time, through buffers of fixed address.
        self._lock = threading.Lock()
        self._row = np.zeros(width, dtype=np.float32)
        self._score = np.zeros(1, dtype=np.float64)
        self._length = ctypes.c_int64()
        self._arguments = (
            ctypes.c_void_p(self._row.ctypes.data),
            ctypes.byref(self._length),
            ctypes.c_void_p(self._score.ctypes.data),
        )
        self._single = library.LGBM_BoosterPredictForMatSingleRowFast
        weakref.finalize(self, _free, library, handle.value, fast.value)

    def raw_score(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """Sum of the trees for each row, before any link function.

        Parameters
        ----------
        values : float32 array [n, width]
            NaN is null.

        Returns
        -------
        float64 array [n]
            The same bits for a row whether it comes alone or among others.
        """
        rows = self._rows(values)
        if len(rows) != 1:
            return self._predict(rows, _RAW_SCORE, 1)[:, 0]
        with self._lock:
            self._row[:] = rows[0]
            _check(self._library, self._single(self._fast, *self._arguments))
            return self._score.copy()

    def contributions(self, values: NDArray[np.float32]) -> NDArray[np.float64]:
        """SHAP value of every feature and, last, the expected raw score; each row sums to its raw score.

        Parameters
        ----------
        values : float32 array [n, width]
            NaN is null.

        Returns
        -------
        float64 array [n, width + 1]
            In units of the raw score.
        """
        return self._predict(self._rows(values), _CONTRIB, self._width + 1)

    def _rows(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        if values.ndim != 2 or values.shape[1] != self._width:
            raise BundleError(
                f"rows of shape {values.shape}",
                expected=f"[n, {self._width}]",
                remedy="build the rows with the plan of the bundle's own features",
            )
        return np.ascontiguousarray(values, dtype=np.float32)

    def _predict(self, rows: NDArray[np.float32], kind: int, columns: int) -> NDArray[np.float64]:
        out = np.empty((len(rows), columns), dtype=np.float64)
        length = ctypes.c_int64()
        for start in range(0, len(rows), _MAX_ROWS):
            part, result = rows[start : start + _MAX_ROWS], out[start : start + _MAX_ROWS]
            status = self._library.LGBM_BoosterPredictForMat(
                self._handle,
                ctypes.c_void_p(part.ctypes.data),
                _FLOAT32,
                ctypes.c_int32(len(part)),
                ctypes.c_int32(self._width),
                _ROW_MAJOR,
                kind,
                *_ALL_TREES,
                _PARAMETERS,
                ctypes.byref(length),
                ctypes.c_void_p(result.ctypes.data),
            )
            _check(self._library, status)
            if length.value != result.size:
                raise BundleError(
                    f"LightGBM gave {length.value} numbers for {len(part)} rows",
                    expected=f"{result.size}: a model of one output",
                    remedy="train again or roll back to another version",
                )
        return out
