"""Programs of the benchmark import each other from their own folder."""

import sys

from support.project import ROOT

sys.path.append(str(ROOT / "benchmarks"))
