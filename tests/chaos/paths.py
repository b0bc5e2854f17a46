"""Where the modules of the other tests are: the wire client of tests/integration, the rules of tests/checker."""

import pathlib
import sys

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS / "integration"), str(TESTS / "checker")]
