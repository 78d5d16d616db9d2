"""Does Assay cut text as the `tokenizers` library does, and put it together again?

Maker:    written by hand; the lines are drawn from Python's own Unicode tables and documentation
Seed:     --seed, 0 unless given
Versions: Python 3.11, tokenizers 0.21.4

    check_tokenizers.py --assay ASSAY FOLDER [FOLDER ...]
        Compares `ASSAY tokens FOLDER` with the library on --lines lines (20,000): ids of each line, without and with
        what surrounds a document, and the texts of those ids and of ids drawn at random. Prints lines that differ.
        Characters are those of Unicode 14: the library's own tables are of several versions, Foundation's of a later
        one. (Its accents to strip, its punctuation and its compatible forms are of older ones still, so with those
        parts a line in some thousands differs, at a character of Unicode 11 to 14.) A start that is written out is not put there twice, which the library would.

    check_tokenizers.py --make FOLDER
        Trains the tokenizers of `Fixtures/tokenizers` (--vocabulary tokens each) into folders of FOLDER, each with the
        lines and ids that Assay's tests read.

Exit status 0: all agree; 1: a line does not; 2: wrong usage.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import unicodedata
from pathlib import Path
from pydoc_data.topics import topics

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

LLAMA3 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*"
          r"|\s*[\r\n]+|\s+(?!\S)|\s+")
QWEN2 = LLAMA3.replace("{1,3}", "")
O200K = (r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
         r"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+")
PROSE = [line for text in topics.values() for line in text.split("\n") if line.strip()]
SCRIPTS = [(0x20, 0x7F), (0xA0, 0x250), (0x370, 0x400), (0x400, 0x530), (0x590, 0x700), (0x900, 0x980), (0xE00, 0xE80),
           (0x1100, 0x1200), (0x1E00, 0x2000), (0x2000, 0x2070), (0x2100, 0x2190), (0x2190, 0x2300), (0x3040, 0x3100),
           (0x4E00, 0x4F00), (0xAC00, 0xAD00), (0x1F300, 0x1F700), (0x1D400, 0x1D500), (0x0, 0x20), (0x7F, 0xA0),
           (0x300, 0x370), (0xFE00, 0xFE10), (0xFF00, 0xFFF0), (0x10330, 0x10350), (0x1F1E6, 0x1F200)]
PIECES = ["'s", "'S", "'ll", "'LL", "'\u017f", "don't", "\r\n", "\n\n", "\t\t", "   ", " ", "\u3000", "\u00a0", "\u200b", "\u200d",
          "\u2028", "\x0b", "\x0c", "\x85", "1234567", "3.14", "\u0661\u0662", "\u00b2", "\u2167", "\ufb01", "e\u0301", "\u00e9", "\u212b",
          "\u0041\u030a", "\uac00", "\u1100\u1161", "\u1100\u1176", "\u1113\u1161", "\u1112\u1175\u11c2", "\u0130", "\u03a3\u03a2".replace("\u03a2", "\u03c3"), "<s>", "</s>", "<unk>", "<|end|>",
          "<|im_start|>", " <mark> ", "<mark>", "zebra", "zebras", "a_zebra", "\u2581", "\u0120", "\u010a", "<0x0A>", "def f(x):\n\treturn x",
          "{\"a\": [1, 2]}", "https://a.example/b?c=d", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\u05e9\u05c1", "\ufeff", "\ufffd",
          "\u0e33", "\u0f77", "\U0001d15e", "\u1e9b\u0323", "q\u0307\u0323", "(", ")", "--", "...", "#", "\x00", "\x1b[0m"]


def scalar(rng, low, high):
    while True:
        code = rng.randrange(low, high)
        if unicodedata.category(chr(code)) not in ("Cs", "Cn"):
            return chr(code)


def word(rng):
    low, high = rng.choice(SCRIPTS)
    return "".join(scalar(rng, low, high) for _ in range(rng.randint(1, 8)))


def line(rng):
    kind = rng.random()
    if kind < 0.25:
        return rng.choice(PROSE)
    if kind < 0.3:
        return "".join(scalar(rng, 0, 0x110000) for _ in range(rng.randint(1, 20)))
    if kind < 0.35:
        return "".join(rng.choice("ab \n\t1'") for _ in range(rng.randint(1, 60)))
    parts = []
    for _ in range(rng.randint(1, 12)):
        parts.append(rng.choice([rng.choice(PIECES), word(rng), rng.choice(rng.choice(PROSE).split())]))
    text = rng.choice(["", " "]).join(parts)
    return unicodedata.normalize(rng.choice(["NFC", "NFD", "NFKC", "NFKD"]), text) if kind < 0.5 else text


def lines(seed, count):
    rng, found = random.Random(seed), []
    while len(found) < count:
        text = line(rng)
        if any(not c.isspace() and c not in "\x1c\x1d\x1e\x1f" for c in text):  # Assay passes over blank lines
            found.append(text)
    return found


# --- comparing ---

def assay(tool, folder, texts, *flags):
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for text in texts:
            file.write(json.dumps({"text": text}) + "\n")
        file.flush()
        done = subprocess.run([tool, "tokens", folder, "--text", file.name, *flags], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{folder}: {done.stderr.strip()}")
    return [json.loads(answer) for answer in done.stdout.split("\n") if answer]


def once(ids, start):
    """Ids without a start that stands there twice."""
    return ids[len(start):] if start and ids[len(start):][:len(start)] == start else ids


def check(tool, folder, seed, count):
    oracle, texts = Tokenizer.from_file(str(folder / "tokenizer.json")), lines(seed, count)
    rng, size = random.Random(seed), oracle.get_vocab_size()
    drawn = [[rng.randrange(size) for _ in range(rng.randint(1, 12))] for _ in range(count // 4)]
    wanted = [e.ids for e in oracle.encode_batch(texts, add_special_tokens=False)]
    full = [once(e.ids, oracle.encode("").ids) for e in oracle.encode_batch(texts[:count // 4])]
    ids = [i for i in wanted + drawn if i]

    def spaced(rows):
        return [" ".join(map(str, row)) for row in rows]
    comparisons = {
        "ids": (texts, wanted, assay(tool, folder, texts)),
        "document": (texts[:count // 4], full, assay(tool, folder, texts[:count // 4], "--document")),
        "text": (ids, [oracle.decode(i, skip_special_tokens=False) for i in ids],
                 assay(tool, folder, spaced(ids), "--decode")),
    }
    good = True
    for name, (inputs, expected, answers) in comparisons.items():
        wrong = [(t, e, a) for t, e, a in zip(inputs, expected, answers, strict=True) if e != a]
        good = good and not wrong
        print(f"{folder.name}: {name} of {len(inputs) - len(wrong)} of {len(inputs)} lines agree")
        for text, expect, answer in wrong[:3]:
            print(f"  {text!r}\n    expected {expect!r}\n    found    {answer!r}")
    return good


# --- making ---

def byte_level(pre, vocabulary, normalizer=None, **options):
    made = Tokenizer(models.BPE(**options))
    if normalizer:
        made.normalizer = normalizer
    made.pre_tokenizer, made.decoder = pre, decoders.ByteLevel()
    made.train_from_iterator(PROSE, trainers.BpeTrainer(
        vocab_size=vocabulary, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return made


def sentence_piece(vocabulary):
    """A BPE whose tokens are as SentencePiece writes them, bytes first."""
    made = Tokenizer(models.BPE(unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.train_from_iterator(PROSE, trainers.BpeTrainer(
        vocab_size=vocabulary - 256, special_tokens=["<unk>", "<s>", "</s>"], show_progress=False))
    model = json.loads(made.to_str())["model"]
    names = list(model["vocab"])
    names = names[:3] + [f"<0x{byte:02X}>" for byte in range(256)] + names[3:]
    return models.BPE(
        vocab={name: i for i, name in enumerate(names)}, merges=[tuple(m) for m in model["merges"]], unk_token="<unk>",
        byte_fallback=True, fuse_unk=True)


def template(tokenizer, start):
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A", special_tokens=[(start, tokenizer.token_to_id(start))])


def trained(vocabulary):
    blocks = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    gpt2 = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=False), vocabulary)
    gpt2.add_special_tokens(["<|end|>"])
    gpt2.add_tokens([AddedToken("zebra", single_word=True), AddedToken("<mark>", lstrip=True, rstrip=True)])
    llama3 = byte_level(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3), "isolated"), blocks]), vocabulary,
                        ignore_merges=True)
    llama3.add_special_tokens(["<s>", "<|end|>"])
    template(llama3, "<s>")
    qwen2 = byte_level(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2), "isolated"), blocks]), vocabulary,
                       normalizers.NFC())
    qwen2.add_special_tokens(["<|im_start|>", "<|end|>"])
    smollm2 = byte_level(pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]), vocabulary)
    smollm2.add_special_tokens(["<|im_start|>", "<|end|>"])
    o200k = byte_level(pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(O200K), "removed", invert=True), blocks]), vocabulary)
    prefixed = byte_level(pre_tokenizers.ByteLevel(add_prefix_space=True), vocabulary, normalizers.NFKC())
    pieces = sentence_piece(vocabulary)
    llama2 = Tokenizer(pieces)
    llama2.normalizer = normalizers.Sequence([normalizers.Prepend("\u2581"), normalizers.Replace(" ", "\u2581")])
    llama2.decoder = decoders.Sequence([
        decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)])
    llama2.add_special_tokens(["<unk>", "<s>", "</s>"])
    template(llama2, "<s>")
    gemma = Tokenizer(pieces)
    gemma.normalizer = normalizers.Replace(" ", "\u2581")
    gemma.pre_tokenizer = pre_tokenizers.Split(" ", "merged_with_previous")
    gemma.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse()])
    gemma.add_special_tokens(["<unk>", "<s>", "</s>"])
    gemma.add_tokens([AddedToken(text, normalized=False) for text in ["\n\n", "\t\t", "\u2581\u2581\u2581", "<mark>"]])
    template(gemma, "<s>")
    mistral = Tokenizer(pieces)
    mistral.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    mistral.decoder = decoders.Sequence([decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(),
                                         decoders.Strip(" ", 1, 0)])
    mistral.add_special_tokens(["<unk>", "<s>", "</s>"])
    metaspace = Tokenizer(pieces)
    metaspace.pre_tokenizer, metaspace.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    words = Tokenizer(models.WordLevel(unk_token="<unk>"))
    words.normalizer = normalizers.Sequence([
        normalizers.NFD(), normalizers.StripAccents(), normalizers.Lowercase(), normalizers.Strip()])
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.train_from_iterator(PROSE, trainers.WordLevelTrainer(
        vocab_size=vocabulary, special_tokens=["<unk>"], show_progress=False))
    words.add_tokens(["zebra"])
    suffixed = Tokenizer(models.BPE(unk_token="<unk>", end_of_word_suffix="</w>"))
    suffixed.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.Lowercase()])
    suffixed.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation("contiguous"), pre_tokenizers.Digits()])
    suffixed.decoder = decoders.BPEDecoder("</w>")
    suffixed.train_from_iterator(PROSE, trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=["<unk>"], end_of_word_suffix="</w>", show_progress=False))
    return dict(gpt2=gpt2, llama3=llama3, qwen2=qwen2, smollm2=smollm2, o200k=o200k, prefixed=prefixed, llama2=llama2,
                gemma=gemma, mistral=mistral, metaspace=metaspace, words=words, suffixed=suffixed)


def compact(path):
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")), ensure_ascii=False, separators=(",", ":")) + "\n", "utf-8")


def make(folder, vocabulary, seed, count):
    for name, tokenizer in trained(vocabulary).items():
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        tokenizer.save(str(place / "tokenizer.json"))
        compact(place / "tokenizer.json")
        texts = lines(seed, count)
        cases = []
        for text in texts:
            ids, full = tokenizer.encode(text, add_special_tokens=False).ids, once(tokenizer.encode(text).ids, tokenizer.encode("").ids)
            cases.append({"text": text, "ids": ids, "document": full,
                          "decoded": tokenizer.decode(ids, skip_special_tokens=False)})
        with open(place / "cases.jsonl", "w", encoding="utf-8") as file:
            for case in cases:
                file.write(json.dumps(case, separators=(",", ":")) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path)
    parser.add_argument("--assay")
    parser.add_argument("--make", type=Path)
    parser.add_argument("--lines", type=int, default=20_000)
    parser.add_argument("--vocabulary", type=int, default=700)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.make:
        return make(options.make, options.vocabulary, options.seed, options.lines)
    if not options.assay or not options.folders:
        parser.error("give --assay and folders, or --make")
    results = [check(options.assay, folder, options.seed, options.lines) for folder in options.folders]
    sys.exit(0 if all(results) else 1)


main()
