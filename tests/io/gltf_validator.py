"""Khronos' validator, where node and the npm package gltf-validator are there."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

VALIDATE = """
const validator = require('gltf-validator');
const data = new Uint8Array(require('fs').readFileSync(0));
validator.validateBytes(data).then(report => console.log(JSON.stringify(report.issues)));
"""


def validation_issues(data: bytes) -> dict[str, Any]:
    """The Khronos validator's report; skips where node or the package is missing."""
    folder = os.environ.get("FARM3D_GLTF_VALIDATOR")
    if (
        shutil.which("node") is None
        or folder is None
        or not (Path(folder) / "node_modules/gltf-validator").is_dir()
    ):
        pytest.skip("FARM3D_GLTF_VALIDATOR does not name a folder with node_modules/gltf-validator")
    run = subprocess.run(["node", "-e", VALIDATE], input=data, cwd=folder, capture_output=True, check=True)
    return json.loads(run.stdout)
