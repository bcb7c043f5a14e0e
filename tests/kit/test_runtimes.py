"""The pinned runtimes: fetched from a registry, checked, unpacked, found by a subject description."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from channelkit import resources
from channelkit.cli import matrix
from channelkit.cli.main import main
from channelkit.judge import subjects
from channelkit.runtimes import fetch, pinned

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = b"#!/bin/sh\necho v20.0.0\n"
ROOT = Path(__file__).resolve().parents[2]


def package(path: Path, member: str = "package/bin/node") -> str:
    """Writes a package and returns its integrity."""
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo(member)
        entry.size = len(PROGRAM)
        archive.addfile(entry, io.BytesIO(PROGRAM))
    return "sha512-" + base64.b64encode(hashlib.sha512(path.read_bytes()).digest()).decode()


@pytest.fixture
def registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A registry with a single package, a list with a single runtime, an empty cache."""
    folder = tmp_path / "registry"
    integrity = package(folder / "@scope" / "tiny" / "-" / "tiny-20.0.0.tgz")
    entry = {"package": "@scope/tiny", "version": "20.0.0", "integrity": integrity, "binary": "bin/node"}
    content: dict[str, Any] = {
        "runtimes": [
            {"name": "node@20", "packages": {pinned.platform_name(): entry}},
            {"name": "bun", "packages": {"plan9-mips": entry}},
            {"name": "deno", "packages": {pinned.platform_name(): {**entry, "integrity": "sha512-AAAA"}}},
        ]
    }
    (tmp_path / "runtimes.json").write_text(json.dumps(content), "utf-8")
    monkeypatch.setattr(pinned, "find", lambda name: tmp_path / name)
    monkeypatch.setenv("CHANNELKIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("npm_config_registry", folder.as_uri() + "/")
    pinned.runtimes.cache_clear()
    yield folder
    pinned.runtimes.cache_clear()


def test_a_runtime_is_fetched_once_and_verified(registry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runtimes", "fetch", "node@20"]) == 0
    program = pinned.named("node@20").path
    assert program.read_bytes() == PROGRAM
    assert program.stat().st_mode & 0o111
    (registry / "@scope" / "tiny" / "-" / "tiny-20.0.0.tgz").unlink()
    assert main(["runtimes", "fetch", "node@20"]) == 0
    assert main(["runtimes", "verify", "node@20"]) == 0
    program.write_bytes(b"something else")
    assert main(["runtimes", "verify", "node@20"]) == 3
    assert "CHANGED" in capsys.readouterr().out


def test_other_bytes_than_the_pinned_ones_are_refused(registry: Path) -> None:
    with pytest.raises(fetch.FetchError, match="not the pinned bytes"):
        fetch.fetch(pinned.named("deno"))
    assert not pinned.named("deno").is_there
    assert list(pinned.cache_directory().iterdir()) == []


def test_what_is_absent_is_said_to_be_absent(registry: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runtimes"]) == 0
    printed = capsys.readouterr().out
    assert "node@20     20.0.0     absent" in printed
    assert f"no package for {pinned.platform_name()}" in printed
    assert main(["runtimes", "fetch", "bun"]) == 3
    assert main(["runtimes", "fetch", "node@7"]) == 2


def test_a_description_names_a_runtime(registry: Path, tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    entry = {"name": "one", "role": "child", "rung": 0, "command": ["{node@20}", "echo.cjs"]}
    path.write_text(json.dumps(entry), "utf-8")
    assert "channelkit runtimes fetch node@20" in subjects.from_path(path)[0].problem
    fetch.fetch(pinned.named("node@20"))
    found = subjects.from_path(path)[0]
    assert (found.problem, found.command[0]) == ("", str(pinned.named("node@20").path))


def test_the_registry_is_the_one_npm_would_use(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("npm_config_registry", raising=False)
    monkeypatch.delenv("NPM_CONFIG_REGISTRY", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".npmrc").write_text("fund=false\nregistry = https://mirror.example/npm/\n", "utf-8")
    assert fetch.registry() == "https://mirror.example/npm"


def test_the_list_is_whole() -> None:
    content = json.loads(resources.find("runtimes.json").read_text("utf-8"))
    names = [one["name"] for one in content["runtimes"]]
    assert {f"node@{major}" for major in range(12, 27, 2)} | {"bun", "deno"} <= set(names)
    schema = json.loads((ROOT / "schemas" / "kit" / "runtimes.json").read_text("utf-8"))
    Draft202012Validator(schema).validate(content)
    for one in content["runtimes"]:
        assert "linux-x64" in one["packages"], one["name"]


def test_a_runtime_too_old_for_the_driven_adapter_is_judged_as_an_echo_child() -> None:
    found = {one.name: one for one in matrix.subjects(["node@4", "node@6"], others=False)}
    assert [name for name in found if name.startswith("node@4-")] == ["node@4-child"]
    assert found["node@4-child"].rung == 0
    assert found["node@4-child"].command[-1].endswith("echo.cjs")
    assert {one.rung for name, one in found.items() if name.startswith("node@6-")} == {0, 2, 3}
