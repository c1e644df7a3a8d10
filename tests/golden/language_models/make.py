#!/usr/bin/env python3
"""Small language models with random weights in each layout that `stream import` reads, and the logits that the reference
gives for some tokens.

    pip install torch transformers safetensors && python make.py

writes one folder for each model, as transformers' save_pretrained does (config.json, generation_config.json, weights), with a
tokenizer of ../tokenizers beside them, and expected.npz: tokens [T] (int64) and logits [T, vocabulary] (float32). Logits
are computed in float32 from the weights as they are stored, so that what is compared is loading and the model, not
rounding to sixteen bits.
"""
import json
import pathlib
import shutil

import numpy as np
import torch
from transformers import (GenerationConfig, GPTNeoXConfig, GPTNeoXForCausalLM, LlamaConfig, LlamaForCausalLM, MistralConfig,
                          MistralForCausalLM, Qwen2Config, Qwen2ForCausalLM)

HERE = pathlib.Path(__file__).parent
TOKENIZERS = HERE.parent / "tokenizers"
TOKENS = 32
COMMON = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, max_position_embeddings=64, pad_token_id=None)


def llama(**more):
    return LlamaConfig(**{**COMMON, "vocab_size": 520, "num_key_value_heads": 2, "rms_norm_eps": 1e-5, "bos_token_id": 1, "eos_token_id": 2, **more}), LlamaForCausalLM


def neox(**more):
    return GPTNeoXConfig(**{**COMMON, "vocab_size": 448, "rotary_pct": 0.25, "hidden_act": "gelu", "bos_token_id": 0, "eos_token_id": 0, **more}), GPTNeoXForCausalLM


MODELS = {
    # name: (config and class, stored as, tokenizer, largest shard)
    "llama": (llama(), torch.float32, "llama2.json", None),
    "llama_tied_bf16": (llama(tie_word_embeddings=True, vocab_size=430, attention_bias=True, mlp_bias=True, head_dim=12,
                              rope_parameters={"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
                                               "high_freq_factor": 4.0, "original_max_position_embeddings": 16}, eos_token_id=[426, 428]),
                        torch.bfloat16, "llama3.json", None),
    "llama_linear_f16": (llama(vocab_size=500, num_key_value_heads=4, rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 4.0}),
                         torch.float16, "spm_llama.model", None),
    "mistral_sharded": ((MistralConfig(**COMMON, vocab_size=540, num_key_value_heads=1, head_dim=8, sliding_window=7, bos_token_id=1, eos_token_id=2,
                                       rope_parameters={"rope_type": "default", "rope_theta": 1000000.0}), MistralForCausalLM),
                        torch.bfloat16, "mistral.json", "40KB"),
    "qwen2": ((Qwen2Config(**{**COMMON, "vocab_size": 432, "num_key_value_heads": 2, "tie_word_embeddings": True, "bos_token_id": None, "eos_token_id": 420}), Qwen2ForCausalLM),
              torch.float32, "qwen2.json", None),
    "pythia": (neox(), torch.float16, "gpt_neox.json", None),
    "neox_sequential": (neox(use_parallel_residual=False, rotary_pct=0.5, hidden_act="gelu_new"), torch.float32, None, None),
}


def as_transformers_4(folder):
    """config.json as the files that most people have write it."""
    path = folder / "config.json"
    config = json.loads(path.read_text())
    rope = config.pop("rope_parameters")
    neox = config["model_type"] == "gpt_neox"
    config["rotary_emb_base" if neox else "rope_theta"] = rope.pop("rope_theta")
    if neox:
        config["rotary_pct"] = rope.pop("partial_rotary_factor")
    kind = rope.pop("rope_type")
    if kind != "default":
        config["rope_scaling"] = {"type" if kind == "linear" else "rope_type": kind, **rope}
    config["torch_dtype"] = config.pop("dtype")
    path.write_text(json.dumps(config, indent=2) + "\n")


def main():
    for number, (name, ((config, cls), dtype, tokenizer, shard)) in enumerate(MODELS.items()):
        folder = HERE / name
        shutil.rmtree(folder, ignore_errors=True)
        torch.manual_seed(number)
        config._attn_implementation = "eager"
        model = cls(config)
        with torch.no_grad():
            for key, p in model.named_parameters():
                # Away from what a new model has (biases of zero, norms of one), and large enough for logits to differ.
                p.copy_(torch.randn_like(p) * (0.1 if p.dim() == 1 else 0.3) + (1.0 if "norm" in key and key.endswith("weight") else 0.0))
        model = model.to(dtype)
        model.generation_config = GenerationConfig(eos_token_id=config.eos_token_id, bos_token_id=config.bos_token_id)
        model.save_pretrained(folder, **({} if shard is None else {"max_shard_size": shard}))
        if tokenizer is not None:
            shutil.copy(TOKENIZERS / tokenizer, folder / ("tokenizer" + pathlib.Path(tokenizer).suffix))
        if number % 2 == 0:
            as_transformers_4(folder)
        again = cls.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager").eval()
        tokens = torch.randint(0, config.vocab_size, (1, TOKENS))
        with torch.no_grad():
            logits = again(tokens).logits[0].float()
        np.savez(folder / "expected.npz", tokens=tokens[0].numpy(), logits=logits.numpy())
        print(name, sum(p.numel() for p in again.parameters()), logits.std().item(), sorted(p.name for p in folder.iterdir()))


main()
