"""Check a LightGBM model text before its C library reads it: there, a malformed tree ends the whole process."""

from __future__ import annotations

from typing import Final

from features.errors import BundleError

__all__ = ["check_model_text"]

_PER_SPLIT: Final = ("split_gain", "threshold", "decision_type", "internal_value", "internal_weight", "internal_count")
_PER_LEAF: Final = ("leaf_value", "leaf_weight", "leaf_count")


def check_model_text(text: str, width: int) -> None:
    """Make sure that a text is a model of one output over numeric features, tree by tree.

    Parameters
    ----------
    text : str
        What ``lightgbm.Booster.model_to_string()`` gives.
    width : int
        Number of features.

    Raises
    ------
    BundleError
        If it is not.
    """
    try:
        _check(text, width)
    except (ValueError, KeyError, IndexError) as error:
        raise BundleError(
            f"the LightGBM model is malformed ({type(error).__name__}: {error})",
            expected="a model text written by LightGBM 4",
            remedy="train again or roll back to another version",
        ) from error


def _check(text: str, width: int) -> None:
    trees, end, _ = text.partition("\nend of trees\n")
    head, *blocks = trees.split("\nTree=")
    fields = _fields(head)
    if not end or fields["num_class"] != "1" or fields["num_tree_per_iteration"] != "1":
        raise ValueError("it has no end of trees, or several outputs")
    if fields["max_feature_idx"] != str(width - 1) or not blocks:
        raise ValueError(f"it has {len(blocks)} trees over features 0 to {fields['max_feature_idx']} of {width}")
    sizes = [len(block.encode()) + len("Tree=\n") for block in blocks]
    if [int(size) for size in fields["tree_sizes"].split()] != sizes:
        raise ValueError("its trees do not have the sizes it says")
    for number, block in enumerate(blocks):
        _check_tree(block, number, width)


def _check_tree(block: str, number: int, width: int) -> None:
    index, _, rest = block.partition("\n")
    fields = _fields(rest)
    leaves = int(fields["num_leaves"])
    if index != str(number) or leaves < 1 or fields["num_cat"] != "0" or fields.get("is_linear", "0") != "0":
        raise ValueError(f"tree {number} is no tree of numeric splits and constant leaves")
    lengths = dict.fromkeys(_PER_LEAF, leaves) | dict.fromkeys(_PER_SPLIT, leaves - 1)
    for name, length in lengths.items():
        if leaves == 1 and name != "leaf_value":
            continue
        if len([float(number_text) for number_text in fields[name].split(" ") if number_text]) != length:
            raise ValueError(f"tree {number} has not {length} numbers in {name}")
    if leaves == 1:
        return
    used = [int(feature) for feature in fields["split_feature"].split(" ")]
    if len(used) != leaves - 1 or not 0 <= min(used) <= max(used) < width:
        raise ValueError(f"tree {number} splits on features that are not there")
    left, right = ([int(node) for node in fields[side].split(" ")] for side in ("left_child", "right_child"))
    if len(left) != len(right) or sorted(left + right) != [*range(-leaves, 0), *range(1, leaves - 1)]:
        raise ValueError(f"tree {number} does not lead to each of its leaves once")


def _fields(text: str) -> dict[str, str]:
    return {key: value for key, _, value in (line.partition("=") for line in text.split("\n"))}
