"""Compile every launch of a forward and backward pass for a GPU that need not be there, without running it.

A program of its own, because Triton decides when it is imported whether kernels are interpreted. Prints one
JSON line for each launch: the kernel's name, the compute capability, the bytes of the binary, and how many
instructions in double precision are fused multiply-adds or might be fused by the assembler.
"""

import json
import os
import re
import sys

os.environ.pop("TRITON_INTERPRET", None)

import torch
import triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from triton.runtime.jit import JITFunction

from farm3d.ops.mesh_topology import edge_topology
from farm3d.ops.rasterize import triton_cuda

TYPES = {
    torch.float32: "*fp32",
    torch.float64: "*fp64",
    torch.int32: "*i32",
    torch.int64: "*i64",
    torch.uint8: "*u8",
}
OPTIONS = ("num_warps", "enable_fp_fusion")


def compile_launch(kernel, *arguments, grid, warmup, **named):
    """In place of `JITFunction.run`: the same arguments, compiled for the target and not launched."""
    constants = {name: value for name, value in named.items() if name not in OPTIONS}
    values = dict(zip(kernel.arg_names, arguments, strict=False)) | constants
    signature = {
        name: "constexpr"
        if name in constants
        else TYPES[values[name].dtype]
        if isinstance(values[name], torch.Tensor)
        else "i32"
        for name in kernel.arg_names
    }
    options = {name: named[name] for name in OPTIONS}
    source = ASTSource(kernel, signature, constants)
    compiled = triton.compile(source, target=GPUTarget("cuda", capability, 32), options=options)
    assembly = compiled.asm["ptx"]
    report = {
        "kernel": kernel.__name__,
        "capability": capability,
        "binary_bytes": len(compiled.asm["cubin"]),
        "fused": len(re.findall(r"\bfma\.\w+\.f64", assembly)),
        "contractible": len(re.findall(r"(?<!\.)\b(?:mul|add|sub)\.f64", assembly)),
    }
    sys.stdout.write(json.dumps(report) + "\n")


def render(index_type, channels, shared):
    """Launch everything once, on operands whose values no one reads."""
    clip = torch.rand(2, 5, 4, requires_grad=True)
    faces = torch.tensor([[0, 1, 2], [2, 3, 4]], dtype=index_type)
    attributes = torch.rand(1 if shared else 2, 5, channels, requires_grad=True)
    drawn = triton_cuda.rasterize(clip, faces, (8, 9), cull_back_faces=shared)
    image = triton_cuda.interpolate(attributes, drawn, faces)
    triton_cuda.front_faces(clip.detach(), faces)
    triton_cuda.antialias(image, drawn, clip, faces, topology=edge_topology(faces)).sum().backward()


JITFunction.run = compile_launch
capability = 90
render(torch.int64, 3, False)
capability = 80
render(torch.int32, 20, True)
