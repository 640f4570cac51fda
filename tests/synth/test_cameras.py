"""Cameras and lights: from ground to bird's eye, never under the ground, near and far, under any sky."""

import math

import numpy as np
import pytest
import torch
from farm3d.synth.procedural.anatomy import GROUND
from farm3d.synth.procedural.cameras import (
    FIELDS_OF_VIEW,
    Viewpoint,
    random_light,
    random_viewpoint,
)
from farm3d.synth.procedural.poses import pose_of
from farm3d.synth.procedural.quadruped import posed_vertices

from farm3d.geometry.camera import Camera, project_to_ndc
from farm3d.geometry.framing import fit_cameras
from farm3d.geometry.viewpoint import viewpoint_rotation


def fitted(vertices: torch.Tensor, faces: torch.Tensor, viewpoint: Viewpoint) -> Camera:
    rotation = viewpoint_rotation(torch.tensor([viewpoint.azimuth]), torch.tensor([viewpoint.elevation]))
    return fit_cameras(
        vertices[None],
        faces,
        rotation,
        field_of_view=torch.tensor([viewpoint.field_of_view]),
        scale=torch.ones(1),
        shift=torch.zeros(1, 2),
    )


def test_viewpoints_reach_from_the_ground_to_a_birds_eye_and_sides_are_preferred():
    generator = np.random.default_rng(0)
    views = [random_viewpoint(generator, height=1.2) for _ in range(3000)]
    elevations = np.degrees([view.elevation for view in views])
    assert elevations.min() < -4.0
    assert elevations.min() >= -5.001
    assert elevations.max() <= 75.001
    assert 0.01 < (elevations > 45.0).mean() < 0.1
    assert np.median(elevations) < 12.0
    fields = np.array([view.field_of_view for view in views])
    assert fields.min() >= FIELDS_OF_VIEW[0]
    assert fields.max() <= FIELDS_OF_VIEW[1]
    assert np.degrees(fields).std() > 7.0
    sideways = np.abs(np.sin([view.azimuth for view in views])) > math.sin(math.radians(60.0))
    assert 0.5 < sideways.mean() < 0.75


@pytest.mark.parametrize("kind", ["stand", "lie"])
def test_no_camera_is_under_the_ground_and_wide_ones_are_near(species, mean, kind):
    distances = []
    for number in range(12):
        generator = np.random.default_rng([2, number])
        pose = pose_of(kind, species, mean, generator=generator)
        vertices = posed_vertices(mean, pose.joint_angles, torch.tensor([0.0, pose.rise, 0.0]))
        view = random_viewpoint(generator, height=pose.height)
        matrix = fitted(vertices, mean.faces, view).world_to_camera[0]
        place = -matrix[:3, :3].T @ matrix[:3, 3]
        assert float(place[1]) > GROUND
        distances.append((view.field_of_view, -float(matrix[2, 3])))
    distances.sort()
    assert distances[0][1] > 1.5 * distances[-1][1]


@pytest.mark.parametrize("degrees", [12.0, 25.0, 50.0])
def test_the_crop_is_the_training_crop_for_every_field_of_view(mean, degrees):
    camera = fitted(mean.vertices, mean.faces, Viewpoint(-1.2, 0.1, math.radians(degrees)))
    places = project_to_ndc(camera, mean.vertices)[0]
    assert float(places.abs().max()) == pytest.approx(1.0 / 1.1, abs=0.03)


def test_the_sun_is_above_the_horizon_and_lights_differ():
    generator = np.random.default_rng(0)
    heights, shares = [], []
    for _ in range(500):
        view = random_viewpoint(generator, height=1.2)
        light = random_light(view, generator)
        direction = torch.tensor(light.direction)
        world = viewpoint_rotation(torch.tensor(view.azimuth), torch.tensor(view.elevation)).T @ direction
        assert float(direction.norm()) == pytest.approx(1.0, abs=1e-5)
        heights.append(math.degrees(math.asin(float(world[1]))))
        shares.append(light.diffuse / (light.ambient + light.diffuse))
    assert min(heights) > 3.0
    assert min(heights) < 12.0
    assert max(heights) > 70.0
    assert min(shares) < 0.25
    assert max(shares) > 0.7
