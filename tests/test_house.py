"""Rules of the repository itself. Each check is a function with a control: something bad that it catches."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from importlib.metadata import distribution, requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import matcher

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TARGETS = {"setup", "test", "test-deep", "demo", "bench", "clean", "help"}
UNPICKLING = {"pickle", "_pickle", "dill", "cloudpickle", "shelve", "marshal"}
COMPILERS = re.compile(r"\b(build-essential|gcc|g\+\+|clang|make|cmake|rustc|cargo|gfortran|python3-dev)\b")
MACHINE_PATH = re.compile(r"(?<![\w.}])/(?:root|home|tmp|work|Users|mnt)/[a-z]")


def shipped_files() -> list[Path]:
    """Return what git tracks, or would track."""
    git = shutil.which("git")
    assert git, "git is needed to know which files are tracked"
    listed = subprocess.run(
        [git, "-C", str(ROOT), "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def texts() -> Iterator[tuple[str, str]]:
    for path in shipped_files():
        raw = path.read_bytes()
        if b"\0" not in raw:
            yield path.relative_to(ROOT).as_posix(), raw.decode("utf-8", "replace")


class TestMakefile:
    @staticmethod
    def targets(makefile: str) -> dict[str, str]:
        rules = re.findall(r"^([a-z][a-z-]*):(?!=)(.*)$", makefile, flags=re.MULTILINE)
        return {name: rest.partition("## ")[2].strip() for name, rest in rules}

    def test_every_target_has_a_help_line(self):
        targets = self.targets((ROOT / "Makefile").read_text())
        assert set(targets) >= TARGETS
        assert [name for name, line in targets.items() if not line] == []

    def test_a_target_without_one_is_caught(self):
        assert self.targets("a: ## does a\n\tx\nb-c: a\n\ty\n") == {"a": "does a", "b-c": ""}

    def test_help_is_what_make_alone_prints(self):
        make = shutil.which("make")
        assert make
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        printed = subprocess.run([make, "-C", str(ROOT)], check=True, capture_output=True, text=True, env=clean).stdout
        for name in TARGETS:
            assert re.search(rf"^  make {name} +\S", printed, flags=re.MULTILINE), name

    def test_ci_runs_make_test_and_nothing_else(self):
        lines = (ROOT / ".ci" / "run").read_text().splitlines()
        assert lines[:2] == ["#!/usr/bin/env bash", "set -euo pipefail"]
        assert lines[-1] == "make test"
        # What comes before installs what the tests need, and runs none.
        assert not [line for line in lines[:-1] if re.search(r"\bmake\b|pytest|ruff|mypy", line)]
        assert os.access(ROOT / ".ci" / "run", os.X_OK)


class TestConstraints:
    LINES = (ROOT / "constraints.txt").read_text().splitlines()

    @staticmethod
    def faults(lines: Iterable[str]) -> list[str]:
        exact = re.compile(r"[A-Za-z0-9][\w.-]*==\d[\w.]*")
        return [line for line in lines if line and not line.startswith("#") and not exact.fullmatch(line)]

    def pins(self) -> dict[str, Version]:
        pairs = (line.split("==") for line in self.LINES if line and not line.startswith("#"))
        return {re.sub(r"[-_.]+", "-", name).lower(): Version(number) for name, number in pairs}

    def test_only_exact_pins(self):
        assert self.faults(self.LINES) == []

    @pytest.mark.parametrize(
        "line",
        [
            "numpy",
            "numpy>=2",
            "numpy @ file:///wheels/numpy.whl",
            "-e .",
            "--index-url https://example.org",
            "a==1+cpu",
        ],
    )
    def test_anything_else_is_caught(self, line):
        assert self.faults([line]) == [line]

    def test_everything_asked_for_is_pinned_within_its_bounds(self):
        project = PYPROJECT["project"]
        extras = project["optional-dependencies"].values()
        asked = [*project["dependencies"], *(line for lines in extras for line in lines)]
        pins = self.pins()
        for requirement in map(Requirement, [*asked, *PYPROJECT["build-system"]["requires"]]):
            name = re.sub(r"[-_.]+", "-", requirement.name).lower()
            assert name in pins, f"{requirement} has no pin"
            assert requirement.specifier.contains(pins[name]), f"{requirement} is pinned to {pins[name]}"

    def test_what_is_installed_needs_nothing_that_is_not_pinned(self):
        pins = self.pins()
        todo, seen = ["peermatch"], set()
        while todo:
            name = todo.pop()
            if name in seen:
                continue
            seen.add(name)
            for requirement in map(Requirement, requires(name) or ()):
                extra = "dev" if name == "peermatch" else ""
                if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                    todo.append(re.sub(r"[-_.]+", "-", requirement.name).lower())
        assert seen - set(pins) == {"peermatch"}

    def test_no_giants(self):
        assert not set(self.pins()) & {"torch", "torchvision", "tensorflow", "jax"}


class TestDockerfile:
    """There is no Docker where the tests run, so the file is read."""

    @staticmethod
    def stages(text: str) -> list[list[tuple[str, str]]]:
        joined = re.sub(r"\\\n", " ", text)
        lines = [line.strip() for line in joined.splitlines() if line.strip() and not line.lstrip().startswith("#")]
        stages: list[list[tuple[str, str]]] = []
        for line in lines:
            instruction, _, rest = line.partition(" ")
            if instruction == "FROM":
                stages.append([])
            stages[-1].append((instruction, rest.strip()))
        return stages

    def faults(self, text: str) -> set[str]:
        stages = self.stages(text)
        last = dict(stages[-1])
        found = set()
        if len(stages) < 2 or not any("--from=" in rest for name, rest in stages[-1] if name == "COPY"):
            found.add("one stage")
        if last.get("USER", "root").split(":")[0] in {"root", "0"}:
            found.add("root")
        if "/__lbheartbeat__" not in last.get("HEALTHCHECK", ""):
            found.add("no health check")
        if any(COMPILERS.search(rest) for name, rest in stages[-1] if name == "RUN"):
            found.add("compiler")
        return found

    def test_is_sound(self):
        text = (ROOT / "Dockerfile").read_text()
        assert self.faults(text) == set()
        last = dict(self.stages(text)[-1])
        assert last["EXPOSE"] == "8000"
        assert last["VOLUME"] == "/var/lib/peermatch"
        assert '"serve", "--host", "0.0.0.0"' in last["CMD"]
        assert any("PEERMATCH_HOME=/var/lib/peermatch" in rest for _, rest in self.stages(text)[-1])

    def test_what_it_copies_is_there_and_not_ignored(self):
        let_in = [line[1:].rstrip("/") for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] == "!"]
        for instruction, rest in self.stages((ROOT / "Dockerfile").read_text())[0]:
            for name in rest.split()[:-1] if instruction == "COPY" else ():
                assert (ROOT / name).exists(), name
                assert name in let_in

    def test_python_is_one_that_is_supported(self):
        minor = re.findall(r"^FROM python:(3\.\d+)-slim", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
        assert set(minor) == {PYPROJECT["project"]["requires-python"].removeprefix(">=")}

    def test_a_bad_one_is_caught(self):
        bad = "FROM python:3.11\nRUN apt-get update \\\n  && apt-get install gcc\nCMD serve\n"
        assert self.faults(bad) == {"one stage", "root", "no health check", "compiler"}
        sound = (ROOT / "Dockerfile").read_text()
        assert self.faults(sound.replace("USER 10001", "USER root")) == {"root"}
        assert self.faults(sound + "RUN apt-get install --yes build-essential\n") == {"compiler"}


class TestNoPickle:
    @staticmethod
    def faults(source: str) -> list[str]:
        """Return what in a module could unpickle, by line."""
        found = []
        for node in ast.walk(ast.parse(source)):
            names: set[str] = set()
            if isinstance(node, ast.Import):
                names = {alias.name.split(".")[0] for alias in node.names} & UNPICKLING
            elif isinstance(node, ast.ImportFrom):
                module = (node.module or "").split(".")[0]
                names = {module} & UNPICKLING
                if module == "joblib":
                    names |= {alias.name for alias in node.names} & {"load", "dump"}
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "joblib":
                names = {node.attr} & {"load", "dump"}
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in {"np.load", "numpy.load"}:
                asked = {word.arg: ast.unparse(word.value) for word in node.keywords}
                names = set() if asked.get("allow_pickle") == "False" else {"np.load without allow_pickle=False"}
            elif isinstance(node, ast.Attribute | ast.Name) and "read_pickle" in ast.unparse(node):
                names = {"read_pickle"}
            found += [f"line {node.lineno}: {name}" for name in names]
        return found

    def test_nothing_unpickles(self):
        modules = [*(ROOT / "matcher").rglob("*.py"), *(ROOT / "service").rglob("*.py")]
        assert modules
        found = {path.relative_to(ROOT).as_posix(): self.faults(path.read_text()) for path in modules}
        assert {name: faults for name, faults in found.items() if faults} == {}

    @pytest.mark.parametrize(
        "source",
        [
            "import pickle",
            "import pickle as p",
            "from pickle import loads",
            "import joblib\njoblib.load('x')",
            "from joblib import load",
            "import numpy as np\nnp.load('x')",
            "import numpy as np\nnp.load('x', allow_pickle=True)",
            "import pandas as pd\npd.read_pickle('x')",
            "def f():\n    import shelve",
        ],
    )
    def test_each_way_is_caught(self, source):
        assert self.faults(source)

    def test_the_sound_way_is_not(self):
        assert self.faults("import numpy as np\nnp.load('x', allow_pickle=False)\nfrom joblib import Parallel") == []


class TestFiles:
    def test_no_path_of_one_machine(self):
        found = {name: MACHINE_PATH.findall(text) for name, text in texts()}
        assert {name: paths for name, paths in found.items() if paths} == {}

    def test_no_address_of_a_registry(self):
        registry = re.compile(r"index-url|pypi\.org/simple|files\.pythonhosted|file:///")
        own = Path(__file__).relative_to(ROOT).as_posix()
        assert [name for name, text in texts() if name != own and registry.search(text)] == []

    @pytest.mark.parametrize("path", ["open('/ho" + "me/a/x.csv')", "see /ro" + "ot/main", "/tm" + "p/x"])
    def test_a_path_is_caught(self, path):
        assert MACHINE_PATH.search(path)

    @pytest.mark.parametrize(
        "path", ["/v1/members", "../shared/home/x", "/opt/peermatch", "https://example.org/home/x"]
    )
    def test_what_is_no_such_path_is_not(self, path):
        assert not MACHINE_PATH.search(path)

    def test_nothing_that_is_built_or_secret_is_tracked(self):
        names = [path.relative_to(ROOT).as_posix() for path in shipped_files()]
        assert [name for name in names if name.startswith((".venv/", "var/")) or name.endswith((".npz", ".key"))] == []

    def test_the_licence_is_apache_2_in_full(self):
        text = (ROOT / "LICENSE").read_text()
        assert "Apache License" in text
        assert "Version 2.0, January 2004" in text
        assert "9. Accepting Warranty or Additional Liability" in text
        assert PYPROJECT["project"]["license"] == "Apache-2.0"

    def test_the_documents_are_there(self):
        for name in ("README.md", "CHANGELOG.md", "SECURITY.md"):
            assert (ROOT / name).read_text().strip(), name

    def test_decisions_are_numbered_without_gap(self):
        numbers = sorted(int(path.name[:4]) for path in (ROOT / "docs" / "decisions").glob("[0-9]*.md"))
        assert numbers == list(range(1, len(numbers) + 1))


class TestVersion:
    def test_one_number_everywhere(self):
        assert Version(matcher.__version__)
        assert version("peermatch") == matcher.__version__, "run: make -B setup"
        assert matcher.__version__ in (ROOT / "CHANGELOG.md").read_text()
        series = ".".join(matcher.__version__.split(".")[:2])
        assert f"| {series}.x | yes |" in (ROOT / "SECURITY.md").read_text()

    def test_one_oldest_python(self):
        oldest = PYPROJECT["project"]["requires-python"].removeprefix(">=")
        assert PYPROJECT["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")

    def test_the_command_is_installed(self):
        commands = {point.name: point.value for point in distribution("peermatch").entry_points}
        assert commands["peermatch"] == "service.cli:main"
