"""What prediction.json says of a reconstruction."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from farm3d import __version__
from farm3d.geometry.clip import Clip
from farm3d.geometry.viewpoint import azimuth_elevation
from farm3d.inference.reconstruct import Reconstruction
from farm3d.inference.rig import single_skeleton
from farm3d.io.gltf import WorldScale
from farm3d.models.build import TrainedModel

SCHEMA_VERSION = 1
DIGITS = 6


def describe(
    result: Reconstruction, *, trained: TrainedModel, scale: WorldScale, clips: Sequence[Clip]
) -> dict[str, Any]:
    """The JSON values of prediction.json (docs/results.md): equal inputs give equal values."""
    prediction = result.refined
    skeleton, camera, light = single_skeleton(prediction), prediction.camera, prediction.light
    azimuth, elevation = azimuth_elevation(camera.world_to_camera[0, :3, :3])
    viewpoint = prediction.viewpoint
    return {
        "schema_version": SCHEMA_VERSION,
        "farm3d_version": __version__,
        "category": trained.category,
        "checkpoint_sha256": trained.sha256,
        "segmenter": result.segmentation.source,
        "mask_confidence": round(result.segmentation.confidence, 4),
        "crop_box": _rounded(camera.crop_box),
        "world_to_camera": _rounded(camera.world_to_camera[0]),
        "field_of_view_degrees": round(math.degrees(camera.field_of_view), DIGITS),
        "azimuth_degrees": _rounded(torch.rad2deg(azimuth)),
        "elevation_degrees": _rounded(torch.rad2deg(elevation)),
        "hypotheses": {
            "azimuths_degrees": _rounded(torch.rad2deg(viewpoint.azimuths[0])),
            "probabilities": _rounded(viewpoint.probabilities[0]),
            "chosen": int(prediction.hypothesis[0]),
        },
        "joints": {
            "names": list(skeleton.names),
            "parents": list(skeleton.parents),
            "rest_joints": _rounded(skeleton.rest_joints),
            "angles_degrees": _rounded(torch.rad2deg(prediction.joint_angles[0])),
        },
        "light": {
            "direction": _rounded(light.direction[0]),
            "ambient": _rounded(light.ambient[0]),
            "diffuse": _rounded(light.diffuse[0]),
        },
        "metres_per_unit": round(scale.metres_per_unit, DIGITS),
        "ground_height": round(scale.ground_height, DIGITS),
        "clips": [clip.name for clip in clips],
        "mask_iou": {"predicted": round(result.initial_iou, 4), "refined": round(result.iou, 4)},
        "refinement": refinement_change(result),
        "warnings": list(result.segmentation.warnings),
    }


def refinement_change(result: Reconstruction) -> dict[str, float]:
    """How far refinement moved the rest shape: mean distance as a fraction of the body's length."""
    before, after = result.initial.rest_mesh.vertices[0], result.refined.rest_mesh.vertices[0]
    length = float(before[:, 2].max() - before[:, 2].min())
    prior = result.refined.rest_positions
    return {
        "mean_offset": round(float((after - before).norm(dim=-1).mean()) / length, DIGITS),
        "mean_deformation": round(float((after - prior).norm(dim=-1).mean()) / length, DIGITS),
    }


def facts(result: Reconstruction, description: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The numbers that the report shows, for people."""
    iou, hypotheses = description["mask_iou"], description["hypotheses"]
    return (
        ("category", description["category"]),
        ("mask from", description["segmenter"]),
        ("mask IoU, predicted", f"{iou['predicted']:.3f}"),
        ("mask IoU, refined", f"{iou['refined']:.3f}"),
        ("azimuth of the head", f"{description['azimuth_degrees']:.0f}°"),
        ("elevation of the camera", f"{description['elevation_degrees']:.0f}°"),
        ("probability of this view", f"{max(hypotheses['probabilities']):.2f}"),
        ("size", f"1 unit = {description['metres_per_unit']:.2f} m (typical height assumed)"),
        ("mesh", f"{result.refined.rest_mesh.vertices.shape[1]:,} vertices"),
        ("checkpoint", description["checkpoint_sha256"][:12]),
    )


def _rounded(values: Tensor | Sequence[float] | None) -> Any:
    """Plain numbers with six digits after the point: no more than the computation is good for."""
    return np.round(np.asarray(values, dtype=np.float64), DIGITS).tolist()
