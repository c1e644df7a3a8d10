#!/usr/bin/env python3
"""Small language models with random weights in PyTorch's own files: OPT as transformers has it, and Llama and GPT-NeoX models
as lit-gpt keeps them, with the logits that transformers gives for some tokens.

    pip install torch transformers numpy && python make_torch.py

writes one folder for each model and expected.npz as make.py does. lit-gpt's file has the rows of queries, keys and values of each
group together ("attn.attn"), as its model.py takes them apart: view(groups, queries per group + 2, head size).
"""
import json
import pathlib
import shutil

import numpy as np
import torch
from transformers import GPTNeoXConfig, GPTNeoXForCausalLM, LlamaConfig, LlamaForCausalLM, OPTConfig, OPTForCausalLM

HERE = pathlib.Path(__file__).parent
TOKENS = 32


def random_weights(model):
    with torch.no_grad():
        for key, p in model.named_parameters():
            p.copy_(torch.randn_like(p) * (0.1 if p.dim() == 1 else 0.3) + (1.0 if "norm" in key and key.endswith("weight") else 0.0))
    return model


def expect(folder, model, vocabulary):
    # Anew in float32: what is fixed of positions has been rounded with the weights of the one that was stored.
    again = type(model)(model.config).float().eval()
    again.load_state_dict({name: w.float() for name, w in model.state_dict().items()})
    tokens = torch.randint(0, vocabulary, (1, TOKENS))
    with torch.no_grad():
        logits = again(tokens).logits[0]
    np.savez(folder / "expected.npz", tokens=tokens[0].numpy(), logits=logits.numpy())
    print(folder.name, sum(p.numel() for p in model.parameters()), logits.std().item(), sorted(p.name for p in folder.iterdir()))


def fresh(name):
    folder = HERE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder


def opt(name, seed, dtype, shards, **more):
    torch.manual_seed(seed)
    folder = fresh(name)
    config = OPTConfig(**{**dict(hidden_size=32, word_embed_proj_dim=32, num_hidden_layers=2, num_attention_heads=4, ffn_dim=48, max_position_embeddings=64,
                                 vocab_size=200, dropout=0.0, attn_implementation="eager"), **more})
    model = random_weights(OPTForCausalLM(config)).to(dtype)
    config.architectures = ["OPTForCausalLM"]
    (folder / "config.json").write_text(json.dumps(config.to_dict(), indent=2) + "\n")
    state = model.state_dict()
    if shards == 1:
        torch.save(state, folder / "pytorch_model.bin")
    else:
        names = list(state)
        parts = {f"pytorch_model-{i + 1:05}-of-{shards:05}.bin": names[i::shards] for i in range(shards)}
        for file, keys in parts.items():
            torch.save({k: state[k].clone() for k in keys}, folder / file)
        (folder / "pytorch_model.bin.index.json").write_text(
            json.dumps({"metadata": {}, "weight_map": {k: file for file, keys in parts.items() for k in keys}}, indent=2) + "\n")
    expect(folder, model, config.vocab_size)


def fused(q, k, v, groups, head):
    """[rows, ...] of each, as lit-gpt has them."""
    rest = q.shape[1:]
    return torch.cat([x.reshape(groups, -1, head, *rest) for x in (q, k, v)], 1).reshape(-1, *rest)


