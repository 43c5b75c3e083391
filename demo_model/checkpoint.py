"""Assembles a Gemma-3 checkpoint of any small size: configuration, processor, chat template, random weights.

It knows the shapes of the real releases and nothing of training.
"""

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import (
    Gemma3Config,
    Gemma3ForCausalLM,
    Gemma3ForConditionalGeneration,
    Gemma3Processor,
    Gemma3TextConfig,
    GemmaTokenizer,
    GenerationConfig,
    SiglipVisionConfig,
)
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil

# Written from the behaviour of the released template: system text leads the first user turn, roles must
# alternate, an image part becomes one marker, text parts are trimmed and glued, the BOS is already here.
CHAT_TEMPLATE = """\
{{- bos_token -}}
{%- set prefix = namespace(text='') -%}
{%- set turns = messages -%}
{%- if messages and messages[0]['role'] == 'system' -%}
    {%- set content = messages[0]['content'] -%}
    {%- set prefix.text = (content if content is string else content[0]['text']) + '\n\n' -%}
    {%- set turns = messages[1:] -%}
{%- endif -%}
{%- for turn in turns -%}
    {%- if (turn['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{- raise_exception('Conversation roles must alternate user/assistant') -}}
    {%- endif -%}
    {{- '<start_of_turn>' + ('model' if turn['role'] == 'assistant' else turn['role']) + '\n' -}}
    {%- if loop.first -%}{{- prefix.text -}}{%- endif -%}
    {%- if turn['content'] is string -%}
        {{- turn['content'] | trim -}}
    {%- else -%}
        {%- for part in turn['content'] -%}
            {%- if part['type'] == 'image' -%}{{- '<start_of_image>' -}}
            {%- elif part['type'] == 'text' -%}{{- part['text'] | trim -}}{%- endif -%}
        {%- endfor -%}
    {%- endif -%}
    {{- '<end_of_turn>\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<start_of_turn>model\n' -}}{%- endif -%}
"""


@dataclass(frozen=True)
class Size:
    """Dimensions of a checkpoint. Widths in features, `image_size` and `patch_size` in pixels."""

    vocab_size: int = 2048
    hidden: int = 256
    layers: int = 5
    heads: int = 4
    kv_heads: int = 2
    head_dim: int = 64
    ffn: int = 768
    sliding_window: int = 512
    full_every: int = 3  # every so-manieth layer sees the whole context; 6 in the releases, which have more layers
    context: int = 8192
    image_size: int = 112
    patch_size: int = 14
    image_tokens: int = 16
    vision_hidden: int = 128
    vision_layers: int = 4
    vision_heads: int = 4
    vision_ffn: int = 320


def text_config(size: Size) -> Gemma3TextConfig:
    return Gemma3TextConfig(
        vocab_size=size.vocab_size,
        hidden_size=size.hidden,
        intermediate_size=size.ffn,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.kv_heads,
        head_dim=size.head_dim,
        query_pre_attn_scalar=size.head_dim,
        sliding_window=size.sliding_window,
        layer_types=[
            "sliding_attention" if (number + 1) % size.full_every else "full_attention" for number in range(size.layers)
        ],
        max_position_embeddings=size.context,
        architectures=["Gemma3ForCausalLM"],
    )


def multimodal_config(size: Size) -> Gemma3Config:
    return Gemma3Config(
        text_config=text_config(size).to_dict(),
        vision_config=SiglipVisionConfig(
            hidden_size=size.vision_hidden,
            intermediate_size=size.vision_ffn,
            num_hidden_layers=size.vision_layers,
            num_attention_heads=size.vision_heads,
            image_size=size.image_size,
            patch_size=size.patch_size,
            vision_use_head=False,
        ).to_dict(),
        mm_tokens_per_image=size.image_tokens,
        boi_token_index=size.vocab_size - 3,
        eoi_token_index=size.vocab_size - 2,
        image_token_index=size.vocab_size - 1,
        architectures=["Gemma3ForConditionalGeneration"],
    )


def random_model(size: Size, *, images: bool, seed: int):
    """A freshly initialised model in float32, reproducible by `seed`."""
    torch.manual_seed(seed)
    if not images:
        return Gemma3ForCausalLM(text_config(size)).eval()
    model = Gemma3ForConditionalGeneration(multimodal_config(size)).eval()
    # transformers leaves this projection at zero, which would make every image look the same.
    torch.nn.init.normal_(model.model.multi_modal_projector.mm_input_projection_weight, std=size.vision_hidden**-0.5)
    return model


def save_checkpoint(model, tokenizer: GemmaTokenizer, size: Size, directory: Path) -> None:
    """Write weights, configuration, processor and template to `directory`, as a released checkpoint has them."""
    model.generation_config = GenerationConfig(
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=[tokenizer.eos_token_id, tokenizer.convert_tokens_to_ids("<end_of_turn>")],
        pad_token_id=tokenizer.pad_token_id,
        do_sample=False,
    )
    model.save_pretrained(directory)
    _name_as_released(directory / "model.safetensors")
    if model.config.model_type != "gemma3":
        tokenizer.chat_template = CHAT_TEMPLATE
        tokenizer.save_pretrained(directory)
        return
    Gemma3Processor(
        image_processor=Gemma3ImageProcessorPil(
            size={"height": size.image_size, "width": size.image_size}, image_mean=[0.5] * 3, image_std=[0.5] * 3
        ),
        tokenizer=tokenizer,
        chat_template=CHAT_TEMPLATE,
        image_seq_length=size.image_tokens,
    ).save_pretrained(directory)


def _name_as_released(path: Path) -> None:
    """Give the tower's weights the names of the released files: transformers reads both, vLLM and SGLang only these."""
    weights = load_file(path)
    renamed = {name.replace("vision_tower.", "vision_tower.vision_model.", 1): weights[name] for name in weights}
    save_file(renamed, path, metadata={"format": "pt"})
