#!/usr/bin/env python3
"""compare.py PROGRAM COUNT [SEED [JOINED]]: COUNT random strings, each JOINED of them put together, through every tokenizer here, by the reference and by
PROGRAM (build/bin/tokenize-lines); prints what differs."""
import json
import pathlib
import subprocess
import sys

import texts

HERE = pathlib.Path(__file__).parent


def reference(path):
    if path.suffix == ".json":
        import tokenizers
        t = tokenizers.Tokenizer.from_file(str(path))
        return lambda s: t.encode(s, add_special_tokens=False).ids, lambda ids: t.decode(ids, skip_special_tokens=True)
    import sentencepiece
    t = sentencepiece.SentencePieceProcessor(model_file=str(path))
    return t.encode, t.decode


def differ(a, b):
    """Where two sequences part, and a little of both."""
    at = next((i for i, (x, y) in enumerate(zip(a, b)) if x != y), min(len(a), len(b)))
    begin = max(0, at - 4)
    return f"from {at}: expected ...{a[begin:at + 6]!a}, found ...{b[begin:at + 6]!a}"


def main():
    program, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 12
    joined = int(sys.argv[4]) if len(sys.argv) > 4 else 1
    strings = texts.strings(seed, count * joined)
    strings = ["".join(strings[i:i + joined]) for i in range(0, len(strings), joined)]
    lines = "".join(json.dumps(s) + "\n" for s in strings).encode()
    for path in sorted(HERE.glob("*.json")) + sorted(HERE.glob("*.model")):
        if path.name == "strings.json" or path.name.endswith(".expected.json"):
            continue
        encode, decode = reference(path)
        ours = subprocess.run([program, str(path)], input=lines, capture_output=True, check=False)
        if ours.returncode != 0:
            print(f"{path.name}: {ours.stderr.decode()}")
            continue
        wrong_ids = wrong_text = 0
        for s, line in zip(strings, ours.stdout.splitlines(), strict=True):
            got = json.loads(line)
            ids = encode(s)
            if got["ids"] != ids:
                wrong_ids += 1
                if wrong_ids <= 5:
                    print(f"{path.name}: {s[:80]!a}\n  {differ(ids, got['ids'])}")
            elif got["text"] != decode(ids):
                wrong_text += 1
                if wrong_text <= 5:
                    print(f"{path.name}: {ids[:30]}\n  {differ(decode(ids), got['text'])}")
        print(f"{path.name}: {len(strings)} strings, {wrong_ids} with other ids, {wrong_text} with other text", flush=True)


main()