def lit_llama():
    torch.manual_seed(21)
    folder = fresh("lit_gpt")
    layers, heads, groups, width, head = 2, 4, 2, 32, 8
    model = random_weights(LlamaForCausalLM(LlamaConfig(hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, num_key_value_heads=groups,
                                                        intermediate_size=48, max_position_embeddings=64, vocab_size=192, rms_norm_eps=1e-5, attention_bias=True,
                                                        attn_implementation="eager"))).to(torch.bfloat16)
    w = model.state_dict()
    out = {"lm_head.weight": w["lm_head.weight"], "transformer.wte.weight": w["model.embed_tokens.weight"], "transformer.ln_f.weight": w["model.norm.weight"]}
    for i in range(layers):
        a, b = f"model.layers.{i}.", f"transformer.h.{i}."
        # A vector added to the output of each head is a bias of values, whose weights sum to one. The other biases are none.
        value = w[a + "self_attn.v_proj.bias"].reshape(groups, head)[0].clone()
        w[a + "self_attn.v_proj.bias"].copy_(value.repeat(groups))
        for other in "qko":
            w[a + f"self_attn.{other}_proj.bias"].zero_()
        out[b + "norm_1.weight"], out[b + "norm_2.weight"] = w[a + "input_layernorm.weight"], w[a + "post_attention_layernorm.weight"]
        out[b + "attn.attn.weight"] = fused(*(w[a + f"self_attn.{x}_proj.weight"] for x in "qkv"), groups, head)
        out[b + "attn.proj.weight"] = w[a + "self_attn.o_proj.weight"]
        out[b + "attn.v_bias"] = value
        for ours, theirs in (("w1", "gate"), ("w2", "up"), ("w3", "down")):
            out[b + f"mlp.swiglu.{ours}.weight"] = w[a + f"mlp.{theirs}_proj.weight"]
    # As a training run keeps it: what else it needs beside the model.
    step = {"state": {0: {"step": torch.tensor(3.0), "exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 4e-4, "betas": (0.9, 0.95), "params": [0]}]}
    torch.save({"model": out, "optimizer": step, "hparams": {"model_name": "tiny", "learning_rate": 4e-4}, "iter_num": 12, "step_count": 3}, folder / "iter-000012-ckpt.pth")
    (folder / "lit_config.json").write_text(json.dumps({
        "org": "RegMix Paper", "name": "tiny", "block_size": 64, "vocab_size": 190, "padding_multiple": 64, "padded_vocab_size": 192, "n_layer": layers, "n_head": heads,
        "n_embd": width, "resid_pdrop": 0.0, "embd_pdrop": 0.0, "attn_pdrop": 0.0, "rotary_percentage": 1.0, "parallel_residual": False, "rope_base": 10000, "bias": False,
        "n_query_groups": groups, "shared_attention_norm": False, "_norm_class": "FusedRMSNorm", "norm_eps": 1e-5, "_mlp_class": "LLaMAMLP", "intermediate_size": 48,
        "condense_ratio": 1, "prefix_token": 0, "k_bias": False, "v_bias": True, "head_bias": False, "positional_embedding": "rotary", "max_position_embeddings": 2048,
        "attention_normalize": True, "window_size": -1}, indent=2) + "\n")
    expect(folder, model, 192)


def lit_neox():
    torch.manual_seed(22)
    folder = fresh("lit_gpt_neox")
    layers, heads, width, head = 2, 4, 64, 16
    model = random_weights(GPTNeoXForCausalLM(GPTNeoXConfig(hidden_size=width, num_hidden_layers=layers, num_attention_heads=heads, intermediate_size=256,
                                                            max_position_embeddings=64, vocab_size=128, rotary_pct=0.25, attn_implementation="eager"))).to(torch.float16)
    w = model.state_dict()
    out = {"lm_head.weight": model.get_output_embeddings().weight.detach(), "transformer.wte.weight": w["gpt_neox.embed_in.weight"]}
    for kind in ("weight", "bias"):
        out["transformer.ln_f." + kind] = w["gpt_neox.final_layer_norm." + kind]
        for i in range(layers):
            a, b = f"gpt_neox.layers.{i}.", f"transformer.h.{i}."
            q, k, v = w[a + "attention.query_key_value." + kind].reshape(heads, 3, head, -1).unbind(1)
            flat = [x.reshape(heads * head, -1) for x in (q, k, v)]
            out[b + "attn.attn." + kind] = fused(*flat, heads, head).reshape(w[a + "attention.query_key_value." + kind].shape)
            for ours, theirs in (("norm_1", "input_layernorm"), ("norm_2", "post_attention_layernorm"), ("attn.proj", "attention.dense"),
                                 ("mlp.fc", "mlp.dense_h_to_4h"), ("mlp.proj", "mlp.dense_4h_to_h")):
                out[f"{b}{ours}.{kind}"] = w[f"{a}{theirs}.{kind}"]
    torch.save(out, folder / "lit_model.pth")
    (folder / "lit_config.json").write_text(json.dumps({
        "org": "EleutherAI", "name": "pythia-tiny", "block_size": 64, "vocab_size": 120, "padding_multiple": 128, "padded_vocab_size": None, "n_layer": layers, "n_head": heads,
        "n_embd": width, "rotary_percentage": 0.25, "parallel_residual": True, "bias": True, "n_query_groups": None, "shared_attention_norm": False, "_norm_class": "LayerNorm",
        "norm_eps": 1e-5, "_mlp_class": "GptNeoxMLP", "intermediate_size": None, "condense_ratio": 1}, indent=2) + "\n")
    expect(folder, model, 128)


opt("opt", 11, torch.float32, 1)
opt("opt_post", 12, torch.float16, 2, do_layer_norm_before=False, enable_bias=False, tie_word_embeddings=False, activation_function="gelu")
lit_llama()
lit_neox()
