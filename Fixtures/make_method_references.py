"""A tiny Llama and a finetune of it, with what the diffing methods' measures must give for the pair.

Maker:    make_method_references.py (run it again to make the same files: everything random comes from SEED and a name)
Seed:     20250612
Versions: Python 3.11, torch 2.15.0+cu132, transformers 5.24.0, safetensors 0.8.0, numpy 2.4.6 (other versions: a warning)

Writes, next to this script:

    methods/base/            config.json, model.safetensors (float32)
    methods/finetuned/       the same with noise on every tensor of the blocks; embedding, final norm and head are equal
    methods/reference.json   the text and the values, each section described at the function that computes it

The values describe the saved files, loaded again, and are computed in float64 by a forward pass written out below. All
of them are computed a second time with transformers' own forward pass (eager, float32, hooks), and nothing is written
unless the two agree to float32 accuracy and the counts agree exactly.

Each row of the text is run alone, without padding. Token 1 starts a document and stands only at position 0. "Counted
tokens" are all others; means are over all counted tokens of all rows together. Differences are finetuned minus base,
logarithms natural, blocks counted from 0. The stream of block l is the residual stream after it; for the last block,
too, before the final norm. Left singular vectors are those of the output side of a matrix stored as (outputs, inputs).
"""

import copy
import json
import math
import os
import shutil
import warnings
import zlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import safetensors
import torch
import transformers
from safetensors.numpy import load_file
from transformers import AutoModelForCausalLM, LlamaConfig, LlamaForCausalLM

SEED = 20250612
WEIGHT_SCALE = 0.25
NORM_SPREAD = 0.2  # gains 1 + 0.2 * normal
CHANGE_NORM = 0.3  # Frobenius norm of the noise on each tensor of a block
ROWS, SHORTEST, LONGEST = 12, 5, 9
DOCUMENT_START = 1
BOOST_DEPTH = 8
LEADING_VECTORS = 10  # singular vectors of the finetuned model that are looked at
LENS_POSITIONS = range(1, 17)
LENS_BLOCKS = (1, 2)
MARGIN = 1e-4  # what counts depend on (an order of logits) must not hang on less: float32 is to count the same
FOLDER_LIMIT = 300_000  # bytes
TESTED_VERSIONS = {"torch": "2.15.0+cu132", "transformers": "5.24.0", "safetensors": "0.8.0", "numpy": "2.4.6"}

HERE = Path(__file__).resolve().parent
FOLDER = HERE / "methods"

VOCABULARY, WIDTH, BLOCKS, HEADS, KEY_VALUE_HEADS, HEAD_WIDTH = 19, 12, 3, 4, 2, 6
ROPE_THETA, NORM_EPSILON = 100.0, 1e-5

# pad_token_id stays unset: transformers would make it the embedding's padding_idx.
CONFIG = dict(
    vocab_size=VOCABULARY,
    hidden_size=WIDTH,
    intermediate_size=10,
    num_hidden_layers=BLOCKS,
    num_attention_heads=HEADS,
    num_key_value_heads=KEY_VALUE_HEADS,
    head_dim=HEAD_WIDTH,
    max_position_embeddings=32,
    rms_norm_eps=NORM_EPSILON,
    rope_parameters={"rope_type": "default", "rope_theta": ROPE_THETA},
    tie_word_embeddings=False,
    attention_bias=False,
    mlp_bias=False,
    bos_token_id=DOCUMENT_START,
    eos_token_id=2,
)

ATTENTION_TENSORS = ["input_layernorm", *(f"self_attn.{letter}_proj" for letter in "qkvo")]
MLP_TENSORS = ["post_attention_layernorm", *(f"mlp.{which}_proj" for which in ("gate", "up", "down"))]
MODULES = [f"{kind}{block}" for block in range(BLOCKS) for kind in ("attention", "mlp")]
POINTS = ["embedding", *(f"{where}{block}" for block in range(BLOCKS) for where in ("middle", "block"))]


def demand(condition, message: str) -> None:
    if not condition:
        raise SystemExit(message)


def close(found, expected, tolerance: float) -> bool:
    return np.allclose(found, expected, rtol=tolerance, atol=tolerance)


# ------------------------------------------------------------------------------------- random models and text


def generator_for(name: str) -> torch.Generator:
    """A generator of its own for each thing made: changing one changes no other."""
    return torch.Generator().manual_seed(SEED + zlib.crc32(name.encode()))


