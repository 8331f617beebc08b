"""Running sums and links of an indexed stream."""

from __future__ import annotations

from features.compiled import in_place, inlined
from features.kernel_program import (
    MIXED,
    NULL,
    ORDER_BEGAN_FIRST,
    SLOT_FIRST_SUM,
    SLOT_PRESENT,
    Events,
    Ints,
    Program,
)
from features.kernel_workspace import NO_TEXT, Index

__all__ = ["add_up", "add_up_first", "clear_table", "link_texts", "place_of"]


@in_place
def add_up(index: Index, program: Program, events: Events, slot: int) -> None:
    """Sums of a slot's number over the lines so far, or how many have it."""
    stream, number, counts = program.slot_stream[slot], program.slot_row[slot], program.slot_mode[slot] == SLOT_PRESENT
    running, at = index.running, index.slot_start[slot]
    total = 0
    running[at] = 0
    for line in range(index.line_start[stream], index.line_start[stream + 1]):
        value = events.numbers[number, index.line_source[line]]
        at += 1
        if value != NULL:
            total += 1 if counts else value
        running[at] = total


@in_place
def add_up_first(index: Index, program: Program, events: Events, slot: int, carried: Ints) -> None:
    """Over the lines of the first order(s): a sum, or the one text they share (MIXED: they do not)."""
    stream, number, sums = program.slot_stream[slot], program.slot_row[slot], program.slot_mode[slot] == SLOT_FIRST_SUM
    first, last, plain = index.line_start[stream], index.line_start[stream + 1], index.plain[stream]
    running, at = index.running, index.slot_start[slot]
    orders = 0
    if not carried[stream]:
        times = index.line_time if plain else index.order_time
        while first + orders < index.order_stop[stream] and times[first + orders] == times[first]:
            orders += 1
    total = 0 if sums else NULL
    running[at] = total
    for line in range(first, last):
        source = index.line_source[line]
        value = events.numbers[number, source]
        ordinal = line - first if plain else index.line_order[line]
        at += 1
        if value != NULL and (0 <= ordinal < orders or events.order[source] == ORDER_BEGAN_FIRST):
            if sums:
                total += value
            else:
                total = value if total in (NULL, value) else MIXED
        running[at] = total


@in_place
def link_texts(index: Index, program: Program, events: Events, link: int) -> None:
    """Link each line to the last one with the same text."""
    stream, number = program.link_stream[link], program.link_row[link]
    first, last = index.line_start[stream], index.line_start[stream + 1]
    size = clear_table(index.table_value, last - first)
    start = index.link_start[link]
    for line in range(first, last):
        code = events.numbers[number, index.line_source[line]]
        before = NO_TEXT
        if code != NULL:
            place = place_of(index.table_code, index.table_value, size, code)
            before = index.table_value[place]
            index.table_code[place] = code
            index.table_value[place] = line - first
        index.before[start + line - first] = before


@inlined
def clear_table(table_value: Ints, lines: int) -> int:
    """Make a hash table for so many lines empty, and give its size, a power of two."""
    size = 2
    while size < 2 * lines:
        size *= 2
    for place in range(size):
        table_value[place] = -1
    return size


@inlined
def place_of(table_code: Ints, table_value: Ints, size: int, code: int) -> int:
    """Place of a code in a hash table, or where it would go; linear probing."""
    place = code & (size - 1)
    while table_value[place] >= 0 and table_code[place] != code:
        place = (place + 1) & (size - 1)
    return place
