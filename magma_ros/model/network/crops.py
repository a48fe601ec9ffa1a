"""Which grid of crops a picture is stretched to and cut into."""

from __future__ import annotations

Grid = tuple[int, int]  # (rows, columns) of crops


def choose_grid(width_px: int, height_px: int, base_px: int, num_crops: int) -> Grid:
    """The grid whose canvas keeps most of the picture; ties: least waste, then the first.

    Source: ``select_best_resolution`` of LLaVA-NeXT, which Magma uses; scaled sizes are truncated.
    """

    def fit(grid: Grid) -> tuple[int, int]:
        canvas_width, canvas_height = grid[1] * base_px, grid[0] * base_px
        scale = min(canvas_width / width_px, canvas_height / height_px)
        scaled_area = int(width_px * scale) * int(height_px * scale)
        kept = min(scaled_area, width_px * height_px)
        return kept, kept - canvas_width * canvas_height

    return max(candidate_grids(num_crops), key=fit)


def candidate_grids(num_crops: int) -> list[Grid]:
    """All grids of at most ``num_crops`` crops, in Magma's order: narrow before wide."""
    return [
        (rows, columns)
        for columns in range(1, num_crops + 1)
        for rows in range(1, num_crops // columns + 1)
    ]
