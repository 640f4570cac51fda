"""Numba kernels of mesh colours; each fills `out` arrays and runs on one thread."""

from typing import no_type_check

import numpy as np

from farm3d.ops.rasterize.numba_launch import compile_kernel


@compile_kernel
@no_type_check
def read_samples(samples, linear, face, barycentrics, steps, albedo, slopes):
    """Blend the three samples about each point: their colours through the table `linear`, and their heights.

    `slopes` become the height's derivatives by u and v, in steps of its byte.
    """
    for n in range(len(face)):
        u, v = barycentrics[n, 0] * steps, barycentrics[n, 1] * steps
        i = min(max(int(u), 0), steps - 1)
        j = min(max(int(v), 0), steps - 1 - i)
        u, v, turn, sign = u - np.float32(i), v - np.float32(j), 0, np.float32(steps)
        if u + v > 1.0 and i + j < steps - 1:
            # The far half of the square (i, j) is a triangle of its own, turned about.
            u, v, turn, sign = np.float32(1.0) - u, np.float32(1.0) - v, 1, -sign
        a, b, c = i + turn, i + 1 - turn, i + turn
        origin = samples[face[n], a * (2 * steps + 3 - a) // 2 + j + turn]
        first = samples[face[n], b * (2 * steps + 3 - b) // 2 + j + turn]
        second = samples[face[n], c * (2 * steps + 3 - c) // 2 + j + 1 - turn]
        for k in range(3):
            base = linear[origin[k]]
            albedo[n, k] = base + u * (linear[first[k]] - base) + v * (linear[second[k]] - base)
        slopes[n, 0] = sign * (np.float32(first[3]) - np.float32(origin[3]))
        slopes[n, 1] = sign * (np.float32(second[3]) - np.float32(origin[3]))


@compile_kernel
@no_type_check
def bend_normals(normals, slopes, face, faces, vertices, steepest, out):
    """Normals less the height's gradient along the surface, which is at most `steepest`; not unit vectors."""
    for n in range(len(face)):
        a, b, c = faces[face[n], 0], faces[face[n], 1], faces[face[n], 2]
        x, y, z = vertices[c, 0], vertices[c, 1], vertices[c, 2]
        p, q, r = vertices[a, 0] - x, vertices[a, 1] - y, vertices[a, 2] - z
        s, t, w = vertices[b, 0] - x, vertices[b, 1] - y, vertices[b, 2] - z
        pp, ps, ss = p * p + q * q + r * r, p * s + q * t + r * w, s * s + t * t + w * w
        area = max(pp * ss - ps * ps, np.float32(1e-14))
        # The gradient is the vector of the face's plane whose products with its sides are the slopes.
        along = (ss * slopes[n, 0] - ps * slopes[n, 1]) / area
        across = (pp * slopes[n, 1] - ps * slopes[n, 0]) / area
        x, y, z = along * p + across * s, along * q + across * t, along * r + across * w
        scale = min(np.float32(1.0), steepest / max(np.sqrt(x * x + y * y + z * z), np.float32(1e-12)))
        out[n, 0] = normals[n, 0] - scale * x
        out[n, 1] = normals[n, 1] - scale * y
        out[n, 2] = normals[n, 2] - scale * z
