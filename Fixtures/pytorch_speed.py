"""Fast, honest PyTorch-eager models to measure against, driven line by line so that runs can be interleaved.

Maker:    written by hand for Assay's benchmark; run by it, or: echo '{"width": 64, ...}' | python pytorch_speed.py
Seed:     20250611 (weights and tokens; the times do not depend on them)
Versions: torch 2.13.0+cpu, transformers 5.23.0, peft 0.21.2, Python 3.11

Each input line is a JSON object

    {"width": 64, "layers": 3, "heads": 4, "keyHeads": 4, "intermediate": 176, "vocabulary": 1024, "batch": 32,
     "threads": 1, "steps": 5, "kind": "train"}

with kind "train", "lora" or "forward", or of a crosscoder

    {"width": 64, "models": 2, "latents": 512, "sparsity": 8, "batch": 512, "threads": 1, "steps": 5,
     "kind": "crosscoder"}

whose tokens are rows of activations. Each answer is one line

    {"tokensPerSecond": by the wall clock, "tokensPerCPUSecond": by the process's CPU time, "seconds": wall, "loss": ...}

or {"error": "..."}. It ends at the end of the input. The intermediate widths meant are 176, 344 and 688 for 64, 128
and 256, with 4, 8 and 8 heads. "loss" is that of the last training step, null for "forward".

The model of vocabulary 1024: context 64, untied head, RMSNorm (F.rms_norm), rotary positions (half split), causal SDPA,
SwiGLU; float32. A training step is forward, mean cross-entropy, backward, clip_grad_norm_ 1.0, fused AdamW. A forward
pass computes the logits of every position under inference_mode. What PyTorch offers without compiling is used: query,
key and value come from one product, gate and up from one product. One of a larger vocabulary is transformers' Llama
with a tied head and SDPA, adapted by PEFT for "lora": rank 8 on queries, values, outputs and down projections, loss on
the last 24 tokens of a row. Models are cached by shape and warmed up once for
each new setting, outside the measured time.
"""

import json
import os
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")  # the start; each request sets its own number of threads

import torch
from torch import nn
from torch.nn import functional as F

SEED = 20250611
VOCABULARY, CONTEXT = 1024, 64
ROPE_THETA, NORM_EPSILON = 10000.0, 1e-5
LEARNING_RATE, CLIP_NORM = 1e-3, 1.0
ANSWER = 24  # the last tokens of a row, which a LoRA's loss is on
BATCHES = 8  # different batches that a run goes round
WARM_UP_STEPS = 2


class RMSNorm(nn.Module):
    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, self.weight.shape, self.weight, NORM_EPSILON)


def rotate(x, cosine, sine):
    """Half-split rotary positions on [batch, time, heads, head width]."""
    left, right = x.chunk(2, dim=-1)
    return torch.cat((left * cosine - right * sine, right * cosine + left * sine), dim=-1)


class Block(nn.Module):
    def __init__(self, width: int, heads: int, intermediate: int):
        super().__init__()
        self.heads = heads
        self.attention_norm, self.mlp_norm = RMSNorm(width), RMSNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.output = nn.Linear(width, width, bias=False)
        self.gate_up = nn.Linear(width, 2 * intermediate, bias=False)
        self.down = nn.Linear(intermediate, width, bias=False)

    def attention(self, x, cosine, sine):
        batch, time_steps, width = x.shape
        packed = self.query_key_value(x).view(batch, time_steps, 3 * self.heads, width // self.heads)
        query_key, value = packed.split((2 * self.heads, self.heads), dim=2)
        query, key = rotate(query_key, cosine, sine).chunk(2, dim=2)
        mixed = F.scaled_dot_product_attention(
            query.transpose(1, 2), key.transpose(1, 2), value.transpose(1, 2), is_causal=True
        )
        return self.output(mixed.transpose(1, 2).reshape(batch, time_steps, width))

    def mlp(self, x):
        gate, up = self.gate_up(x).chunk(2, dim=-1)
        return self.down(F.silu(gate) * up)

    def forward(self, x, cosine, sine):
        x = x + self.attention(self.attention_norm(x), cosine, sine)
        return x + self.mlp(self.mlp_norm(x))


class Llama(nn.Module):
    def __init__(self, width: int, layers: int, heads: int, intermediate: int):
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, width)
        self.blocks = nn.ModuleList(Block(width, heads, intermediate) for _ in range(layers))
        self.norm = RMSNorm(width)
        self.head = nn.Linear(width, VOCABULARY, bias=False)
        for parameter in self.parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)
        half = width // heads // 2
        frequencies = ROPE_THETA ** (-torch.arange(half, dtype=torch.float64) / half)
        angles = torch.arange(CONTEXT, dtype=torch.float64)[:, None, None] * frequencies
        self.register_buffer("cosine", angles.cos().float(), persistent=False)
        self.register_buffer("sine", angles.sin().float(), persistent=False)

    def forward(self, tokens):
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x, self.cosine, self.sine)
        return self.head(self.norm(x))


class Subject:
    """One model with its optimizer."""

    def __init__(self, width: int, layers: int, heads: int, intermediate: int):
        torch.manual_seed(SEED)
        self.model = Llama(width, layers, heads, intermediate)
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=LEARNING_RATE, fused=True)

    def train(self, tokens) -> torch.Tensor:
        inputs, targets = tokens
        self.optimizer.zero_grad(set_to_none=True)
        logits = self.model(inputs)
        loss = F.cross_entropy(logits.view(-1, VOCABULARY), targets.view(-1))
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), CLIP_NORM)
        self.optimizer.step()
        return loss.detach()

    @torch.inference_mode()
    def forward(self, tokens) -> None:
        self.model(tokens[0])


class PublishedSubject:
    """A model as transformers builds it, with PEFT's factors and their optimizer."""

    def __init__(self, width: int, layers: int, heads: int, key_heads: int, intermediate: int, vocabulary: int):
        from peft import LoraConfig, get_peft_model
        from transformers import LlamaConfig, LlamaForCausalLM

        torch.manual_seed(SEED)
        configuration = LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=width,
            intermediate_size=intermediate,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            num_key_value_heads=key_heads,
            max_position_embeddings=CONTEXT,
            tie_word_embeddings=True,
            use_cache=False,
        )
        self.model = LlamaForCausalLM(configuration)
        lora = LoraConfig(r=8, lora_alpha=16, target_modules=["q_proj", "v_proj", "o_proj", "down_proj"])
        self.adapted = get_peft_model(self.model, lora)
        self.parameters = [p for p in self.adapted.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=LEARNING_RATE, fused=True)

    def lora(self, tokens) -> torch.Tensor:
        inputs, _ = tokens
        labels = inputs.clone()
        labels[:, :-ANSWER] = -100
        self.optimizer.zero_grad(set_to_none=True)
        loss = self.adapted(input_ids=inputs, labels=labels).loss
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, CLIP_NORM)
        self.optimizer.step()
        return loss.detach()

    @torch.inference_mode()
    def forward(self, tokens) -> None:
        with self.adapted.disable_adapter():
            self.adapted(input_ids=tokens[0])


class Crosscoder:
    """A BatchTopK crosscoder (arXiv 2504.02922) with its optimizer, without dead latents."""

    def __init__(self, width: int, models: int, latents: int, sparsity: int):
        torch.manual_seed(SEED)
        self.width, self.models, self.sparsity = width, models, sparsity
        self.decoder = nn.Parameter(F.normalize(torch.randn(latents, width), dim=1).repeat(1, models))
        self.encoder = nn.Parameter(self.decoder.detach() / models)
        self.encoder_bias = nn.Parameter(torch.zeros(latents))
        self.decoder_bias = nn.Parameter(torch.zeros(models * width))
        self.parameters = [self.encoder, self.encoder_bias, self.decoder, self.decoder_bias]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=LEARNING_RATE, weight_decay=0, fused=True)

    def crosscoder(self, rows) -> torch.Tensor:
        self.optimizer.zero_grad(set_to_none=True)
        codes = F.relu(F.linear(rows, self.encoder, self.encoder_bias))
        with torch.no_grad():
            norms = self.decoder.view(-1, self.models, self.width).norm(dim=2).sum(1)
            scores = codes * norms
            bound = scores.flatten().topk(self.sparsity * len(rows), sorted=False).values.min()
            mask = scores >= bound
        loss = (torch.addmm(self.decoder_bias, codes * mask, self.decoder) - rows).square().sum(1).mean()
        loss.backward()
        nn.utils.clip_grad_norm_(self.parameters, CLIP_NORM)
        self.optimizer.step()
        return loss.detach()


