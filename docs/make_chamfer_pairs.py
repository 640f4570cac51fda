"""Write pairs of posed animals into `reconstructions` and `targets`, to try `farm3d-eval chamfer` at length.

python docs/make_chamfer_pairs.py FOLDER --count 1000
"""

import argparse
from pathlib import Path

import torch
from farm3d.eval.benchmarks.chamfer_pairs import AnimalPair, pair_triangles

from farm3d.geometry.mesh import Mesh
from farm3d.io.mesh_files import write_obj


def main() -> int:
    """Write `--count` pairs, horses and cows in turn, each with a scale and a direction of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=1000)
    arguments = parser.parse_args()
    for number in range(arguments.count):
        pair = AnimalPair(
            ("horse", "cow")[number % 2],
            number,
            scale=(1.0, 0.3, 4.0)[number % 3],
            turn_degrees=(0.0, 180.0, 15.0, -20.0, 165.0)[number % 5],
        )
        for name, triangles in zip(("reconstructions", "targets"), pair_triangles(pair), strict=True):
            corners, faces = torch.unique(
                torch.from_numpy(triangles).reshape(-1, 3), dim=0, return_inverse=True
            )
            write_obj(arguments.folder / name / f"{pair}.obj", Mesh(corners, faces.reshape(-1, 3)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
