"""What the repository holds, and how large its files may grow."""

import pytest
from django.conf import settings
from django.utils.module_loading import import_string

LONGEST = 300
TOP = [
    *("manage.py", "pyproject.toml", "Makefile", "compose.yaml", ".ci/run"),
    *("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "LICENSE"),
    *("improvement", "reviews", "templates", "static", "tests", "docs"),
]
FOLDERS = ("improvement", "reviews", "tests", "templates", "static/js")


def source_files():
    for folder in FOLDERS:
        for path in sorted((settings.BASE_DIR / folder).rglob("*")):
            if path.suffix in {".py", ".html", ".js"} and "migrations" not in path.parts:
                yield path


def test_no_file_is_longer_than_300_lines():
    lengths = {str(p): len(p.read_text().splitlines()) for p in source_files()}
    assert {path: n for path, n in lengths.items() if n > LONGEST} == {}


@pytest.mark.parametrize("name", TOP)
def test_the_top_level_holds(name):
    assert (settings.BASE_DIR / name).exists()


def test_the_licence_is_apache_2():
    text = (settings.BASE_DIR / "LICENSE").read_text()
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text


def test_the_ci_runs_the_tests():
    script = settings.BASE_DIR / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert "make test" in script.read_text()


@pytest.mark.parametrize("name", settings.PAWL_ENVIRONMENTS)
def test_every_environment_can_be_made(name):
    environment = import_string(settings.PAWL_ENVIRONMENTS[name])()
    assert environment.name == name


def test_every_room_of_python_is_a_package():
    folders = {path.parent for path in source_files() if path.suffix == ".py"}
    assert [str(f) for f in folders if not (f / "__init__.py").exists()] == []
