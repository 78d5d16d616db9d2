"""Scores of the edges of a model by PyTorch, which Assay's edge attribution and its runs of circuits are checked against.

Maker:    this script
Seed:     none; the models are those of `Fixtures/transformers`
Versions: Python 3.11, torch 2.15.0, safetensors 0.8.0

    make_circuit_references.py [OUT]
        Writes OUT (Fixtures/circuits/reference.json beside this script): of each model the scores of every edge by EAP
        and by EAP-IG, the answers with single edges corrupted, and those of circuits.

Written from the papers (arXiv 2310.10348, 2403.17806) in double precision: every reader's stream is a sum over writers,
so that a gradient by it is autograd's, and an edge is cut by leaving its term as it is on the corrupted prompt.
"""

import json
import sys
from pathlib import Path

import torch
from safetensors.torch import load_file

torch.set_default_dtype(torch.float64)
FIXTURES = Path(__file__).parent


class Model:
    def __init__(self, name):
        folder = FIXTURES / "transformers" / name
        self.config = json.loads((folder / "config.json").read_text())
        self.weights = {k: v.double() for k, v in load_file(folder / "model.safetensors").items()}
        self.layers = self.config["num_hidden_layers"]
        self.heads = self.config["num_attention_heads"]
        self.keys = self.config["num_key_value_heads"]
        self.width = self.config["hidden_size"]
        self.head_width = self.config.get("head_dim") or self.width // self.heads

    def norm(self, x, name):
        scale = torch.rsqrt(x.square().mean(-1, keepdim=True) + self.config["rms_norm_eps"])
        return x * scale * self.weights[name]

    def rotate(self, x):
        theta = self.config.get("rope_theta") or self.config["rope_parameters"]["rope_theta"]
        half = self.head_width // 2
        rates = theta ** (-torch.arange(half).double() / half)
        angles = torch.arange(x.shape[0]).double()[:, None] * rates
        cos, sin = angles.cos(), angles.sin()
        a, b = x[:, :half], x[:, half:]
        return torch.cat([a * cos - b * sin, b * cos + a * sin], 1)

    def readers(self, layer):
        return [(kind, head) for kind, count in (("q", self.heads), ("k", self.keys), ("v", self.keys)) for head in range(count)]

    def run(self, embedding, stream):
        """Outputs of all writers, and the logits after the last token.

        `stream(reader, outputs)` gives what a reader reads, `outputs` being those of all writers before it.
        """
        outputs = [embedding]
        reader = 0
        for layer in range(self.layers):
            prefix = f"model.layers.{layer}."
            found = {}
            start = list(outputs)
            for kind, head in self.readers(layer):
                x = self.norm(stream(reader, start), prefix + "input_layernorm.weight")
                rows = slice(head * self.head_width, (head + 1) * self.head_width)
                found[kind, head] = x @ self.weights[f"{prefix}self_attn.{kind}_proj.weight"][rows].T
                reader += 1
            for head in range(self.heads):
                shared = head * self.keys // self.heads
                q, k = self.rotate(found["q", head]), self.rotate(found["k", shared])
                scores = q @ k.T / self.head_width**0.5
                mask = torch.ones_like(scores).triu(1).bool()
                pattern = scores.masked_fill(mask, -torch.inf).softmax(1)
                columns = slice(head * self.head_width, (head + 1) * self.head_width)
                outputs.append(pattern @ found["v", shared] @ self.weights[prefix + "self_attn.o_proj.weight"][:, columns].T)
            x = self.norm(stream(reader, list(outputs)), prefix + "post_attention_layernorm.weight")
            reader += 1
            gate = torch.nn.functional.silu(x @ self.weights[prefix + "mlp.gate_proj.weight"].T)
            up = x @ self.weights[prefix + "mlp.up_proj.weight"].T
            outputs.append((gate * up) @ self.weights[prefix + "mlp.down_proj.weight"].T)
        last = self.norm(stream(reader, list(outputs)), "model.norm.weight")[-1]
        head = self.weights.get("lm_head.weight", self.weights["model.embed_tokens.weight"])
        return outputs, last @ head.T

    def embed(self, tokens):
        return self.weights["model.embed_tokens.weight"][tokens]


def plain(reader, outputs):
    return sum(outputs)


def gradients(model, embedding, weights):
    """The gradient of a weighted sum of logits by what each reader reads."""
    read = {}

    def stream(reader, outputs):
        read[reader] = sum(outputs).clone().requires_grad_()
        if not read[reader].is_leaf:
            read[reader].retain_grad()
        return read[reader]

    _, logits = model.run(embedding.clone().requires_grad_(), stream)
    (logits @ weights).backward()
    return [read[reader].grad for reader in sorted(read)]


def case(name, rows, points, cut):
    model = Model(name)
    edges, effects, circuits = None, {}, []
    integrated = None
    for number, (clean, corrupted) in enumerate(rows):
        weights = torch.arange(model.weights["model.embed_tokens.weight"].shape[0]).double().add(number + 1).sin()
        starts = model.embed(clean), model.embed(corrupted)
        outputs, _ = model.run(starts[0], plain)
        others, _ = model.run(starts[1], plain)
        change = [b - a for a, b in zip(outputs, others)]

        def scores(grads):
            return torch.tensor([[(d * g).sum() for g in grads] for d in change])

        own = scores(gradients(model, starts[0], weights))
        path = [starts[1] + k / points * (starts[0] - starts[1]) for k in range(1, points + 1)]
        mean = [sum(g) / points for g in zip(*(gradients(model, start, weights) for start in path))]
        edges = own if edges is None else edges + own
        integrated = scores(mean) if integrated is None else integrated + scores(mean)
        # One edge at a time carries what it carries on the corrupted prompt.
        for writer, target in cut:

            def stream(reader, now):
                return sum(now) + (change[writer] if reader == target else 0)

            # Writers behind the reader are run anew; those before it are the clean ones.
            _, logits = model.run(starts[0], stream)
            effects[writer, target] = effects.get((writer, target), 0) + (logits @ weights).item()
        # A circuit of every second edge.
        for start in range(2):

            def stream(reader, now):
                return sum(
                    z if (writer + reader) % 2 == start else other
                    for writer, (z, other) in enumerate(zip(now, others)))

            _, logits = model.run(starts[0], stream)
            circuits.append(logits.tolist())
    return {
        "model": name, "clean": [a for a, _ in rows], "corrupted": [b for _, b in rows], "points": points,
        "scores": edges.flatten().tolist(), "integrated": integrated.flatten().tolist(),
        "effects": [{"writer": w, "reader": r, "figure": f} for (w, r), f in effects.items()],
        "circuits": circuits,
    }


def main():
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else FIXTURES / "circuits" / "reference.json"
    rows = [([1, 5, 2, 9], [1, 7, 2, 4]), ([3, 3, 8], [6, 3, 8]), ([2, 4, 6, 1, 7], [2, 5, 6, 1, 9])]
    cases = [
        case("plain", rows, 4, [(0, 0), (0, 12), (1, 12), (3, 13), (4, 12)]),
        case("grouped", rows, 3, [(0, 1), (0, 8), (5, 10), (3, 12)]),
    ]
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps({"madeWith": {"torch": torch.__version__}, "cases": cases}) + "\n")


main()
