"""Runs the reference's adapter with a defect: ``defective.py DEFECT ADAPTER [ARGUMENT…]``."""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from fuzz.defects import DEFECTS

DEFECTS[sys.argv[1]]()
sys.argv = sys.argv[2:]
sys.path[0] = str(Path(sys.argv[0]).parent)
runpy.run_path(sys.argv[0], run_name="__main__")
