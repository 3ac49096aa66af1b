"""What nobody knows and no hub answers for is said after one look, by every verb."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import renaissance
from renaissance.cli import main
from renaissance.compiler.backbones.hub import look_for_hub
from renaissance.compiler.errors import BackboneError
from tests.tiny import write_easy_vqa

SPEC = """model tiny {{
  backbone text   = {text}
  backbone vision = {vision}
  fusion cross = cross_attention(text, vision) {{ layers = 1, width = 8, heads = 2 }}
}}
data pairs {{ format = easy_vqa, root = "vqa" }}
pretrain base on tiny {{
  data = [pairs]
  objective mlm
  optimizer adamw {{ lr = 1e-3 }}
  batch = 8
  steps = 1
}}
"""
TEXT = "plain_text { layers = 1, width = 8, heads = 2, vocabulary = 64 }"
VISION = "plain_vision { layers = 1, width = 8, heads = 2, image_size = 16, patch = 8 }"
UNKNOWN = {
    "text": 'huggingface("nobody/no-such-model") { max_tokens = 12 }',
    "vision": 'huggingface("nobody/no-such-model") { image_size = 16 }',
}


@pytest.fixture
def attempts(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """Addresses that a connection to was tried; none answers."""
    tried: list[Any] = []

    def refuse(_: socket.socket, address: Any) -> None:
        tried.append(address)
        raise ConnectionRefusedError("nobody listens")

    def resolve(_: object, port: object, *__: object, **___: object) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", resolve)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    look_for_hub.cache_clear()
    yield tried
    look_for_hub.cache_clear()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_easy_vqa(tmp_path / "vqa", train=4, test=4)
    return tmp_path


@pytest.mark.parametrize("stream", UNKNOWN)
@pytest.mark.parametrize("verb", ["plan", "train"])
def test_verbs_look_once(
    verb: str, stream: str, folder: Path, attempts: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    streams = {"text": TEXT, "vision": VISION} | {stream: UNKNOWN[stream]}
    (folder / "x.vl").write_text(SPEC.format(**streams))
    assert main([verb, "x.vl"]) != 0
    said = capsys.readouterr().err
    assert "`nobody/no-such-model`" in said and "the hub cannot be reached" in said
    assert len(attempts) == 1


@pytest.mark.parametrize("stream", UNKNOWN)
def test_building_looks_once(stream: str, folder: Path, attempts: list[Any]) -> None:
    streams = {"text": TEXT, "vision": VISION} | {stream: UNKNOWN[stream]}
    (folder / "x.vl").write_text(SPEC.format(**streams))
    with pytest.raises(BackboneError, match="cannot load `nobody/no-such-model`"):
        renaissance.build(folder / "x.vl")
    assert len(attempts) == 1
