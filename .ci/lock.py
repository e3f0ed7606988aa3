"""Whether requirements.lock still answers to pyproject.toml; asks nobody, so it works without a network."""

import re
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
HOST = re.compile(r"https?://|^--(?:extra-)?index-url", re.MULTILINE)


def main() -> int:
    """Print each disagreement; 1 if there is one."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lock = (ROOT / "requirements.lock").read_text()
    pins = {canonicalize_name(name): Version(version) for name, version in PIN.findall(lock)}
    wrong = []
    for line in [*project["dependencies"], *project["optional-dependencies"]["dev"]]:
        wanted = Requirement(line)
        pin = pins.get(canonicalize_name(wanted.name))
        if pin is None:
            wrong.append(f"{wanted} is not in requirements.lock")
        elif not wanted.specifier.contains(pin, prereleases=True):
            wrong.append(f"{wanted} is locked at {pin}")
    if HOST.search(lock):
        wrong.append("requirements.lock names a download host")
    for line in wrong:
        print(f"{line}; run `make lock`", file=sys.stderr)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
