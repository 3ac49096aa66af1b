"""Versions of what a run depends on, for logs, checkpoints and locks."""

import platform
from importlib.metadata import PackageNotFoundError, version

PACKAGES = (
    "renaissance-vl",
    "torch",
    "transformers",
    "timm",
    "datasets",
    "tokenizers",
    "safetensors",
    "numpy",
)


def versions() -> dict[str, str]:
    """Return the version of Python and of each package that is installed."""
    installed = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            installed[package] = version(package)
        except PackageNotFoundError:
            continue
    return installed
