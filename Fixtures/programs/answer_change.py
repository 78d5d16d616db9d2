"""A method with transformers that stays up, so that its libraries are loaded once: how the answers to prompts changed.

    ./assay bench --external answer-change@pool='python3 Fixtures/programs/answer_change.py'

It reads a line of JSON for each pair, {"base": ..., "finetuned": ..., "prompts": ..., "out": ..., "seed": ...}, writes its evidence
to "out" and answers {"done": true}, or {"error": "..."} if it cannot.
"""

import json
import sys

import torch
from transformers import AutoModelForCausalLM


def answers(folder, rows):
    """Log-probabilities of the token behind each row, shaped [rows, vocabulary]."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    result = [None] * len(rows)
    by_length = {}
    for index, row in enumerate(rows):
        by_length.setdefault(len(row), []).append(index)
    with torch.no_grad():
        for indices in by_length.values():
            logits = model(torch.tensor([rows[index] for index in indices])).logits[:, -1]
            for index, row in zip(indices, logits.log_softmax(-1)):
                result[index] = row
    return torch.stack(result)


def ranking(scores, name):
    order = sorted(range(len(scores)), key=lambda index: -scores[index])
    return [{name: index, "score": scores[index]} for index in order]


def evidence(request):
    with open(request["prompts"]) as file:
        prompts = json.load(file)
    base = answers(request["base"], prompts["text"])
    finetuned = answers(request["finetuned"], prompts["text"])
    divergences = (finetuned.exp() * (finetuned - base)).sum(-1)
    # What became likelier where the answers changed most.
    furthest = divergences.topk(max(1, len(divergences) // 20)).indices
    gains = (finetuned - base)[furthest].mean(0)
    gains[prompts["specialTokens"]] = float("-inf")
    tokens = [claim for claim in ranking(gains.tolist(), "token") if claim["score"] > 0]
    return {
        "magnitude": divergences.mean().item(),
        "tokens": [dict(claim, sign=1) for claim in tokens],
        "inputs": ranking(divergences.tolist(), "row"),
    }


for line in sys.stdin:
    try:
        request = json.loads(line)
        with open(request["out"], "w") as file:
            json.dump(evidence(request), file)
        print(json.dumps({"done": True}), flush=True)
    except Exception as error:
        print(json.dumps({"error": str(error)}), flush=True)
