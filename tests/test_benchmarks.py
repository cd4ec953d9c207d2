import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_the_benchmark_runs_on_the_lesson_and_names_its_peers():
    script = Path(__file__).parents[1] / "benchmarks" / "convolution.py"
    done = subprocess.run([sys.executable, script, "--quick"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for peer in ("torch", "products", "naive loops", "extra memory"):
        assert peer in done.stdout
