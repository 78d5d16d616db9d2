"""Codes, losses and gradients of BatchTopK dictionaries by PyTorch, which Assay's trainer is checked against.

Maker:    this script
Seed:     20251130
Versions: Python 3.11, torch 2.15.0

    make_dictionary_references.py [OUT]
        Writes OUT (Fixtures/dictionaries/reference.json beside this script): for an autoencoder and for crosscoders of
        each variant the weights, a batch, the latents that are active in it, the loss, and the gradients of that, of the
        loss of dead latents, and of what a variant adds.

Written from the papers (arXiv 2412.06410, 2504.02922, 2602.11729, 2603.04426; Lindsey et al., 2024) in double precision,
with autograd.
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


def kept(activations, norms, active):
    """The most active latents of a whole batch, and the bound that their scores reach."""
    scores = torch.relu(activations) * norms
    bound = scores.flatten().topk(active).values[-1]
    return torch.where(scores >= bound, activations, torch.zeros(())), bound


def revival(dead, activations, given, decoder, most):
    """What dead latents leave of what is left over, as a share of it."""
    silent = torch.relu(activations[:, dead])
    least = silent.topk(min(len(dead), most), dim=1).values[:, -1:]
    silent = torch.where(silent >= least, silent, torch.zeros(()))
    return (given - silent @ decoder[dead]).square().sum() / given.square().sum()


def case(models, width, latents, rows, active, dead=(), auxiliary=0, penalty=None, difference=None, exclusive=None):
    columns = models * width
    draw = lambda *shape: torch.randn(*shape).to(torch.float32).to(torch.float64)
    encoder, decoder = draw(latents, columns), draw(latents, columns)
    encoder_bias, decoder_bias = 0.3 * draw(latents), 0.3 * draw(columns)
    mask = torch.ones(latents, models, width)
    for model, (first, end) in enumerate(exclusive or []):
        mask[first:end] = 0
        mask[first:end, model] = 1
    mask = mask.reshape(latents, columns)
    parts = [
        part.to(torch.float32).to(torch.float64).requires_grad_()
        for part in (encoder * mask, encoder_bias, decoder * mask, decoder_bias)
    ]
    encoder, encoder_bias, decoder, decoder_bias = parts
    batch = draw(rows, columns)

    activations = batch @ (encoder * mask).T + encoder_bias
    directions = decoder * mask
    norms = directions.reshape(latents, models, width).norm(dim=2).sum(1)
    first = difference["first"] if difference else latents
    added = 0
    if penalty:
        codes, bound = torch.relu(activations), torch.zeros(())
        added = penalty * (codes * norms).sum(1).mean()
    else:
        codes, bound = kept(activations[:, :first], norms[:first], active)
    if difference:
        own, least = kept(activations[:, first:], norms[first:], difference["active"])
        codes = torch.cat([codes, own], dim=1)
        change = directions[first:, width:] - directions[first:, :width]
        added = difference["weight"] * (batch[:, width:] - batch[:, :width] - own @ change).square().sum(1).mean()
        difference = difference | {"least": least.item()}
    rest = batch - codes @ directions - decoder_bias
    loss = rest.square().sum(1).mean()
    if dead:
        added = added + auxiliary * revival(dead, activations, rest.detach(), directions, width // 2)
    gradients = torch.autograd.grad(loss + added, parts)
    names = ["encoder", "encoderBias", "decoder", "decoderBias"]
    return {
        "models": models, "width": width, "latents": latents, "active": active, "dead": list(dead),
        "auxiliary": auxiliary, "penalty": penalty, "difference": difference, "exclusive": exclusive,
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
        case(2, 4, 10, 20, 200, penalty=0.7),
        case(2, 5, 14, 20, 40, difference={"first": 10, "active": 12, "weight": 3.0}),
        case(2, 4, 12, 20, 48, [1, 9, 11], 0.25, exclusive=[[8, 10], [10, 12]]),
    ]
    place.write_text(json.dumps({"madeWith": {"torch": torch.__version__}, "cases": cases}) + "\n")