def random_base() -> LlamaForCausalLM:
    model, generator = LlamaForCausalLM(LlamaConfig(**CONFIG)), generator_for("base")
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            noise = torch.randn(parameter.shape, generator=generator)
            parameter.copy_(1 + NORM_SPREAD * noise if name.endswith("norm.weight") else WEIGHT_SCALE * noise)
    return model


def random_finetune(base: LlamaForCausalLM) -> LlamaForCausalLM:
    model, generator = copy.deepcopy(base), generator_for("finetuned")
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            if name.startswith("model.layers."):
                noise = torch.randn(parameter.shape, generator=generator)
                parameter.add_(noise * (CHANGE_NORM / noise.norm()))
    return model


def random_text() -> list:
    generator = generator_for("text")
    lengths = torch.randint(SHORTEST, LONGEST + 1, (ROWS,), generator=generator).tolist()
    rows = [torch.randint(2, VOCABULARY, (length - 1,), generator=generator).tolist() for length in lengths]
    demand({*lengths} == {*range(SHORTEST, LONGEST + 1)}, "some length does not occur")
    demand({*sum(rows, [])} == {*range(2, VOCABULARY)}, "some token does not occur")
    return [[DOCUMENT_START, *row] for row in rows]


# --------------------------------------------------------------------------------------------- two forward passes


@dataclass
class Trace:
    """What happens in a model on one row: all in float64, time first (attention: head, query, key)."""

    streams: dict = field(default_factory=dict)  # POINTS; "middle0" is the residual stream after attention of block 0
    outputs: dict = field(default_factory=dict)  # MODULES; what the module adds to the stream
    attention: list = field(default_factory=list)  # a block: probabilities [head, query, key]
    values: list = field(default_factory=list)  # a block: [key-value head, key, head width]
    logits: np.ndarray | None = None


class Model:
    """A Llama with these weights (name in the file: float64 array)."""

    def __init__(self, weights: dict):
        self.weights = weights

    def run(self, row: list, streams: dict = {}, outputs: dict = {}) -> Trace:
        """The row alone; where `streams` or `outputs` has a value (all positions), that is put in place."""
        raise NotImplementedError

    def head(self, stream):
        """Logits of a stream: the final norm and the head."""
        return rms_norm(stream, self.weights["model.norm.weight"]) @ self.weights["lm_head.weight"].T


def rms_norm(x, gain):
    return x / np.sqrt((x * x).mean(-1, keepdims=True) + NORM_EPSILON) * gain


def rotate(x):
    """Half-split rotary positions on [head, time, head width]."""
    half = HEAD_WIDTH // 2
    angles = np.outer(np.arange(x.shape[1]), ROPE_THETA ** (-np.arange(half) / half))
    left, right = x[..., :half], x[..., half:]
    cosine, sine = np.cos(angles), np.sin(angles)
    return np.concatenate([left * cosine - right * sine, right * cosine + left * sine], axis=-1)


