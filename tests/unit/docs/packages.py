"""Packages that exist only on a page, made to look installed."""

import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import docstore
from unit.docs.pages import files


def install(page: str, folder: Path) -> None:
    """Write the page's files into `folder`, and what pip would have made of its pyproject.toml."""
    found = files(page)
    project = tomllib.loads(found.pop("pyproject.toml"))["project"]
    for name, text in found.items():
        (folder / name).write_text(text)
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n"
    )
    info.joinpath("entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{name} = {target}\n" for name, target in points.items())
            for group, points in project["entry-points"].items()
        )
    )


@contextmanager
def installed(page: str, folder: Path) -> Iterator[None]:
    """While inside, this process finds the page's package as it finds every other."""
    install(page, folder)
    known = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in {module for module in sys.modules if module not in known}:
            if (folder / f"{name}.py").exists():
                del sys.modules[name]


def own_tests(page: str, folder: Path) -> str:
    """Run the tests that stand on the page, in a process of their own; tell what pytest said."""
    install(page, folder)
    folder.joinpath("pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    source = str(Path(docstore.__file__).parents[1])
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "."],
        cwd=folder,
        env={"PYTHONPATH": f"{folder}:{source}", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=110,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout
