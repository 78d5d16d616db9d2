"""Makes the GGUF files of `Fixtures/gguf`, and what other programs read in them.

Maker:    gguf's own writer and dequantisation; transformers' reader of GGUF files
Seed:     20251129
Versions: Python 3.11, gguf 0.19.0, torch 2.13.0+cpu, transformers 5.23.0, accelerate 1.15.0, numpy 2.4.6

    make_gguf.py OUT

OUT/scalars.gguf       a tensor of each kind of scalar, two rows of 256; expected.json has their numbers
OUT/llama.gguf         a whole tiny Llama, its tensors of several kinds, with a byte-level tokenizer (SmolLM2's cuts);
                       expected.json has transformers' logits after some tokens, and ids of some texts
OUT/qwen2.gguf         the same of a Qwen 2: biases, rows in their own order, an untied head, Qwen's cuts
OUT/sentences.gguf     the metadata of a model whose tokenizer is SentencePiece's; expected.json has ids of some texts
"""

import json
import os
import sys
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import gguf
import numpy as np
import torch
from gguf import GGMLQuantizationType as Kind
from transformers import AutoModelForCausalLM, AutoTokenizer

SEED = 20251129
TEXTS = ["the value of x", "  two  blanks, 1234 digits", "A café, naïve — \U0001f600 \u4e2d\u6587", "line\nend\ttab", "x</s>y", ""]
HERE = Path(__file__).parent


