"""Work lists of the Triton kernels: how large triangles and long edges are shared out among programs.

Lanes of a program wait for each other, so a lane does only small things itself. What is larger it cuts into
up to MOST_ITEMS work items and appends them to a list; the programs of a second kernel take them in turn. A
list has a fixed length, as no host should wait to learn how long it must be: a lane that finds it full does
its work after all, slowly.
"""

from typing import no_type_check

import triton
import triton.language as tl

MOST_ITEMS = tl.constexpr(128)
"""Into how many work items something is cut at most."""


@triton.jit
@no_type_check
def list_work(work, work_count, entry, items, capacity):
    """Append `entry`, `entry` + 1 and so on, `items` (int64) in all, for each lane; whether they found room.

    `work_count` may end up above `capacity`.
    """
    slot = tl.atomic_add(work_count + entry * 0, items, mask=items > 0, sem="relaxed")
    listed = (items > 0) & (slot + items <= capacity)
    for item in range(tl.max(items, axis=0).to(tl.int32)):
        # Slots in which a lane's items do not all fit are marked empty.
        content = tl.where(listed, entry + item, -1)
        tl.store(work + slot + item, content, mask=(item < items) & (slot + item < capacity))
    return listed


@triton.jit
@no_type_check
def part_of(count, item, items):
    """First and end of an item's share of `count` things."""
    items = tl.maximum(items, 1)
    return (count * item // items).to(tl.int32), (count * (item + 1) // items).to(tl.int32)
