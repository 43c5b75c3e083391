"""What a directory says it holds, before anything of it is loaded."""

import json

import pytest

from medserver.config import Settings
from medserver.models import IMAGE_SIZE, IMAGE_TOKENS, VARIANTS
from medserver.parse import BadSetting
from medserver.weights import serving_for


def checkpoint(directory, **configuration):
    (directory / "config.json").write_text(json.dumps(configuration))
    (directory / "model.safetensors").touch()
    return Settings(model="4", model_path=directory)


def test_the_demo_is_inside_the_package():
    serving = serving_for(Settings(model="demo"))
    assert serving.variant.demo and serving.supports_images and serving.note
    assert (serving.image_size, serving.image_tokens) == (112, 16)


@pytest.mark.parametrize("key", [key for key, variant in VARIANTS.items() if variant.hub_id])
def test_a_variant_of_the_hub_is_known_before_it_is_here(key, monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    serving = serving_for(Settings(model=key))
    assert serving.source == VARIANTS[key].hub_id
    assert serving.supports_images is (VARIANTS[key].modality == "image-text")
    assert (serving.image_size, serving.image_tokens, serving.note) == (IMAGE_SIZE, IMAGE_TOKENS, None)


def test_a_directory_decides_by_its_configuration_whether_it_takes_images(tmp_path):
    assert not serving_for(checkpoint(tmp_path, model_type="gemma3_text")).supports_images
    made = checkpoint(tmp_path, model_type="gemma3", vision_config={"image_size": 448}, mm_tokens_per_image=64)
    serving = serving_for(made)
    assert serving.supports_images and (serving.image_size, serving.image_tokens) == (448, 64)


def test_a_configuration_that_leaves_the_usual_out_means_the_usual(tmp_path):
    serving = serving_for(checkpoint(tmp_path, model_type="gemma3"))
    assert (serving.image_size, serving.image_tokens) == (IMAGE_SIZE, IMAGE_TOKENS)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"model_type": "llama"}', "{}"])
def test_what_is_no_checkpoint_is_refused_with_a_sentence(tmp_path, text):
    (tmp_path / "config.json").write_text(text)
    with pytest.raises(BadSetting, match="checkpoint"):
        serving_for(Settings(model="4", model_path=tmp_path))


def test_a_directory_without_weights_is_refused(tmp_path):
    settings = checkpoint(tmp_path, model_type="gemma3")
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(BadSetting, match="no weights"):
        serving_for(settings)


def test_a_demo_brings_its_samples_along_and_nothing_else_does(tmp_path):
    made = checkpoint(tmp_path, model_type="gemma3")
    listed = {"prompts": [{"text": "What changed?", "images": ["a.png", "b.png"]}]}
    (tmp_path / "samples.json").write_text(json.dumps(listed))
    assert serving_for(made).samples == ()
    demo = serving_for(Settings(model="demo", model_path=tmp_path))
    assert demo.samples == (("What changed?", ("a.png", "b.png")),)


def test_a_checkpoint_on_this_machine_is_as_large_as_its_files(tmp_path):
    made = checkpoint(
        tmp_path,
        model_type="gemma3_text",
        dtype="float32",
        num_hidden_layers=12,
        num_key_value_heads=2,
        head_dim=16,
        vocab_size=100,
        hidden_size=10,
        sliding_window=512,
    )
    (tmp_path / "model.safetensors").write_bytes(bytes(40_000))
    sizes = serving_for(made).sizes
    assert (sizes.weights, sizes.kv_per_token(), sizes.global_layers, sizes.window) == (20_000, 1536, 2, 512)
    assert sizes.weights_4bit == 2000 + int(18_000 * 0.258)
