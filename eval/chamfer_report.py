"""The report of Chamfer distances, of anybody's meshes or of Animodel's images."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median
from typing import Any

from farm3d.io.html_report import Table
from farm3d.io.image import read_image
from farm3d.io.mesh_files import read_mesh

from .chamfer.pairs import Pair
from .chamfer.rows import FIGURES, FLOOR, FailedPair, PairRow, Row, deviation, mean
from .mesh_pictures import draw_mesh, in_a_row
from .report import Case, Plot, Provenance, Report, best_median_worst
from .report_figures import histogram, scatter

ALT = {
    False: "the reconstruction and the target as grey surfaces",
    True: "the image, the reconstruction and the target as grey surfaces",
}


def chamfer_report(
    rows: Sequence[Row],
    pairs: Sequence[Pair],
    *,
    provenance: Provenance,
    images: Mapping[str, Path] | None = None,
    azimuths_degrees: Mapping[str, float] | None = None,
) -> Report:
    """The report of measured pairs, with pictures of the best, middle and worst.

    `images` and `azimuths_degrees` (seen from where) by the pairs' names, where there are any.
    """
    measured = [row for row in rows if isinstance(row, PairRow)]
    failed = [row for row in rows if isinstance(row, FailedPair)]
    azimuths = azimuths_degrees or {}
    return Report(
        benchmark="animodel" if images else "chamfer",
        title="Chamfer distance by Animodel's protocol",
        provenance=provenance,
        metrics=chamfer_metrics(rows),
        rows=[
            asdict(row) | ({"azimuth_degrees": azimuths[row.name]} if row.name in azimuths else {})
            for row in rows
        ],
        tables=_tables(measured),
        plots=_plots(measured, azimuths),
        cases=_cases(measured, {pair.name: pair for pair in pairs}, images or {}),
        warnings=tuple(f"{row.name}: {row.reason}" for row in failed),
    )


def chamfer_metrics(rows: Sequence[Row]) -> dict[str, Any]:
    """Means and sample deviations of all figures over the measured pairs."""
    measured = [row for row in rows if isinstance(row, PairRow)]
    return {
        "pairs": len(measured),
        "failed": len(rows) - len(measured),
        "rotated_180": sum(row.rotated_180 for row in measured),
        "floor_chamfer_scaled": FLOOR,
        "mean": {figure: mean(measured, figure) for figure in FIGURES},
        "std": {figure: deviation(measured, figure) for figure in FIGURES},
    }


def _tables(measured: Sequence[PairRow]) -> tuple[Table, ...]:
    if not measured:
        return ()
    means = tuple(
        (figure.replace("_", " "), _shown(mean(measured, figure)), _shown(deviation(measured, figure)))
        for figure in FIGURES
    )
    ordered = sorted(measured, key=lambda row: -row.chamfer_scaled)
    pairs = tuple(
        (row.name, *(_shown(getattr(row, figure)) for figure in FIGURES), "yes" if row.rotated_180 else "no")
        for row in ordered
    )
    names = tuple(figure.replace("_", " ") for figure in FIGURES)
    return (
        Table("Means over pairs", ("", "mean", "deviation"), means),
        Table("Pairs, the worst first", ("pair", *names, "turned by 180 degrees"), pairs),
    )


def _plots(measured: Sequence[PairRow], azimuths: Mapping[str, float]) -> tuple[Plot, ...]:
    if not measured:
        return ()
    scaled = [row.chamfer_scaled for row in measured]
    plots = [
        Plot(
            "chamfer_scaled",
            f"Scaled Chamfer distance of {len(measured)} pairs",
            f"Histogram of the scaled Chamfer distance, median {median(scaled):.4f}",
            histogram({"scaled Chamfer distance": scaled}, label="Chamfer distance, scaled"),
        )
    ]
    seen = [row for row in measured if row.name in azimuths]
    if seen:
        plots.append(
            Plot(
                "chamfer_viewpoint",
                "Scaled Chamfer distance against the azimuth seen (0: the head towards the camera)",
                f"Scaled Chamfer distances of {len(seen)} pairs against azimuths from -180 to 180 degrees",
                scatter(
                    [azimuths[row.name] for row in seen],
                    [row.chamfer_scaled for row in seen],
                    labels=("azimuth, degrees", "Chamfer distance, scaled"),
                    ticks=(-180.0, -90.0, 0.0, 90.0, 180.0),
                ),
            )
        )
    return tuple(plots)


def _cases(
    measured: Sequence[PairRow], pairs: Mapping[str, Pair], images: Mapping[str, Path]
) -> dict[str, list[Case]]:
    chosen = best_median_worst([row.chamfer_scaled for row in measured])
    return {
        f"{kind.capitalize()} pairs": [
            _case(measured[k], pairs[measured[k].name], images.get(measured[k].name)) for k in indices
        ]
        for kind, indices in chosen.items()
        if indices
    }


def _case(row: PairRow, pair: Pair, image: Path | None) -> Case:
    pictures = [
        draw_mesh(read_mesh(pair.reconstruction), turned=row.rotated_180),
        draw_mesh(read_mesh(pair.target)),
    ]
    if image is not None:
        pictures.insert(0, read_image(image).pixels)
    caption = f"{row.name}: scaled Chamfer distance {row.chamfer_scaled:.4f}"
    return Case(caption, f"{row.name}: {ALT[image is not None]}", in_a_row(pictures))


def _shown(value: float | None) -> str:
    return "-" if value is None else f"{value:.5f}"
