# SPDX-License-Identifier: Apache-2.0
"""The compiled contracts, the chains of the tests and what the tests know of both, for a bench to import."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
OUT = ROOT / "build" / "contracts"


def use() -> None:
    """Builds them; from then on the modules of contracts/test and tests/ethereum can be imported."""
    subprocess.run([ROOT / "contracts" / "install", OUT], check=True, stdout=sys.stderr)
    os.environ["BW_CONTRACTS_BUILD"] = str(OUT)
    for path in (ROOT / "contracts" / "test", ROOT / "tests" / "ethereum"):
        if str(path) not in sys.path:
            sys.path.insert(0, str(path))
