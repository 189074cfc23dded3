"""What can be run: `nox -s tests integration faults lint types docs bench`; no name: the first."""

import os

import nox

nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["tests"]
nox.needs_version = ">=2025.2.9"

PROJECT = nox.project.load_toml("pyproject.toml")
CONSTRAINTS = ("-c", "constraints.txt")


def group(*names: str) -> tuple[str, ...]:
    return nox.project.dependency_groups(PROJECT, *names)


def install(session: nox.Session, *groups: str) -> None:
    session.install(*CONSTRAINTS, "-e", ".[testing]", *group(*groups))


@nox.session
def tests(session: nox.Session) -> None:
    """Units, contracts on the embedded adapters, and short journeys: under five minutes."""
    install(session, "test")
    args = session.posargs or [
        "-n", "auto", "--dist", "loadgroup", "-m", "not faults",
        "--cov", "--cov-report=term:skip-covered",
    ]  # fmt: skip
    session.run("pytest", *args)


@nox.session
def integration(session: nox.Session) -> None:
    """Whole journeys and short kill loops, on real servers; those that no package has are built
    once, into a cache.
    """
    install(session, "test")
    session.run("python", "tests/integration/services/programs.py", "minio", "versitygw")
    session.run("pytest", "-n", "auto", "tests/integration", "-m", "not faults", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Kills, crashes and simulated schedules at length. `-- long`: the longest form."""
    install(session, "test")
    args = list(session.posargs)
    length = "long" if "long" in args else "full"
    args = [arg for arg in args if arg != "long"]
    session.run(
        "pytest",
        "-m",
        "faults",
        "--timeout=3600",
        "-s",
        *args,
        env={"DOCSTORE_TEST_FAULTS": length},
    )


@nox.session
def lint(session: nox.Session) -> None:
    """Style, complexity, and the direction of imports."""
    install(session, "lint", "test")
    session.run("ruff", "format", "--check", ".")
    session.run("ruff", "check", ".")
    session.run("lint-imports", "--no-cache")


@nox.session
def types(session: nox.Session) -> None:
    """mypy, strict, on the package and its tests."""
    install(session, "types", "test", "docs")
    session.install(*CONSTRAINTS, "nox")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """Run every example in the documents, and build the reference."""
    install(session, "test", "docs")
    session.run("pytest", "tests/unit/docs", *session.posargs)
    session.run("python", "docs/reference.py", "build/reference")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure, as ratios within one run."""
    install(session, "test")  # of which clusters need the servers
    session.run("python", "benchmarks/run.py", *session.posargs, env=dict(os.environ))