class Bench:
    """Answers requests; keeps models and what has been warmed up."""

    def __init__(self):
        self.subjects, self.batches, self.warm = {}, {}, set()

    def subject(self, shape: tuple, key_heads: int, vocabulary: int):
        key = (*shape, key_heads, vocabulary)
        if key not in self.subjects:
            width, layers, heads, intermediate = shape
            self.subjects[key] = (
                Subject(*shape)
                if vocabulary == VOCABULARY
                else PublishedSubject(width, layers, heads, key_heads, intermediate, vocabulary)
            )
        return self.subjects[key]

    def tokens(self, batch: int, vocabulary: int) -> list:
        if (batch, vocabulary) not in self.batches:
            generator = torch.Generator().manual_seed(SEED)
            rows = torch.randint(vocabulary, (BATCHES, batch, CONTEXT + 1), generator=generator)
            self.batches[batch, vocabulary] = [(row[:, :-1].contiguous(), row[:, 1:].contiguous()) for row in rows]
        return self.batches[batch, vocabulary]

    def crosscoder(self, request: dict) -> dict:
        width, models, latents, sparsity = (request[key] for key in ("width", "models", "latents", "sparsity"))
        key = ("crosscoder", width, models, latents, sparsity)
        if key not in self.subjects:
            self.subjects[key] = Crosscoder(width, models, latents, sparsity)
        size = (BATCHES, request["batch"], models * width)
        if size not in self.batches:
            self.batches[size] = list(torch.randn(size, generator=torch.Generator().manual_seed(SEED)))
        return self.timed(self.subjects[key], self.batches[size], request, request["batch"])

    def answer(self, request: dict) -> dict:
        if torch.get_num_threads() != request["threads"]:
            torch.set_num_threads(request["threads"])
        return self.crosscoder(request) if request["kind"] == "crosscoder" else self.model(request)

    def model(self, request: dict) -> dict:
        shape = tuple(request[key] for key in ("width", "layers", "heads", "intermediate"))
        batch, kind, vocabulary = request["batch"], request["kind"], request["vocabulary"]
        if kind not in ("train", "lora", "forward"):
            raise ValueError(f"kind must be train, lora, forward or crosscoder, not {kind!r}")
        subject, batches = self.subject(shape, request["keyHeads"], vocabulary), self.tokens(batch, vocabulary)
        return self.timed(subject, batches, request, batch * CONTEXT)

    def timed(self, subject, batches: list, request: dict, count: int) -> dict:
        """Runs the steps; `count` is what a step is worth."""
        threads, steps, kind = (request[key] for key in ("threads", "steps", "kind"))
        step, setting = getattr(subject, kind), (subject, request["batch"], threads, kind)
        if setting not in self.warm:
            for index in range(WARM_UP_STEPS):
                step(batches[index])
            self.warm.add(setting)

        wall, cpu = time.perf_counter(), time.process_time()
        for index in range(steps):
            loss = step(batches[index % BATCHES])
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
        return {
            "tokensPerSecond": steps * count / wall,
            "tokensPerCPUSecond": steps * count / cpu,
            "seconds": wall,
            "loss": None if kind == "forward" else loss.item(),
        }


def main() -> None:
    bench = Bench()
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            answer = bench.answer(json.loads(line))
        except Exception as error:  # the driver decides what to do; the next request may be fine
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
