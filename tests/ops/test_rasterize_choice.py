"""Which backend is chosen, and what the others say."""

import os
import subprocess
import sys
import textwrap

import pytest

from farm3d.errors import BackendError
from farm3d.ops.rasterize import rasterize
from farm3d.ops.rasterize.backend import backend_module

from .raster_scenes import animal, view

VERTICES, FACES = animal(1)


def test_without_a_gpu_the_gpu_backends_say_why_not(monkeypatch):
    clip = view(VERTICES, [0.0])
    monkeypatch.delenv("TRITON_INTERPRET", raising=False)
    expected = "it works on a CUDA device, the tensors are on cpu"
    with pytest.raises(BackendError, match=f"'nvdiffrast' cannot be used.*nvdiffrast: {expected}"):
        rasterize(clip, FACES, (8, 8), backend="nvdiffrast")
    with pytest.raises(BackendError, match=f"triton: {expected} .TRITON_INTERPRET=1 interprets"):
        rasterize(clip, FACES, (8, 8), backend="triton")


def test_the_interpreter_is_used_only_by_name(monkeypatch):
    pytest.importorskip("triton")
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    monkeypatch.delenv("FARM3D_BACKEND", raising=False)
    clip = view(VERTICES, [0.0])
    assert backend_module(clip, None).__name__.endswith("numba_cpu")
    assert backend_module(clip, "triton").__name__.endswith("triton_cuda")


WITH_A_GPU_THAT_IS_NOT_THERE = """
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from farm3d.errors import BackendError, InputError
from farm3d.ops.mesh_topology import EdgeTopology, edge_topology
from farm3d.ops.rasterize.backend import backend_module
from farm3d.ops.rasterize.checks import check_faces, check_topology

def on_a_gpu(tensor):
    with FakeTensorMode(allow_non_fake_inputs=True):
        return torch.empty(tensor.shape, dtype=tensor.dtype, device="cuda")

def refusal(call, *arguments):
    try:
        call(*arguments)
    except (BackendError, InputError) as error:
        return str(error)

here = torch.tensor([[0, 1, 2], [2, 1, 3]])
clip, faces, topology = on_a_gpu(torch.zeros(1, 4, 4)), on_a_gpu(here), edge_topology(here)
"""
"""Tensors that say they are on a GPU and hold nothing: whoever asks for their values fails."""


def run_with_a_gpu_that_is_not_there(statements):
    """In a process of its own, for such tensors start threads that forked workers cannot have."""
    environment = {name: value for name, value in os.environ.items() if name != "FARM3D_BACKEND"}
    program = WITH_A_GPU_THAT_IS_NOT_THERE + textwrap.dedent(statements)
    command = [sys.executable, "-c", program]
    result = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert result.returncode == 0, result.stderr


def test_a_gpu_gets_nvdiffrast_where_it_is_installed_and_triton_otherwise():
    pytest.importorskip("triton")
    run_with_a_gpu_that_is_not_there("""
        missing = "nvdiffrast: it is not installed (pip install" in refusal(backend_module, clip, "numba")
        expected = "triton_cuda" if missing else "nvdiffrast_cuda"
        assert backend_module(clip, None).__name__.endswith(expected)
        assert ("nvdiffrast.git" in (refusal(backend_module, clip, "nvdiffrast") or "")) == missing
        assert "numba: it works on the CPU, the tensors are on cuda" in refusal(backend_module, clip, "numba")
        reason = "triton: it works in float32, the tensors are torch.float64"
        assert reason in refusal(backend_module, clip.double(), None)
        assert backend_module(clip.double(), "reference").__name__.endswith("reference")
    """)


def test_nothing_waits_for_a_gpu_to_check_its_indices():
    run_with_a_gpu_that_is_not_there("""
        check_faces(faces, clip)
        check_topology(EdgeTopology(**{k: on_a_gpu(v) for k, v in vars(topology).items()}), faces, 1)
        reason = "the topology is on cpu but the faces on cuda"
        assert reason in refusal(check_topology, topology, faces, 4)
    """)
