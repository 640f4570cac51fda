"""Print every skipped test of a pytest run, and fail where one that must run was skipped or is missing.

Usage: skipped_tests.py REPORT.xml REQUIRED.txt. A line of REQUIRED.txt is a test as pytest names it
(tests/io/test_gltf.py::test_name, all its parameters); empty lines and lines that begin with # are skipped.
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def main(report: Path, required_file: Path) -> int:
    cases = list(ElementTree.parse(report).iter("testcase"))
    skipped = {name_of(case): case.find("skipped") for case in cases if case.find("skipped") is not None}
    for name, skip in sorted(skipped.items()):
        sys.stdout.write(f"skipped: {name}: {' '.join((skip.get('message') or '').split())}\n")
    sys.stdout.write(f"{len(cases)} tests, {len(skipped)} skipped\n")
    ran = {without_parameters(name_of(case)) for case in cases}
    left_out = {without_parameters(name) for name in skipped}
    problems = 0
    for required in required_tests(required_file):
        if required not in ran or required in left_out:
            what = "was skipped" if required in left_out else "is missing"
            sys.stdout.write(f"required test {what}: {required}\n")
            problems += 1
    return 1 if problems else 0


def name_of(case: ElementTree.Element) -> str:
    """tests.io.test_gltf and test_x[1] as pytest names them: tests/io/test_gltf.py::test_x[1]."""
    return f"{(case.get('classname') or '').replace('.', '/')}.py::{case.get('name')}"


def without_parameters(name: str) -> str:
    return name.partition("[")[0]


def required_tests(file: Path) -> list[str]:
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
