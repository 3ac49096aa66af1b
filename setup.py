"""Finds the packages: every folder below these four and `renaissance` is one."""

from setuptools import find_namespace_packages, setup

FOLDERS = {
    "renaissance": "renaissance",
    # At the top of the repository; in a checkout `renaissance` also holds links to them.
    "renaissance.compiler": "compiler",
    "renaissance.grammar": "grammar",
    "renaissance.runtime": "runtime",
    "renaissance.specs": "specs",
}


def packages() -> list[str]:
    """Return the names of all packages, with or without the links."""
    found = set(FOLDERS)
    for name, folder in FOLDERS.items():
        below = find_namespace_packages(folder, exclude=["__pycache__", "*.__pycache__"])
        found.update(f"{name}.{package}" for package in below)
    return sorted(found)


setup(packages=packages(), package_dir=FOLDERS)
