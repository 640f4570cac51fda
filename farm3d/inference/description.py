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
from farm3d.inference.animal import Animal
from farm3d.inference.film import Film, describe_film
from farm3d.inference.measure import LENGTHS
from farm3d.inference.reconstruct import Reconstruction
from farm3d.inference.rig import single_skeleton

SCHEMA_VERSION = 1
DIGITS = 6


def describe(animal: Animal, clips: Sequence[Clip], film: Film | None = None) -> dict[str, Any]:
    """The JSON values of prediction.json (docs/results.md): equal inputs give equal values."""
    result, prediction, scale = animal.fit, animal.prediction, animal.scale
    skeleton, camera, light = single_skeleton(prediction), prediction.camera, prediction.light
    azimuth, elevation = azimuth_elevation(camera.world_to_camera[0, :3, :3])
    viewpoint = prediction.viewpoint
    return {
        "schema_version": SCHEMA_VERSION,
        "farm3d_version": __version__,
        "category": animal.trained.category,
        "checkpoint_sha256": animal.trained.sha256,
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
        "measurements": measurements(animal),
        "clips": [clip.name for clip in clips],
        "edits": dict(animal.edits),
        "film": None if film is None else describe_film(film),
        "mask_iou": {"predicted": round(result.initial_iou, 4), "refined": round(result.iou, 4)},
        "refinement": refinement_change(result),
        "warnings": list(result.segmentation.warnings),
    }


def measurements(animal: Animal) -> dict[str, Any]:
    """Ratios to the shoulder height (its cube, for the volume), and centimetres and litres where known."""
    measured = animal.measure()
    ratios = measured.times(1.0 / measured.shoulder_height)
    known = {
        **{f"{name}_cm": round(getattr(measured, name), 2) for name in LENGTHS},
        "volume_litres": round(measured.volume / 1000.0, 2),
    }
    return {
        "ratios": {
            "body_length": round(ratios.body_length, 4),
            "girth": round(ratios.girth, 4),
            "volume": round(ratios.volume, 4),
        },
        "known": known if animal.known_length is not None else None,
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


def facts(animal: Animal, description: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    """The numbers that the report shows, for people."""
    iou, hypotheses = description["mask_iou"], description["hypotheses"]
    return (
        ("category", description["category"]),
        ("mask from", description["segmenter"]),
        ("mask IoU, predicted", f"{iou['predicted']:.3f}"),
        ("mask IoU, refined", f"{iou['refined']:.3f}"),
        ("azimuth of the head", f"{description['azimuth_degrees']:.0f}°"),
        ("elevation of the camera", f"{description['elevation_degrees']:.0f}°"),
        ("probability of this view", f"{hypotheses['probabilities'][hypotheses['chosen']]:.2f}"),
        *_measured_facts(description["measurements"]),
        *((f"{part} from", name) for part, name in description["edits"].items()),
        ("mesh", f"{animal.prediction.rest_mesh.vertices.shape[1]:,} vertices"),
        ("checkpoint", description["checkpoint_sha256"][:12]),
    )


def _measured_facts(measured: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    ratios, known = measured["ratios"], measured["known"]
    if known is None:
        return (
            ("size", "typical of the category (a photograph does not tell it)"),
            ("body length / shoulder height", f"{ratios['body_length']:.2f}"),
            ("girth / shoulder height", f"{ratios['girth']:.2f}"),
        )
    lengths = ((name.replace("_", " "), f"{known[f'{name}_cm']:.0f} cm") for name in LENGTHS)
    return (*lengths, ("volume", f"{known['volume_litres']:.0f} litres"))


def _rounded(values: Tensor | Sequence[float] | None) -> Any:
    """Plain numbers with six digits after the point: no more than the computation is good for."""
    return np.round(np.asarray(values, dtype=np.float64), DIGITS).tolist()
