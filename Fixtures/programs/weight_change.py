"""A method with NumPy and safetensors alone: how far each matrix moved, and what the largest change does.

    ./assay bench --external weight-change@weights='python3 Fixtures/programs/weight_change.py {base} {finetuned} {out}'

Whether: the norm of the change as a share of the weights'. Where: modules of the blocks by the norm of their change. How: the
first singular pair of the tensor that moved furthest, added to the base.
"""

import json
import re
import sys

import numpy
from safetensors.numpy import load_file


def module(name):
    """The module of a tensor as evidence names it; None for what is in no block."""
    found = re.search(r"layers\.(\d+)\.(self_attn|mlp)\.", name)
    return f"blocks.{found[1]}.{'attn' if found[2] == 'self_attn' else 'mlp'}" if found else None


def main(base_folder, finetuned_folder, out):
    base = load_file(f"{base_folder}/model.safetensors")
    finetuned = load_file(f"{finetuned_folder}/model.safetensors")
    changes = {name: finetuned[name] - base[name] for name in base}
    size = sum(float((tensor**2).sum()) for tensor in base.values())
    energies = {name: float((change**2).sum()) for name, change in changes.items()}
    sites = {}
    for name, energy in energies.items():
        if module(name):
            sites[module(name)] = sites.get(module(name), 0) + energy
    evidence = {
        "magnitude": (sum(energies.values()) / size) ** 0.5,
        "sites": [
            {"site": site, "score": energy**0.5}
            for site, energy in sorted(sites.items(), key=lambda item: -item[1])
        ],
    }
    matrices = [name for name in changes if changes[name].ndim == 2 and module(name)]
    largest = max(matrices, key=energies.get)
    left, values, right = numpy.linalg.svd(changes[largest], full_matrices=False)
    evidence["interventions"] = [
        {
            "weights": [
                {
                    "tensor": largest,
                    "rank": 1,
                    "left": (left[:, 0] * values[0]).tolist(),
                    "right": right[0].tolist(),
                }
            ]
        }
    ]
    with open(out, "w") as file:
        json.dump(evidence, file)


main(*sys.argv[1:])
