"""Codes, losses and gradients of BatchTopK dictionaries by PyTorch, which Assay's trainer is checked against.

Maker:    this script
Seed:     20251130
Versions: Python 3.11, torch 2.15.0

    make_dictionary_references.py [OUT]
        Writes OUT (Fixtures/dictionaries/reference.json beside this script): for an autoencoder and a crosscoder the
        weights, a batch, what BatchTopK keeps of it, the loss, the loss of dead latents, and the gradients of both.

Written from the papers (arXiv 2412.06410, 2504.02922) in double precision, with autograd.
"""

import json
import sys
from pathlib import Path

import torch

torch.manual_seed(20251130)
torch.set_default_dtype(torch.float64)


def numbers(tensor):
    """Single precision, so that both sides compute with the same numbers."""
    return [float(f"{number:.9g}") for number in tensor.detach().flatten().to(torch.float32).tolist()]


def case(models, width, latents, rows, active, dead, auxiliary):
    columns = models * width
    draw = lambda *shape: torch.randn(*shape).to(torch.float32).to(torch.float64)
    encoder, decoder = draw(latents, columns), draw(latents, columns)
    encoder_bias, decoder_bias = 0.3 * draw(latents), 0.3 * draw(columns)
    parts = [
        part.to(torch.float32).to(torch.float64).requires_grad_()
        for part in (encoder, encoder_bias, decoder, decoder_bias)
    ]
    encoder, encoder_bias, decoder, decoder_bias = parts
    batch = draw(rows, columns)

    activations = batch @ encoder.T + encoder_bias
    norms = decoder.reshape(latents, models, width).norm(dim=2).sum(1)
    scores = torch.relu(activations) * norms
    bound = scores.flatten().topk(active).values[-1]
    codes = torch.where(scores >= bound, activations, torch.zeros(()))
    rest = batch - codes @ decoder - decoder_bias
    loss = rest.square().sum(1).mean()

    given = rest.detach()
    silent = torch.relu(activations[:, dead])
    most = min(len(dead), width // 2)
    least = silent.topk(most, dim=1).values[:, -1:]
    silent = torch.where(silent >= least, silent, torch.zeros(()))
    left = given - silent @ decoder[dead]
    revival = auxiliary * left.square().sum() / given.square().sum()
    gradients = torch.autograd.grad(loss + revival, parts)
    names = ["encoder", "encoderBias", "decoder", "decoderBias"]
    return {
        "models": models, "width": width, "latents": latents, "active": active, "dead": dead, "auxiliary": auxiliary,
        "batch": numbers(batch), "codes": numbers(codes), "least": bound.item(), "loss": loss.item(),
        "weights": {name: numbers(part) for name, part in zip(names, parts)},
        "gradients": {name: numbers(gradient) for name, gradient in zip(names, gradients)},
    }


if __name__ == "__main__":
    place = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "dictionaries" / "reference.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    cases = [
        case(1, 6, 14, 20, 50, [1, 4, 9], 1 / 32),
        case(2, 4, 16, 24, 72, [0, 2, 3, 7, 11, 15], 0.5),
    ]
    place.write_text(json.dumps({"madeWith": {"torch": torch.__version__}, "cases": cases}) + "\n")
