import sys
from pathlib import Path

# The benchmarks are scripts: they import each other as neighbours, not as a package.
sys.path.append(str(Path(__file__).parents[3] / "benchmarks"))
