"""Makes `.venv` and installs the locked packages into it. Runs before there is any package."""

import subprocess
import sys
import venv
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
FOLDER = CHECKOUT / ".venv"
PYTHON = FOLDER / "bin" / "python"
LOCKS = CHECKOUT / "requirements"
OLDEST_PYTHON = (3, 11)


def install() -> None:
    """Create the environment if it is missing, then bring its packages to what the lock files say."""
    if sys.version_info < OLDEST_PYTHON:
        sys.exit(
            "waybill: Python 3.11 or newer is needed; install it, or name it: PYTHON=/path/to/python make"
        )
    if not _works("-c", ""):
        _create()
    if not _works("-m", "uv", "--version"):
        _say("installing uv")
        _run("-m", "pip", "install", "--quiet", "--require-hashes", "-r", str(LOCKS / "uv.lock"), needs="uv")
    _say("installing the locked packages into .venv")
    # uv belongs to the environment too: a plain sync would remove what no lock file names.
    locks = [str(LOCKS / name) for name in ("dev.lock", "uv.lock")]
    _run("-m", "uv", "pip", "sync", "--quiet", "--require-hashes", *locks, needs="the packages")


def _create() -> None:
    _say("making .venv")
    try:
        venv.create(FOLDER, with_pip=True, clear=True)
    except (subprocess.CalledProcessError, ImportError):
        sys.exit("waybill: this Python has no ensurepip. On Debian and Ubuntu: apt-get install python3-venv")
    except OSError as error:
        sys.exit(f"waybill: cannot make {FOLDER}: {error.strerror}. Make room, or check who may write there.")


def _works(*arguments: str) -> bool:
    if not PYTHON.exists():
        return False
    return subprocess.run([PYTHON, *arguments], capture_output=True, check=False).returncode == 0


def _run(*arguments: str, needs: str) -> None:
    if subprocess.run([PYTHON, *arguments], cwd=CHECKOUT, check=False).returncode:
        sys.exit(
            f"waybill: could not install {needs}. Check the network and the lines above, and start again."
        )


def _say(line: str) -> None:
    print(f"waybill: {line}", flush=True)


if __name__ == "__main__":
    install()