def blocks(rng, kind, rows, columns):
    """Bytes of a kind whose scales are sensible."""
    size, width = gguf.GGML_QUANT_SIZES[kind]
    data = rng.integers(0, 256, (rows, columns // size, width), dtype=np.uint8)
    halves = {Kind.Q4_0: [0], Kind.Q4_1: [0, 2], Kind.Q8_0: [0], Kind.Q4_K: [0, 2], Kind.Q5_K: [0, 2], Kind.Q6_K: [208]}
    for offset in halves[kind]:
        scale = rng.normal(0, 0.02, (rows, columns // size)).astype(np.float16)
        data[:, :, offset:offset + 2] = scale[..., None].view(np.uint8)
    return data.reshape(rows, -1)


def scalars(rng, path):
    writer, expected = gguf.GGUFWriter(str(path), "scalars"), {}
    numbers = rng.normal(size=(2, 256)).astype(np.float32)
    for kind in [Kind.F32, Kind.F16, Kind.BF16, Kind.Q8_0, Kind.Q4_0, Kind.Q4_1, Kind.Q4_K, Kind.Q5_K, Kind.Q6_K]:
        if kind in (Kind.F32, Kind.F16):
            data = numbers.astype(np.float32 if kind == Kind.F32 else np.float16)
            writer.add_tensor(kind.name, data)
        else:
            data = gguf.quants.quantize(numbers, kind) if kind == Kind.BF16 else blocks(rng, kind, 2, 256)
            writer.add_tensor(kind.name, data, raw_dtype=kind)
        expected[kind.name] = [float(x) for x in gguf.quants.dequantize(data, kind).astype(np.float32).ravel()]
    finish(writer)
    return expected


def finish(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def sizes(writer, vocabulary):
    writer.add_block_count(2)
    writer.add_context_length(64)
    writer.add_embedding_length(32)
    writer.add_feed_forward_length(64)
    writer.add_head_count(4)
    writer.add_head_count_kv(2)
    writer.add_rope_freq_base(5000.0)
    writer.add_rope_dimension_count(8)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(vocabulary)


def reordered(weight, heads):
    """llama.cpp's order of the rows of queries and keys."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def whole(rng, path, family, cuts, tokenizer):
    """A whole model of a family, with the byte-level tokenizer of a folder of `Fixtures/tokenizers`."""
    source = json.loads((HERE / f"tokenizers/{tokenizer}/tokenizer.json").read_text("utf-8"))
    vocabulary, added = source["model"]["vocab"], {t["content"]: t["id"] for t in source["added_tokens"]}
    names = sorted({**vocabulary, **added}.items(), key=lambda item: item[1])
    tokens = [name for name, _ in names]
    writer = gguf.GGUFWriter(str(path), family)
    sizes(writer, len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(cuts)
    writer.add_token_list(tokens)
    writer.add_token_types([3 if name in added else 1 for name in tokens])
    writer.add_token_merges([" ".join(pair) for pair in source["model"]["merges"]])
    writer.add_bos_token_id(added["<|im_start|>"])
    writer.add_eos_token_id(added["<|end|>"])
    writer.add_add_bos_token(False)

    def add(name, shape, kind=Kind.F32, deviation=0.2, mean=0.0, heads=None):
        numbers = (mean + deviation * rng.normal(size=shape)).astype(np.float32)
        if heads and family == "llama":
            numbers = reordered(numbers, heads)
        if kind in (Kind.F32, Kind.F16):
            return writer.add_tensor(name, numbers.astype(np.float32 if kind == Kind.F32 else np.float16))
        writer.add_tensor(name, gguf.quants.quantize(numbers, kind), raw_dtype=kind)
    add("token_embd.weight", (len(tokens), 32), Kind.Q8_0, 1.0)
    for i in range(2):
        add(f"blk.{i}.attn_norm.weight", (32,), deviation=0.1, mean=1.0)
        add(f"blk.{i}.attn_q.weight", (32, 32), Kind.Q4_0, heads=4)
        add(f"blk.{i}.attn_k.weight", (16, 32), Kind.F16, heads=2)
        add(f"blk.{i}.attn_v.weight", (16, 32), Kind.Q4_1)
        if family == "qwen2":
            for name, width in (("q", 32), ("k", 16), ("v", 16)):
                add(f"blk.{i}.attn_{name}.bias", (width,))
        add(f"blk.{i}.attn_output.weight", (32, 32), Kind.BF16)
        add(f"blk.{i}.ffn_norm.weight", (32,), deviation=0.1, mean=1.0)
        add(f"blk.{i}.ffn_gate.weight", (64, 32), Kind.Q8_0)
        add(f"blk.{i}.ffn_up.weight", (64, 32))
        add(f"blk.{i}.ffn_down.weight", (32, 64), Kind.Q4_0)
    add("output_norm.weight", (32,), deviation=0.1, mean=1.0)
    if family == "qwen2":
        add("output.weight", (len(tokens), 32), Kind.Q4_1)
    finish(writer)
    model = AutoModelForCausalLM.from_pretrained(path.parent, gguf_file=path.name, dtype=torch.float32).eval()
    ids = [1, 300, 45, 45, 7, 512, 90]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0, -1]
    return {"tokens": ids, "logits": [float(x) for x in logits]}


def sentences(path):
    source = json.loads((HERE / "tokenizers/llama2/tokenizer.json").read_text("utf-8"))
    tokens = sorted(source["model"]["vocab"], key=source["model"]["vocab"].get)
    writer = gguf.GGUFWriter(str(path), "llama")
    sizes(writer, len(tokens))
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    ranks = {}
    for rank, (left, right) in enumerate(source["model"]["merges"]):
        ranks.setdefault(left + right, rank)
    writer.add_token_scores([-float(ranks.get(name, 10_000)) for name in tokens])
    writer.add_token_types([2 if i == 0 else 3 if i < 3 else 6 if i < 259 else 1 for i in range(len(tokens))])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    finish(writer)


def ids(path):
    tokenizer = AutoTokenizer.from_pretrained(path.parent, gguf_file=path.name)
    return [{"text": text, "ids": tokenizer(text, add_special_tokens=False)["input_ids"]} for text in TEXTS]


def main():
    out, rng = Path(sys.argv[1]), np.random.default_rng(SEED)
    out.mkdir(parents=True, exist_ok=True)
    expected = {"scalars": scalars(rng, out / "scalars.gguf")}
    expected["models"] = {
        "llama": whole(rng, out / "llama.gguf", "llama", "smollm", "smollm2"),
        "qwen2": whole(rng, out / "qwen2.gguf", "qwen2", "qwen2", "qwen2"),
    }
    sentences(out / "sentences.gguf")
    expected["texts"] = {name: ids(out / f"{name}.gguf") for name in ("llama", "qwen2", "sentences")}
    (out / "expected.json").write_text(json.dumps(expected) + "\n")


main()
