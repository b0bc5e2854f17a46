"""The programs that are measured: of XD_BIN if that is set, else a release build that is brought up to date."""

import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def build():
    if "XD_BIN" in os.environ:
        return
    subprocess.run([os.path.join(ROOT, "tools/install-packages"), "build", "bench"], check=True, stdout=sys.stderr)
    subprocess.run(["cmake", "--preset", "release"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["cmake", "--build", "--preset", "release", "--target", "crossdock", "crossdock-bench", "crossdock-broker",
                    "crossdock-matcher"], cwd=ROOT, check=True, stdout=sys.stderr)
    os.environ["XD_BIN"] = os.path.join(ROOT, "build/release/bin")
