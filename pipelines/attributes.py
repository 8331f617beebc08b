"""The project's attributes of customers: which become features, and where they are read."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from features.attributes import AttributeTable, open_attributes

if TYPE_CHECKING:
    from features.catalogue import Attribute
    from pipelines.workspace import Workspace

__all__ = ["attribute_table", "attributes_version", "catalogue_attributes"]


def attribute_table(workspace: Workspace) -> AttributeTable | None:
    """The stored attributes; None if none is to become a feature, or the table was never read.

    Raises
    ------
    StateError
        If the stored table is damaged, or was read with another configuration.
    """
    settings = workspace.settings.customers
    if settings is None or not settings.feature_attributes or not workspace.customers_file.exists():
        return None
    dated = settings.valid_from is not None
    return open_attributes(workspace.customers_file, settings.feature_attributes, dated=dated)


def catalogue_attributes(workspace: Workspace) -> tuple[Attribute, ...]:
    """Attributes that the stored table has, for the catalogue.

    Raises
    ------
    StateError
        As :func:`attribute_table`.
    """
    table = attribute_table(workspace)
    if table is not None:
        return table.listed()[0]
    settings = workspace.settings.customers
    if settings is not None and settings.feature_attributes:
        workspace.say("warning: the table of customers was not read yet: no attribute is a feature; `ebbtide ingest`")
    return ()


def attributes_version(workspace: Workspace) -> str:
    """Text that changes whenever the attributes in the customers' states would; empty without attributes.

    Raises
    ------
    StateError
        As :func:`attribute_table`.
    """
    table = attribute_table(workspace)
    if table is None:
        return ""
    with table.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    digest.update(repr((table.columns, table.dated)).encode())
    return digest.hexdigest()
