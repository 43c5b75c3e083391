"""A server whose weights are not here yet: it fetches them by itself, and says how far it is and what is in the way."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from medserver.config import Settings
from medserver.hub import places, record
from medserver.weights import serving_for
from tests.hub.standin import COMMIT, GOOD, REPO, StandIn, servable
from tests.serving import Running

checkpoint = pytest.fixture(scope="module")(servable)


def serving(environment: dict[str, str], **changed: str) -> Running:
    kept = {name: value for name, value in environment.items() if name.startswith(("HF_", "HOME", "NO_PROXY"))}
    return Running("-m", "4", "--engine", "transformers", env=kept | changed)


def test_the_first_start_downloads_and_the_second_asks_nobody(checkpoint, environment):
    with StandIn(checkpoint) as hub:
        hub.habits.gated, hub.habits.bytes_per_second = True, 300_000
        hub.habits.cuts = {"model.safetensors": [1_000_000]}
        environment["HF_ENDPOINT"] = hub.url
        with serving(environment, HF_TOKEN=GOOD) as running:
            far = running.until(lambda health: (health["loading"] or {}).get("stage") == "download")
            assert far["status"] == "loading" and far["engine"]["why"] is None
            assert 0 <= far["loading"]["done"] <= far["loading"]["total"]
            assert far["loading"]["total"] == sum(map(len, checkpoint.values()))
            assert running.client.get("/").status_code == 200, "the page is there all the while"
            assert running.chat().json()["code"] == "loading"
            hub.habits.bytes_per_second = 100_000_000
            running.until_ready()
            assert running.chat(max_tokens=4, stream=False).status_code == 200
            running.process.terminate()
            assert "Downloading: " in running.process.communicate(timeout=60)[0], "the terminal says it too"
        assert hub.served["model.safetensors"] == len(checkpoint["model.safetensors"]), "nothing was fetched twice"
        hub.asked.clear()
        with serving(environment) as running:
            running.until_ready()
        assert not hub.asked


@pytest.mark.parametrize(
    ("habits", "environ", "words"),
    [
        ({"gated": True}, {}, ["HF_TOKEN=", "[no_token]"]),
        ({}, {"HF_HUB_OFFLINE": "1"}, ["HF_HUB_OFFLINE is set", "[offline]"]),
    ],
)
def test_what_keeps_the_weights_away_is_said_as_the_download_says_it(checkpoint, environment, habits, environ, words):
    with StandIn(checkpoint) as hub:
        vars(hub.habits).update(habits)
        environment["HF_ENDPOINT"] = hub.url
        with serving(environment, **environ) as running:
            health = running.until(lambda health: health["engine"]["state"] == "failed")
            assert health["status"] == "error" and all(word in health["engine"]["why"] for word in words), health
            assert running.chat().json()["code"] == "engine_down"
            assert [one for one in running.children() if "medserver.hub.arrival" in one.cmdline()] == []


def test_a_download_ends_with_its_server(checkpoint, environment):
    with StandIn(checkpoint) as hub:
        hub.habits.bytes_per_second = 100_000
        environment["HF_ENDPOINT"] = hub.url
        with serving(environment) as running:
            running.until(lambda health: (health["loading"] or {}).get("stage") == "download")
            [child] = [one for one in running.children() if "medserver.hub.arrival" in one.cmdline()]
            running.process.kill()
            child.wait(10)


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """A folder of the Hub's cache as another program leaves it: everything there, nothing recorded."""
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    folder = places.snapshot(REPO, COMMIT)
    folder.mkdir(parents=True)
    places.remember(REPO, "main", COMMIT)
    (folder / "config.json").write_text('{"model_type": "gemma3"}')
    (folder / "tokenizer.json").write_text("{}")
    shards = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    for shard in shards.values():
        (folder / shard).write_bytes(b"12345678")
    return folder


def test_whole_weights_are_served_by_their_path(cache):
    assert places.servable(REPO) == cache
    assert serving_for(Settings(model="4")).source == str(cache)
    assert not serving_for(Settings(model="4", upstream=("http://gpu-1:8000/",))).here, "an upstream needs none here"


@pytest.mark.parametrize("broken", ["shard", "index", "record"])
def test_weights_that_are_not_whole_are_fetched_again(cache, broken):
    if broken == "shard":
        (cache / "model-2.safetensors").unlink()
    elif broken == "index":
        (cache / "model.safetensors.index.json").write_text("{")
    else:
        file = record.File("model-1.safetensors", 8, "sha256:0", "0")
        record.Record(REPO, "main", COMMIT, (file,)).write(cache)
        assert places.servable(REPO) == cache
        os.truncate(cache / "model-1.safetensors", 3)
    assert places.servable(REPO) is None
    assert not serving_for(Settings(model="4")).here


@pytest.mark.parametrize(
    "environ",
    [{}, {"HF_HOME": "/srv/hf"}, {"XDG_CACHE_HOME": "/srv/cache"}, {"HF_HUB_CACHE": "~/hub", "HF_HOME": "/srv/hf"}],
)
def test_the_cache_is_where_the_library_has_it(environ, monkeypatch):
    for name in ("HF_HOME", "XDG_CACHE_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    code = (
        "from huggingface_hub.constants import HF_HUB_CACHE\n"
        "from huggingface_hub.file_download import repo_folder_name\n"
        f"print(HF_HUB_CACHE, repo_folder_name(repo_id={REPO!r}, repo_type='model'), sep='/')"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert places.snapshot(REPO, COMMIT) == Path(said.strip(), "snapshots", COMMIT)