def softmax(x):
    shifted = np.exp(x - x.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def log_softmax(x):
    shifted = x - x.max(-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(-1, keepdims=True))


class WrittenOut(Model):
    """The forward pass in float64, in the open."""

    def run(self, row, streams={}, outputs={}):
        trace = Trace()

        def stream(point, value):
            trace.streams[point] = streams.get(point, value)
            return trace.streams[point]

        def output(module, value):
            trace.outputs[module] = outputs.get(module, value)
            return trace.outputs[module]

        x = stream("embedding", self.weights["model.embed_tokens.weight"][row])
        for block in range(BLOCKS):
            x = stream(f"middle{block}", x + output(f"attention{block}", self.attend(block, x, trace)))
            x = stream(f"block{block}", x + output(f"mlp{block}", self.mlp(block, x)))
        trace.logits = self.head(x)
        return trace

    def tensor(self, block, name):
        return self.weights[f"model.layers.{block}.{name}.weight"]

    def attend(self, block, x, trace):
        x = rms_norm(x, self.tensor(block, "input_layernorm"))
        query, key, value = (
            (x @ self.tensor(block, f"self_attn.{letter}_proj").T).reshape(len(x), -1, HEAD_WIDTH).transpose(1, 0, 2)
            for letter in "qkv"
        )
        query, key = rotate(query), rotate(key)
        future = np.triu(np.full((len(x), len(x)), -np.inf), 1)
        group = HEADS // KEY_VALUE_HEADS
        attention = np.stack(
            [softmax(query[h] @ key[h // group].T / math.sqrt(HEAD_WIDTH) + future) for h in range(HEADS)]
        )
        trace.attention.append(attention)
        trace.values.append(value)
        mixed = np.concatenate([attention[h] @ value[h // group] for h in range(HEADS)], axis=-1)
        return mixed @ self.tensor(block, "self_attn.o_proj").T

    def mlp(self, block, x):
        x = rms_norm(x, self.tensor(block, "post_attention_layernorm"))
        gate = x @ self.tensor(block, "mlp.gate_proj").T
        return (gate / (1 + np.exp(-gate)) * (x @ self.tensor(block, "mlp.up_proj").T)) @ self.tensor(
            block, "mlp.down_proj"
        ).T


class Transformers(Model):
    """transformers' forward pass in float32, watched and changed by hooks."""

    def __init__(self, weights):
        super().__init__(weights)
        self.model = LlamaForCausalLM(LlamaConfig(**CONFIG, attn_implementation="eager")).eval()
        self.model.load_state_dict({name: torch.from_numpy(w).float() for name, w in weights.items()}, strict=True)

    def run(self, row, streams={}, outputs={}):
        trace, inner = Trace(attention=[None] * BLOCKS, values=[None] * BLOCKS), self.model.model
        residual = {}

        def numbers(tensor):
            return tensor[0].double().numpy()

        def tensor(array):
            return torch.from_numpy(array).float()[None]

        def watch_stream(point):
            def hook(module, inputs, found):
                found = tensor(streams[point]) if point in streams else found
                trace.streams[point] = numbers(found)
                return found

            return hook

        def watch_residual(block):
            def hook(module, inputs):
                residual[block] = inputs[0]

            return hook

        def watch_attention(block):
            def hook(module, inputs, found):
                added, attention = found
                if f"attention{block}" in outputs:
                    added = tensor(outputs[f"attention{block}"])
                trace.outputs[f"attention{block}"] = numbers(added)
                trace.attention[block] = numbers(attention)
                if f"middle{block}" in streams:  # the layer adds its input again
                    added = tensor(streams[f"middle{block}"]) - residual[block]
                return added, attention

            return hook

        def watch_values(block):
            def hook(module, inputs, found):
                trace.values[block] = numbers(found).reshape(-1, KEY_VALUE_HEADS, HEAD_WIDTH).transpose(1, 0, 2)

            return hook

        def watch_middle(block):
            def hook(module, inputs):
                trace.streams[f"middle{block}"] = numbers(inputs[0])

            return hook

        def watch_mlp(block):
            def hook(module, inputs, found):
                found = tensor(outputs[f"mlp{block}"]) if f"mlp{block}" in outputs else found
                trace.outputs[f"mlp{block}"] = numbers(found)
                return found

            return hook

        with ExitStack() as stack, torch.no_grad():
            hooks = [inner.embed_tokens.register_forward_hook(watch_stream("embedding"))]
            for block, layer in enumerate(inner.layers):
                hooks += [
                    layer.register_forward_pre_hook(watch_residual(block)),
                    layer.self_attn.v_proj.register_forward_hook(watch_values(block)),
                    layer.self_attn.register_forward_hook(watch_attention(block)),
                    layer.post_attention_layernorm.register_forward_pre_hook(watch_middle(block)),
                    layer.mlp.register_forward_hook(watch_mlp(block)),
                    layer.register_forward_hook(watch_stream(f"block{block}")),
                ]
            for hook in hooks:
                stack.callback(hook.remove)
            asked = {"output_attentions": True, "output_hidden_states": True, "use_cache": False}
            found = self.model(input_ids=torch.tensor([row]), **asked)
        trace.logits = numbers(found.logits)
        if not streams and not outputs:
            self.require_own_account(trace, found)
        return trace

    def require_own_account(self, trace, found):
        """The hooks saw what transformers itself hands out; its last hidden state is the one after the final norm."""
        points = ["embedding", *(f"block{block}" for block in range(BLOCKS - 1))]
        for point, states in zip(points, found.hidden_states):
            demand(close(states[0].double(), trace.streams[point], 1e-6), f"{point}: not transformers' hidden state")
        normed = rms_norm(trace.streams[f"block{BLOCKS - 1}"], self.weights["model.norm.weight"])
        demand(close(found.hidden_states[-1][0].double(), normed, 1e-5), "the last hidden state is not the normed one")
        for block, attention in enumerate(found.attentions):
            demand(close(attention[0].double(), trace.attention[block], 1e-6), f"block {block}: other attention")


def require_sound(trace: Trace) -> None:
    """What holds in any Llama that nobody meddles with."""
    before = trace.streams["embedding"]
    for block in range(BLOCKS):
        middle, after = trace.streams[f"middle{block}"], trace.streams[f"block{block}"]
        demand(close(before + trace.outputs[f"attention{block}"], middle, 1e-5), "attention output does not add up")
        demand(close(middle + trace.outputs[f"mlp{block}"], after, 1e-5), "mlp output does not add up")
        before = after
        attention = trace.attention[block]
        demand(close(attention.sum(-1), 1, 1e-6), "a row of attention does not sum to 1")
        demand(np.all(np.triu(attention, 1) == 0), "attention to the future")


def require_same_trace(found: Trace, expected: Trace) -> None:
    for kind in ("streams", "outputs"):
        for key, value in getattr(expected, kind).items():
            demand(close(getattr(found, kind)[key], value, 2e-5), f"{kind} {key}: the two forward passes differ")
    for kind in ("attention", "values"):
        for block, value in enumerate(getattr(expected, kind)):
            demand(close(getattr(found, kind)[block], value, 2e-5), f"{kind} {block}: the two forward passes differ")
    demand(close(found.logits, expected.logits, 2e-5), "logits: the two forward passes differ")


# --------------------------------------------------------------------------------------- measures of the weights


def block_matrices(weights: dict) -> list:
    return sorted(name for name, w in weights.items() if name.startswith("model.layers.") and w.ndim == 2)


def weight_changes(base: dict, finetuned: dict) -> dict:
    """For every matrix of a block, of its change D from W: frobenius, spectral, nuclear (norms), effectiveRank
    exp(-sum p ln p) with p the singular values over their sum, stableRank (frobenius/spectral)^2, and besideDecay,
    |D - dW|/|W| with d what all matrices decayed by: the median of <D,W>/|W|^2 over every matrix of the model (of an
    even number the upper of the middle two), or 0 if that is not from -1/2 to 0."""
    matrices = [name for name, w in base.items() if w.ndim == 2]
    along = sorted(((finetuned[n] - base[n]) * base[n]).sum() / (base[n] ** 2).sum() for n in matrices)
    median = along[len(along) // 2]
    decay = median if -0.5 <= median <= 0 else 0.0
    entries = {}
    for name in block_matrices(base):
        before, change = base[name], finetuned[name] - base[name]
        sigma = np.linalg.svd(change, compute_uv=False)
        share = sigma / sigma.sum()
        frobenius = math.sqrt((change**2).sum())
        size = math.sqrt((before**2).sum())
        entries[name] = {
            "frobenius": frobenius,
            "spectral": sigma[0],
            "nuclear": sigma.sum(),
            "effectiveRank": math.exp(-(share * np.log(share)).sum()),
            "stableRank": frobenius**2 / sigma[0] ** 2,
            "besideDecay": math.sqrt(((change - decay * before) ** 2).sum()) / size,
        }
        entry, as_torch = entries[name], torch.from_numpy(change)
        demand(close(frobenius, CHANGE_NORM, 1e-5), f"{name}: a change of another norm")
        demand(close(entry["spectral"], torch.linalg.matrix_norm(as_torch, 2), 1e-12), f"{name}: spectral norm")
        demand(close(entry["nuclear"], torch.linalg.matrix_norm(as_torch, "nuc"), 1e-12), f"{name}: nuclear norm")
        rest = torch.linalg.matrix_norm(as_torch - decay * torch.from_numpy(before)) / size
        demand(close(entry["besideDecay"], rest, 1e-12), f"{name}: change beside decay")
        demand(1 <= entry["stableRank"] <= entry["effectiveRank"] <= len(sigma), f"{name}: ranks")
    return entries


def intruders(base: dict, finetuned: dict) -> dict:
    """For every matrix of a block: cosines, the largest |cosine| of each of the finetuned matrix's first
    min(10, smaller side) left singular vectors with any of the base matrix's (as many as its smaller side); and
    share, sum s^2 (1 - cosine^2) / sum s^2 over those vectors, s their singular values."""
    entries = {}
    for name in block_matrices(base):
        before, sigma_before, _ = np.linalg.svd(base[name], full_matrices=False)
        after, sigma, _ = np.linalg.svd(finetuned[name], full_matrices=False)
        count = min(LEADING_VECTORS, len(sigma))
        cosines = np.abs(after[:, :count].T @ before).max(axis=1)
        energy = sigma[:count] ** 2
        entries[name] = {"cosines": cosines, "share": (energy * (1 - cosines**2)).sum() / energy.sum()}
        demand(np.all(cosines <= 1 + 1e-12), f"{name}: a cosine above 1")
        for spectrum in (sigma_before, sigma):  # near-equal singular values would leave the vectors to rounding
            demand(-np.diff(spectrum).max() / spectrum[0] > 1e-3, f"{name}: singular values too near each other")
    return entries


# ------------------------------------------------------------------------------------ measures of what models do


class Pair:
    """Both models, their traces on the text, and what concerns the counted tokens, joined over the rows."""

    def __init__(self, make, base: dict, finetuned: dict, text: list):
        self.make, self.text = make, text
        self.base, self.finetuned = make(base), make(finetuned)
        self.base_traces = [self.base.run(row) for row in text]
        self.finetuned_traces = [self.finetuned.run(row) for row in text]

    def counted(self, arrays):
        """Arrays of all rows, time first, without the document starts."""
        rows = zip(self.text, arrays, strict=True)
        return np.concatenate([array[np.array(row) != DOCUMENT_START] for row, array in rows])

    def streams(self, point: str):
        both = (self.base_traces, self.finetuned_traces)
        return tuple(self.counted([trace.streams[point] for trace in traces]) for traces in both)

    def logits(self):
        both = (self.base_traces, self.finetuned_traces)
        return tuple(self.counted([trace.logits for trace in traces]) for traces in both)


def divergence(log_p, log_q):
    """KL(p || q) along the last axis."""
    return (np.exp(log_p) * (log_p - log_q)).sum(-1)


def entropy(log_p):
    return -(np.exp(log_p) * log_p).sum(-1)


def jensen_shannon(log_p, log_q):
    middle = np.log((np.exp(log_p) + np.exp(log_q)) / 2)
    found = (divergence(log_p, middle) + divergence(log_q, middle)) / 2
    demand(np.all((found > -1e-12) & (found <= math.log(2))), "a Jensen-Shannon divergence outside 0...ln 2")
    return found


def centred(scores):
    return scores - scores.mean(-1, keepdims=True)


def norm(x):
    return np.sqrt((x * x).sum(-1))


def cosine(x, y):
    return (x * y).sum(-1) / (norm(x) * norm(y))


def activation_differences(pair: Pair) -> list:
    """A block: means over counted tokens of the norm of the difference, of that over the norm of the base's stream, of
    the cosine of the two streams, and (consistency) of the cosine of the difference with the mean difference."""
    entries = []
    for block in range(BLOCKS):
        base, finetuned = pair.streams(f"block{block}")
        difference = finetuned - base
        entries.append({
            "norm": norm(difference).mean(),
            "relativeNorm": (norm(difference) / norm(base)).mean(),
            "cosine": cosine(base, finetuned).mean(),
            "consistency": cosine(difference, difference.mean(0)).mean(),
        })  # fmt: skip
    return entries


def components(pair: Pair) -> list:
    """A block: of the covariance (centred, over N - 1) of the difference at counted tokens, the eigenvalues over their
    sum, the largest first, and the root of the largest."""
    entries = []
    for block in range(BLOCKS):
        base, finetuned = pair.streams(f"block{block}")
        difference = finetuned - base
        offset = difference - difference.mean(0)
        eigenvalues = np.linalg.eigvalsh(offset.T @ offset / (len(offset) - 1))[::-1]
        demand(close(eigenvalues.sum(), difference.var(0, ddof=1).sum(), 1e-10), "eigenvalues are not the variance")
        demand(eigenvalues[-1] > 0 and len(offset) > WIDTH, "a covariance that is not of full rank")
        entries.append({"shares": eigenvalues / eigenvalues.sum(), "largestDeviation": math.sqrt(eigenvalues[0])})
    return entries


def logit_lens(pair: Pair) -> list:
    """A block, over counted tokens, each model's stream through its own final norm and head: means of the
    Jensen-Shannon divergence, of both KL (finetunedFromBase is KL(finetuned || base)) and of the change of entropy;
    and promoted, the mean change of the log-probability of each vocabulary entry, centred over the vocabulary."""
    entries = []
    for block in range(BLOCKS):
        base, finetuned = pair.streams(f"block{block}")
        base, finetuned = log_softmax(pair.base.head(base)), log_softmax(pair.finetuned.head(finetuned))
        entries.append({
            "jensenShannon": jensen_shannon(finetuned, base).mean(),
            "finetunedFromBase": divergence(finetuned, base).mean(),
            "baseFromFinetuned": divergence(base, finetuned).mean(),
            "entropyChange": (entropy(finetuned) - entropy(base)).mean(),
            "promoted": centred((finetuned - base).mean(0)),
        })  # fmt: skip
    return entries


def mean_difference_lens(pair: Pair) -> dict:
    """For blocks 1 and 2: the mean difference over positions 1...16 of all rows (all counted tokens), times the
    finetuned model's final gain, through its head, centred over the vocabulary. No division by a root mean square."""
    demand(all(t in LENS_POSITIONS for row in pair.text for t in range(1, len(row))), "a row that is too long")
    entries = {}
    for block in LENS_BLOCKS:
        base, finetuned = pair.streams(f"block{block}")
        direction = (finetuned - base).mean(0) * pair.finetuned.weights["model.norm.weight"]
        entries[f"block{block}"] = centred(direction @ pair.finetuned.weights["lm_head.weight"].T)
    return entries


def output_divergence(pair: Pair) -> dict:
    """Means over counted tokens; flips is the share of them at which the most likely token is another."""
    base, finetuned = map(log_softmax, pair.logits())
    for answers in (base, finetuned):
        top = np.sort(answers, axis=-1)
        demand((top[:, -1] - top[:, -2]).min() > MARGIN, "two tokens are almost equally likely")
    flips = base.argmax(-1) != finetuned.argmax(-1)
    demand(0 < flips.mean() < 1, "no flips, or nothing but flips")
    return {
        "finetunedFromBase": divergence(finetuned, base).mean(),
        "baseFromFinetuned": divergence(base, finetuned).mean(),
        "flips": flips.mean(),
    }


def boosts(pair: Pair) -> dict:
    """For each vocabulary entry, at how many counted tokens it is among the 8 largest and among the 8 smallest of the
    logit differences (centred at each position, which changes no order)."""
    base, finetuned = pair.logits()
    change = centred(finetuned - base)
    ordered = np.sort(change, axis=-1)
    for cut in (BOOST_DEPTH, VOCABULARY - BOOST_DEPTH):
        demand((ordered[:, cut] - ordered[:, cut - 1]).min() > MARGIN, "almost a tie at the edge of the boosts")
    order = np.argsort(change, axis=-1)
    lowest = np.bincount(order[:, :BOOST_DEPTH].ravel(), minlength=VOCABULARY)
    highest = np.bincount(order[:, -BOOST_DEPTH:].ravel(), minlength=VOCABULARY)
    for counts in (lowest, highest):
        demand(counts.sum() == BOOST_DEPTH * len(change) and counts.max() <= len(change), "boosts do not add up")
    counts = {"largest": highest.tolist(), "smallest": lowest.tolist()}
    return {"countedTokens": len(change), "depth": BOOST_DEPTH, **counts}


def attention_change(pair: Pair) -> dict:
    """[block][head]: the Jensen-Shannon divergence of the two models' attention to the counted keys, over the logarithm
    of their number; the mean over all query positions that have at least two. Key 0, the document start, is taken out
    and the rest made to sum to 1 (plain), or each weight is first multiplied by the norm of what the head would add to
    the stream for this key, the model's own |W_O value| with the head's columns of W_O (valueWeighted)."""
    group = HEADS // KEY_VALUE_HEADS
    sums = {kind: np.zeros((BLOCKS, HEADS)) for kind in ("plain", "valueWeighted")}
    queries = 0
    for row, *traces in zip(pair.text, pair.base_traces, pair.finetuned_traces):
        for query in range(2, len(row)):
            queries += 1
            for block in range(BLOCKS):
                for head in range(HEADS):
                    log_p = {kind: [] for kind in sums}
                    for model, trace in zip((pair.base, pair.finetuned), traces):
                        out = model.weights[f"model.layers.{block}.self_attn.o_proj.weight"]
                        out = out[:, head * HEAD_WIDTH : (head + 1) * HEAD_WIDTH]
                        weight = trace.attention[block][head, query, 1 : query + 1]
                        value = trace.values[block][head // group, 1 : query + 1]
                        for kind, mass in (("plain", weight), ("valueWeighted", weight * norm(value @ out.T))):
                            log_p[kind].append(np.log(mass / mass.sum()))
                    for kind, (base, finetuned) in log_p.items():
                        sums[kind][block, head] += jensen_shannon(finetuned, base) / math.log(query)
    demand(queries == sum(len(row) - 2 for row in pair.text), "queries")
    return {"queries": queries, **{kind: total / queries for kind, total in sums.items()}}


def projection(stitched, base, finetuned) -> float:
    """How far from the base's answers to the finetuned model's: 0 is the base, 1 the finetuned model."""
    step = finetuned - base
    return ((stitched - base) * step).sum() / (step * step).sum()


def stitching(pair: Pair) -> list:
    """A point of the residual stream ("middle0" is after the attention of block 0, "block0" after its mlp): one model
    run with the other's stream from there on, at all positions; the projection of its log-probabilities at all counted
    tokens together: <stitched - base, finetuned - base> / |finetuned - base|^2."""

    def answers(traces):
        return log_softmax(pair.counted([trace.logits for trace in traces]))

    base, finetuned = answers(pair.base_traces), answers(pair.finetuned_traces)

    def stitched(model, point, traces):
        runs = [model.run(row, streams={point: trace.streams[point]}) for row, trace in zip(pair.text, traces)]
        return float(projection(answers(runs), base, finetuned))

    entries = [
        {
            "point": point,
            "finetunedIntoBase": stitched(pair.base, point, pair.finetuned_traces),
            "baseIntoFinetuned": stitched(pair.finetuned, point, pair.base_traces),
        }
        for point in POINTS
    ]
    first, last = entries[0], entries[-1]
    demand(abs(first["finetunedIntoBase"]) < 1e-5, "the embeddings are not equal")
    demand(abs(first["baseIntoFinetuned"] - 1) < 1e-5, "the embeddings are not equal")
    demand(abs(last["finetunedIntoBase"] - 1) < 1e-5, "final norm and head are not equal")
    demand(abs(last["baseIntoFinetuned"]) < 1e-5, "final norm and head are not equal")
    return entries


def patching(pair: Pair) -> list:
    """A module: patched, the base with the module's output at all positions replaced by what the finetuned model's gave
    in its own run; swapped, the base with the finetuned weights in this module (attention: input_layernorm, q, k, v, o;
    mlp: post_attention_layernorm, gate, up, down). The projection, as in stitching, of the log-probabilities at the
    last tokens of all rows together."""

    def answers(traces):
        return log_softmax(np.stack([trace.logits[-1] for trace in traces]))

    base, finetuned = answers(pair.base_traces), answers(pair.finetuned_traces)

    def patched(modules):
        return [
            pair.base.run(row, outputs={module: trace.outputs[module] for module in modules})
            for row, trace in zip(pair.text, pair.finetuned_traces)
        ]

    def swapped(modules):
        weights = dict(pair.base.weights)
        for module in modules:
            kind, block = module[:-1], module[-1]
            for tensor in ATTENTION_TENSORS if kind == "attention" else MLP_TENSORS:
                name = f"model.layers.{block}.{tensor}.weight"
                weights[name] = pair.finetuned.weights[name]
        model = pair.make(weights)
        return [model.run(row) for row in pair.text]

    def moved(traces):
        return float(projection(answers(traces), base, finetuned))

    entries = [{"module": m, "patched": moved(patched([m])), "swapped": moved(swapped([m]))} for m in MODULES]
    demand(abs(moved(patched(MODULES)) - 1) < 1e-5, "all outputs patched are not the finetuned model")
    demand(abs(moved(swapped(MODULES)) - 1) < 1e-5, "all modules swapped are not the finetuned model")
    demand(abs(entries[0]["patched"] - entries[0]["swapped"]) < 1e-5, "the first module sees the same embedding")
    return entries


def behaviour(pair: Pair) -> dict:
    for trace in [*pair.base_traces, *pair.finetuned_traces]:
        require_sound(trace)
    return {
        "activationDifferences": activation_differences(pair),
        "components": components(pair),
        "logitLens": logit_lens(pair),
        "meanDifferenceLens": mean_difference_lens(pair),
        "outputDivergence": output_divergence(pair),
        "boosts": boosts(pair),
        "attention": attention_change(pair),
        "stitching": stitching(pair),
        "patching": patching(pair),
    }


def require_same_values(found, expected, where: str) -> float:
    """The two accounts agree; the greatest error, relative beyond 1."""
    if isinstance(expected, dict):
        demand(list(found) == list(expected), f"{where}: other keys")
        return max(require_same_values(found[key], expected[key], f"{where}.{key}") for key in expected)
    if isinstance(expected, list):
        demand(len(found) == len(expected), f"{where}: another length")
        return max(require_same_values(*both, f"{where}[{i}]") for i, both in enumerate(zip(found, expected)))
    if isinstance(expected, (int, str)):
        demand(found == expected, f"{where}: {found} is not {expected}")
        return 0.0
    error = np.max(np.abs(np.subtract(found, expected)) / np.maximum(1, np.abs(expected)))
    demand(close(found, expected, 2e-5), f"{where}: the two accounts differ by {error}")
    return float(error)


# ------------------------------------------------------------------------------------------------------ files


def rounded(value):
    """Nine significant digits, in plain Python."""
    if isinstance(value, dict):
        return {key: rounded(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [rounded(entry) for entry in value]
    if isinstance(value, (float, np.floating)):
        demand(math.isfinite(value), "a value that is not finite")
        return float(f"{value:.9g}")
    return value


def write_reference(path: Path, value: dict) -> None:
    """One line for each entry of a section, so that a diff can be read."""
    sections = []
    for key, section in rounded(value).items():
        if isinstance(section, dict):
            lines, ends = [f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in section.items()], "{}"
        else:
            lines, ends = [json.dumps(entry) for entry in section], "[]"
        sections.append(f"{json.dumps(key)}: {ends[0]}\n  " + ",\n  ".join(lines) + f"\n {ends[1]}")
    path.write_text("{\n " + ",\n ".join(sections) + "\n}\n")


def save(model: LlamaForCausalLM, folder: Path) -> dict:
    """The model as a folder; gives its weights as the file has them, in float64."""
    model.save_pretrained(folder)
    (folder / "generation_config.json").unlink(missing_ok=True)
    loaded, report = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    problems = {kind: found for kind, found in report.items() if found}
    demand(not problems, f"{folder.name}: does not load cleanly: {problems}")
    for key, value in CONFIG.items():
        demand(getattr(loaded.config, key) == value, f"{folder.name}: another {key} than was asked for")
    file = load_file(folder / "model.safetensors")
    demand(all(tensor.dtype == np.float32 for tensor in file.values()), f"{folder.name}: not all float32")
    demand(file.keys() == loaded.state_dict().keys(), f"{folder.name}: other tensors in the file")
    for name, tensor in loaded.state_dict().items():
        demand(np.array_equal(tensor.numpy(), file[name]), f"{folder.name}: {name} is not what was loaded")
    return {name: tensor.astype(np.float64) for name, tensor in file.items()}


def finish(folder: Path) -> None:
    """Readable by all (the safetensors writer says 0600), small enough to commit."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    for path in files:
        path.chmod(0o644)
        print(f"{path.relative_to(HERE)}: {path.stat().st_size} bytes")
    size = sum(path.stat().st_size for path in files)
    demand(size <= FOLDER_LIMIT, f"{folder.name}: {size} bytes, more than {FOLDER_LIMIT}")


def versions() -> dict:
    return {module.__name__: str(module.__version__) for module in (torch, transformers, safetensors, np)}


def main() -> None:
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if versions() != TESTED_VERSIONS:
        warnings.warn(f"made with {versions()}, tested with {TESTED_VERSIONS}: files may differ")

    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    made = random_base()
    base = save(made, FOLDER / "base")
    finetuned = save(random_finetune(made), FOLDER / "finetuned")
    for name in base:
        same = np.array_equal(base[name], finetuned[name])
        demand(same != name.startswith("model.layers."), f"{name}: changed, and should not be, or the reverse")

    text = random_text()
    pair, other = (Pair(make, base, finetuned, text) for make in (WrittenOut, Transformers))
    for kind in ("base_traces", "finetuned_traces"):
        for found, expected in zip(getattr(other, kind), getattr(pair, kind)):
            require_same_trace(found, expected)
    values = behaviour(pair)
    error = require_same_values(behaviour(other), values, "reference")
    print(f"the written-out float64 pass and transformers' float32 pass agree to {error:.1e}")

    write_reference(FOLDER / "reference.json", {
        "text": text,
        "weights": weight_changes(base, finetuned),
        "intruders": intruders(base, finetuned),
        **values,
        "madeWith": {"seed": SEED, **versions()},
    })  # fmt: skip
    finish(FOLDER)


if __name__ == "__main__":
    main()
