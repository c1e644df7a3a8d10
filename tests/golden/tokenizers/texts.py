"""Texts to train small tokenizers on, and strings that are hard to tokenise. All generated from a seed."""
import random
import unicodedata

SENTENCES = [
    "The quick brown fox jumps over the lazy dog, and it's not what they've said: we'll see, I'd say I'm right.",
    "Streams never end; memory does. In 2024 there were 1,234,567 lines of code and 3.14159 pies.",
    "def main(argv):\n    for i in range(10):\n        print(f\"{i:>4}\", end='\\t')\n    return 0\n",
    "Größe, façade, naïve, coöperate; El niño comió piñas. Ça va? Übermäßig groß.",
    "日本語のテキストと、漢字。東京都は大きい。",
    "中文文本没有空格,但是有标点。",
    "한국어 문장입니다. 안녕하세요.",
    "Привет, мир! Это поток текста без конца.",
    "مرحبا بالعالم، هذا نص عربي.",
    "שלום עולם",
    "हिन्दी में एक वाक्य।",
    "ภาษาไทยไม่มีช่องว่าง",
    "emoji 😀😃 👩‍👩‍👧‍👦 🇩🇪 ❤️ end",
    "<xml attr=\"value\">text &amp; more</xml>\r\n\r\n{\"json\": [1, 2, null]}",
]


