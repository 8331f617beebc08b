from __future__ import annotations

import subprocess
import sys

LIGHT = ("training.labels", "training.evaluate", "training.estimator", "training.estimator_json", "training.gate")
HEAVY = ("pandas", "sklearn", "scipy", "lightgbm", "mlflow", "matplotlib", "pyarrow", "duckdb", "bentoml", "evidently")


def test_what_serving_shares_with_training_loads_nothing_heavy() -> None:
    code = f"import sys, {', '.join(LIGHT)}; print([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
