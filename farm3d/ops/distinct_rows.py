"""The distinct rows of a table, so that what depends on them alone is computed once for each."""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def distinct_rows(
    rows: Float[Tensor, "rows columns"],
) -> tuple[Int[Tensor, " distinct"], Int[Tensor, " rows"]]:
    """Where each distinct row stands first, and for every row the place of its equal among those.

    So `rows[first][place]` are the rows. Unlike `torch.unique` it says where they stand, which a gradient
    needs.
    """
    order = torch.arange(len(rows), device=rows.device)
    for column in rows.detach().unbind(-1):
        order = order[torch.argsort(column[order], stable=True)]
    ordered = rows.detach()[order]
    begins = torch.ones_like(order, dtype=torch.bool)
    begins[1:] = (ordered[1:] != ordered[:-1]).any(-1)
    place = torch.empty_like(order)
    place[order] = torch.cumsum(begins, dim=0) - 1
    return order[begins], place