def corpus(seed, size=3000):
    rng = random.Random(seed)
    syllables = ["ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "st", "tr", "ing", "er", "un", "al", "on"]
    words = ["".join(rng.choice(syllables) for _ in range(rng.randint(1, 4))) for _ in range(300)]
    for i in range(size):
        if i % 6 == 0:
            yield rng.choice(SENTENCES)
        else:
            yield " ".join(rng.choice(words) for _ in range(rng.randint(3, 12))).capitalize() + rng.choice(".!?:;\n")


HAND = [
    "", " ", "  ", "   ", "\n", "\n\n", " \n ", "\t", "\t\t x", "\r\n", "a", "A", " a", "a ", "  a  b   c    ",
    "hello", "Hello World", "hello  world", "hello\nworld", "hello \n world", "hello\u00a0world", "x\u3000y",
    "it's we've I'll they'd I'm you're IT'S WE'VE 's 'S '\u017f", "don''t", "'", "''''", "it\u2019s",
    "1", "12", "123", "1234", "12345678901234567890", "3.14", "\u0663\u0664\u0665", "\u00bd\u00b2\u2460", "x1y22z333",
    "!!!", "...", "?!?!", "a.b,c;d:e", "()[]{}<>", "--- *** ###", "C++ C# F#", "$100 \u20ac50", "a@b.c/d?e=f&g=h#i",
    "caf\u00e9", "cafe\u0301", "A\u030a\u0327", "\u00c5\u0327", "q\u0307\u0323", "q\u0323\u0307", "\u1e9b\u0323", "\u0344",
    "\u1100\u1161\u11a8", "\uac01", "\uf900", "\ufb01 \ufb03", "\u2126 \u212b", "\u0300", "\u0300\u0301 x",
    "a\u0300\u0301\u0302\u0303\u0304\u0305", "\u0958", "\u0f77", "\U0001d15f",
    "\U0001f600", "\U0001f600\U0001f600\U0001f600", "\U0001f469\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea",
    "\u2764\ufe0f", "\U0001f44d\U0001f3fd", "a\U0001f600b", " \U0001f600 ",
    "\u65e5\u672c\u8a9e", "\u6771\u4eac\u90fd \u5927\u962a", "\u4e2d\u6587abc\u4e2d\u6587", "\uff21\uff22\uff23\uff11",
    "\ud55c\uad6d\uc5b4", "\u0645\u0631\u062d\u0628\u0627", "\u05e9\u05dc\u05d5\u05dd", "\u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22",
    "\u200b", "a\u200bb", "\ufeff", "\ufeffBOM", "\u00ad", "\u2028x\u2029y", "\u0085", "a\u0085b", "\x0b\x0c", "a\x0bb", "\x1c\x1d\x1e\x1f",
    "\x00", "a\x00b", "\x01\x7f", "\ufffd", "\ufffe\uffff", "\U0010ffff", "\ue000", "\U000e0041",
    "\u2581", "\u2581\u2581", "\u2581a", "a\u2581b", " \u2581 ", "\u2581 \u2581", "a \u2581", "<0x41>", "<0xE4><0xBD>", "<unk>", "<s>", "</s>", "<s>a</s>",
    "<s> a </s> b", " <s>", "<s><s>", "a<s>b", "<|endoftext|>", "a<|endoftext|>b", "<|end", "<|endoftext|", "<|endoftext||>",
    "<|im_start|>user\nhi<|im_end|>\n", "<|im_start|>", "<|im_start|> x", "x <|im_end|>", "<tool>", "a <tool> b", "a  <tool>  b", "<tool><tool>",
    "<word>", "a<word>", "<word>a", "a <word> b", "<word>.", "_<word>", "\u0300<word>", "<word>\u0300", "<word><word>", " <word>  <word> ",
    "<left>", "  <left>  ", "a \n <left> \n b", "<right>", "  <right>  ", "a<right> \t\u3000 b", "<right>  <left>", "<left><right>  <right>", "<right>    <tool>",
    "Cafe\u0301Token", "Caf\u00e9Token", "xCaf\u00e9Tokeny", "CAF\u00c9TOKEN", "caf\u00e9token",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "abababababababababababab", "ssssssttttttrrrrrr", "\u00e9" * 20, "\u65e5" * 20, "\U0001f600" * 10, " " * 40, "\n" * 20, " \n" * 10,
    "a" * 300, "stream" * 40, "1" * 100, "!" * 70, "\u0301" * 50, "x" + "\u0301" * 50, " a" * 60, "\t" * 17 + "x",
    "The streams never end.\n\n  def f(x):\n    return x  # done\n", "I\u0130\u0131i \u1e9e\u00df \u03a3\u03c3\u03c2", "\u01c5\u01c8", "STREAM Stream sTREAM",
    "https://example.org/a_b-c.html?x=1%20y", "foo_bar __init__ a_1", "\u20ac\u00a3\u00a5\u20b9", "\u2160\u2170\u3007", "\u0660\u06f0\u0966",
]

POOLS = [
    "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJ", "0123456789", "    \n\t\r", ".,;:!?'\"()-_/\\<>|{}[]@#$%^&*+=~`", "'sStTrReEvVlLdDmM",
    "\u00e9\u00e8\u00fc\u00df\u00f1\u00e7\u0153", "\u0300\u0301\u0302\u0308\u0323\u0327\u0338\u20dd", "\u65e5\u672c\u8a9e\u4e2d\u6587\u6c49\u5b57\u3001\u3002", "\u3042\u3044\u3046\u30a2\u30a4\u309b\u3099\u309a",
    "\ud55c\uad6d\uc5b4\u1100\u1161\u11a8\u11a9", "\u0410\u0430\u0411\u0431\u0451\u0439", "\u0627\u0628\u0644\u0645\u064b\u0651", "\u0915\u093f\u094d\u0937\u093c\u0930",
    "\U0001f600\U0001f44d\U0001f3fd\u200d\ufe0f\u2764\U0001f469\U0001f1e9\U0001f1ea", "\u00a0\u2003\u3000\u200b\u200a\u2028\u2029\u0085\u1680\x0b\x0c\u180e\u202f\u205f",
    "\u0660\u0663\u00b2\u00bd\u2460\u2167\uff11\u0be7\u3007\U0001d7d9", "\u2581\ufffd\x00\x01\x1f\x7f\ufeff\u00ad", "\u0e20\u0e32\u0e29\u0e33\u0e44", "\u017f\u212a\u0130\u0131\u00df\u1e9e\u03a3\u03c2",
]
TOKENS = ["<s>", "</s>", "<unk>", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<tool>", "<word>", "<left>", "<right>", "Caf\u00e9Token",
          "Cafe\u0301Token", "<0x41>", "<0xE4>", "  ", "   ", "    ", "it's", "n't", "'ll", " the", "stream", "ing"]


def assigned(point):
    return not 0xD800 <= point < 0xE000 and unicodedata.category(chr(point)) != "Cn"


ANY = [p for p in range(0x30000) if assigned(p)]


def random_string(rng):
    """Runs of characters of a few kinds, with tokens between them."""
    parts = []
    pools = [rng.choice(POOLS) for _ in range(rng.randint(1, 4))]
    for _ in range(rng.randint(1, 8)):
        kind = rng.random()
        if kind < 0.15:
            parts.append(rng.choice(TOKENS))
        elif kind < 0.2:
            parts.append(chr(rng.choice(ANY)))
        elif kind < 0.35:
            parts.append(" " * rng.randint(1, 4))
        else:
            pool = rng.choice(pools)
            parts.append("".join(rng.choice(pool) for _ in range(rng.randint(1, 6))))
    return "".join(parts)


def strings(seed, count):
    rng = random.Random(seed)
    return HAND + [random_string(rng) for _ in range(count - len(HAND))]
