#!/usr/bin/env python3
"""Small SentencePiece models of each kind, trained here, and what the reference makes of hard strings.

    pip install sentencepiece && python make_sentencepiece.py

writes spm_NAME.model and spm_NAME.expected.json: {"before": [], "after": [], "ids": [...], "decoded": [...]} for the
strings in strings.json (make_json.py writes those).
"""
import json
import pathlib
import tempfile

import sentencepiece as spm

import texts

HERE = pathlib.Path(__file__).parent
LLAMA = dict(model_type="bpe", normalization_rule_name="identity", remove_extra_whitespaces=False, byte_fallback=True,
             allow_whitespace_only_pieces=True, split_digits=True, character_coverage=0.985, vocab_size=500)
# A small map of characters, as the ones that come with SentencePiece make files of 240 KB: to other ones, to several, to
# nothing, to blanks, longest first.
RULES = {"A": "a", "S": "s", "T": "t", "E": "e", "R": "r", "e\u0301": "\u00e9", "E\u0301": "\u00e9", "e\u0301\u0301": "e", "\ufb01": "fi", "\u00bd": "1 2",
         "\u200b": "", "\u00ad": "", "\u00a0": " ", "\u3000": "  ", "\t": " ", "\n": " ", "\u00df": "ss", "...": "\u2026", "\u65e5\u672c": "\u6771",
         "\U0001f600\U0001f600": "\U0001f600", "\u017f": "s", "\u212a": "k"}
MODELS = {
    # As Llama 2, Mistral, Vicuna and Yi have it.
    "llama": LLAMA,
    # SentencePiece's defaults: unigram, NFKC, blanks collapsed, unknown pieces instead of bytes.
    "unigram": dict(model_type="unigram", vocab_size=250, character_coverage=0.98),
    # As T5 and its kin in the large: bytes and symbols that are never cut.
    "unigram_bytes": dict(model_type="unigram", vocab_size=520, character_coverage=0.98, byte_fallback=True,
                          user_defined_symbols=["<tool>", "<|im_start|>", "stream", "  ", "\u00e9"], normalization_rule_tsv="rules"),
    # BPE with unknown pieces, without a blank in front, with symbols; pieces may span words.
    "bpe": dict(model_type="bpe", vocab_size=240, character_coverage=0.98, add_dummy_prefix=False, split_by_whitespace=False,
                user_defined_symbols=["<tool>", "ing", "n't"], normalization_rule_tsv="rules"),
    "unigram_plain": dict(model_type="unigram", vocab_size=230, character_coverage=0.98, add_dummy_prefix=False,
                          remove_extra_whitespaces=False, allow_whitespace_only_pieces=True, normalization_rule_name="identity"),
}


def main():
    strings = json.loads((HERE / "strings.json").read_text())
    for name, options in MODELS.items():
        with tempfile.TemporaryDirectory() as folder:
            corpus = pathlib.Path(folder) / "corpus"
            corpus.write_text("\n".join(line.replace("\n", " ") for line in texts.corpus(21)))
            if options.get("normalization_rule_tsv") == "rules":
                rules = pathlib.Path(folder) / "rules.tsv"
                hexed = lambda text: " ".join(f"{ord(c):X}" for c in text)
                rules.write_text("".join(f"{hexed(a)}\t{hexed(b)}\n" for a, b in RULES.items()))
                options = {**options, "normalization_rule_tsv": str(rules)}
            spm.SentencePieceTrainer.train(input=str(corpus), model_prefix=f"{folder}/m", num_threads=1, minloglevel=2, **options)
            model = (pathlib.Path(folder) / "m.model").read_bytes()
        if name == "bpe":
            model = with_unused(model)
        path = HERE / f"spm_{name}.model"
        path.write_bytes(model)
        t = spm.SentencePieceProcessor(model_file=str(path))
        ids = [t.encode(s) for s in strings]
        (HERE / f"spm_{name}.expected.json").write_text(json.dumps(
            {"before": [], "after": [], "ids": ids, "decoded": [t.decode(i) for i in ids]}, separators=(",", ":")) + "\n")
        print(name, len(model), t.vocab_size(), sum(map(len, ids)))


def with_unused(model):
    """Some pieces that merges pass through marked as unused, as after pruning a vocabulary."""
    from sentencepiece import sentencepiece_model_pb2
    proto = sentencepiece_model_pb2.ModelProto.FromString(model)
    normal = [p for p in proto.pieces if p.type == 1 and len(p.piece) > 1]
    for piece in normal[3::9]:
        piece.type = 5
    return proto.SerializeToString()


main()
