#!/usr/bin/env python3
"""Small tokenizers of each kind that tokenizer.json has, trained here, and what the reference makes of hard strings.

    pip install tokenizers && python make_json.py

writes NAME.json, strings.json (the strings) and NAME.expected.json: {"before", "after", "ids": [...], "decoded": [...]}.
Ids are without what the post-processor puts around a text (before, after); decoded texts leave special tokens out.
"""
import json
import pathlib

import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import texts

HERE = pathlib.Path(__file__).parent
LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
          r"|\s+(?!\S)|\s+")
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")
BYTES = [f"<0x{b:02X}>" for b in range(256)]


def split(pattern, behavior="isolated", invert=False):
    return pre_tokenizers.Split(Regex(pattern), behavior, invert)


def template(t, before=(), after=()):
    pieces = [*before, "$A", *after]
    return processors.TemplateProcessing(single=" ".join(pieces), special_tokens=[(p, t.token_to_id(p)) for p in {*before, *after}])


def train(t, vocab, seed, alphabet=(), special=(), limit=None):
    trainer = trainers.BpeTrainer(vocab_size=vocab, initial_alphabet=list(alphabet), special_tokens=list(special),
                                  show_progress=False, **({} if limit is None else {"limit_alphabet": limit}))
    t.train_from_iterator(texts.corpus(seed), trainer)
    return t


def odd_tokens(t):
    t.add_tokens([AddedToken("<tool>", normalized=False), AddedToken("<word>", single_word=True, normalized=False),
                  AddedToken("<left>", lstrip=True, normalized=False), AddedToken("<right>", rstrip=True, normalized=False),
                  AddedToken("Caf\u00e9Token", normalized=True)])


def gpt_neox():
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    train(t, 420, 1, pre_tokenizers.ByteLevel.alphabet(), ["<|endoftext|>", "<|padding|>"])
    t.add_tokens([AddedToken(" " * n, normalized=True) for n in range(24, 1, -1)])
    return t


def gpt2():
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    t.decoder = decoders.ByteLevel()
    train(t, 400, 2, pre_tokenizers.ByteLevel.alphabet(), ["<|endoftext|>"])
    odd_tokens(t)
    return t


def llama3():
    t = Tokenizer(models.BPE(ignore_merges=True))
    t.pre_tokenizer = pre_tokenizers.Sequence([split(LLAMA3), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    train(t, 420, 3, pre_tokenizers.ByteLevel.alphabet())
    # Words that are tokens although no merges lead to them.
    data = json.loads(t.to_str())
    vocab = data["model"]["vocab"]
    for word in ["stream", "\u0120streams", "Hello", "\u0120World", "123"]:
        vocab.setdefault(word, len(vocab))
    t = Tokenizer.from_str(json.dumps(data))
    t.add_special_tokens(["<s>", "</s>", "<|im_start|>", "<|im_end|>"])
    t.post_processor = processors.Sequence([processors.ByteLevel(trim_offsets=False), template(t, ["<s>"])])
    return t


def qwen2():
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFC()
    t.pre_tokenizer = pre_tokenizers.Sequence([split(QWEN2), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    t.post_processor = processors.ByteLevel(trim_offsets=False)
    train(t, 420, 4, pre_tokenizers.ByteLevel.alphabet())
    t.add_special_tokens(["<|endoftext|>", "<|im_start|>", "<|im_end|>"])
    odd_tokens(t)
    return t


def llama_decoder():
    return decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])


def llama2():
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    t.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")  # for training: merges stay inside words
    train(t, 520, 5, special=["<unk>", "<s>", "</s>", *BYTES], limit=70)
    data = json.loads(t.to_str())
    data["pre_tokenizer"] = None
    # Byte tokens belong to the model alone.
    data["added_tokens"] = [a for a in data["added_tokens"] if not a["content"].startswith("<0x")]
    t = Tokenizer.from_str(json.dumps(data))
    t.decoder = llama_decoder()
    t.post_processor = template(t, ["<s>"], ["</s>"])
    return t


def mistral():
    """As newer conversions of SentencePiece models are: Metaspace instead of normalisers, runs of blanks as tokens."""
    data = json.loads(llama2().to_str())
    data["normalizer"] = None
    vocab, merges = data["model"]["vocab"], data["model"]["merges"]
    for n in range(2, 9):
        vocab.setdefault("\u2581" * n, len(vocab))
        for left in range(1, n):
            merges.append(["\u2581" * left, "\u2581" * (n - left)])
    t = Tokenizer.from_str(json.dumps(data))
    t.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="first", split=False)
    t.post_processor = template(t, ["<s>"])
    odd_tokens(t)
    return t


def metaspace():
    """Words that begin with a blank, an unknown token without fusing, and no bytes."""
    t = Tokenizer(models.BPE(unk_token="<unk>"))
    t.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    t.decoder = decoders.Metaspace(prepend_scheme="always")
    train(t, 300, 6, special=["<unk>", "<s>"], limit=60)
    t.post_processor = template(t, ["<s>"])
    return t


def folded():
    """Compatibility forms, lower case, replaced and stripped; fused unknown tokens; digits and punctuation apart."""
    t = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True))
    t.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), normalizers.Replace(Regex(r"\s+"), " "),
                                         normalizers.Strip(), normalizers.Replace("--", "-")])
    t.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Digits(individual_digits=True),
                                               pre_tokenizers.Punctuation("merged_with_previous")])
    train(t, 260, 7, special=["<unk>"], limit=50)
    odd_tokens(t)
    return t


def splits():
    """Every way of splitting, one after the other."""
    t = Tokenizer(models.BPE())
    t.normalizer = normalizers.NFD()
    t.pre_tokenizer = pre_tokenizers.Sequence([
        split(r"[\r\n]+", "merged_with_previous"), split(r"[.,;:!?]", "merged_with_next"), pre_tokenizers.Digits(individual_digits=False),
        split(r"[aeiou]+", "contiguous"), split(r"[A-Z]", "isolated"), split(r"[\p{L}\p{M}\p{N} ]+|[^\p{L}\p{M}\p{N} ]", "removed", invert=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t.decoder = decoders.ByteLevel()
    return train(t, 330, 8, pre_tokenizers.ByteLevel.alphabet())


def main():
    strings = texts.strings(11, 330)
    (HERE / "strings.json").write_text(json.dumps(strings, ensure_ascii=True, separators=(",", ":")) + "\n")
    for make in [gpt_neox, gpt2, llama3, qwen2, llama2, mistral, metaspace, folded, splits]:
        t = make()
        name = make.__name__
        (HERE / f"{name}.json").write_text(t.to_str() + "\n")
        around = t.encode("", add_special_tokens=True).ids
        word = t.encode("a", add_special_tokens=False).ids
        whole = t.encode("a", add_special_tokens=True).ids
        at = next(i for i in range(len(whole) + 1) if whole[i:i + len(word)] == word)
        ids = [t.encode(s, add_special_tokens=False).ids for s in strings]
        decoded = [t.decode(i, skip_special_tokens=True) for i in ids]
        (HERE / f"{name}.expected.json").write_text(json.dumps(
            {"before": whole[:at], "after": whole[at + len(word):], "ids": ids, "decoded": decoded}, separators=(",", ":")) + "\n")
        print(name, t.get_vocab_size(), sum(map(len, ids)), around)


main()
