"""Recomputes in NumPy what 'assay diff --method itda --dictionary D --save-activations FILE' wrote.

python check_itda.py FILE D [D ...], with numpy and safetensors; exits with 1 if anything differs.
"""

import json
import pathlib
import sys

import numpy
from safetensors.numpy import load_file


def code(row, atoms, sparsity):
    """Matching pursuit in double precision, up to where nothing but rounding is left."""
    rest, entries = row.astype(numpy.float64), {}
    square = rest @ rest
    for _ in range(sparsity):
        if rest @ rest <= 1e-10 * square:
            break
        products = atoms @ rest
        atom = int(numpy.argmax(numpy.abs(products)))
        entries[atom] = entries.get(atom, 0) + products[atom]
        rest = rest - products[atom] * atoms[atom]
    return entries


def stored(indices, values):
    return {int(i): float(v) for i, v in zip(indices, values) if i >= 0}


def check(file, folder):
    saved = load_file(str(folder / "dictionary.safetensors"))
    settings = json.loads((folder / "config.json").read_text())
    block = f"layers.{settings['origin']['layer']}"
    atoms = saved["atoms"].astype(numpy.float64)
    rows, sums = file["documents"], {}
    worst = 0.0
    for token in range(len(rows)):
        for side, sign in (("base", -1), ("finetuned", 1)):
            found = stored(
                file[f"{block}.{side}.codes.atoms"][token],
                file[f"{block}.{side}.codes.values"][token],
            )
            total = sums.setdefault(int(rows[token]), numpy.zeros(len(atoms)))
            for atom, value in found.items():
                total[atom] += sign * abs(value)
            if token % 25 == 0:
                row = file[f"{block}.{side}.activations"][token]
                own = code(row, atoms, settings["sparsity"])
                off = [abs(own.get(a, 0) - found.get(a, 0)) for a in set(own) | set(found)]
                worst = max(worst, max(off, default=0) / numpy.linalg.norm(row))
    counts = numpy.bincount(rows)
    growth = numpy.mean([total / counts[row] for row, total in sums.items()], axis=0)
    written = file[f"{block}.activation_differences"]
    off = float(numpy.abs(growth - written).max())
    indices = file[f"{block}.sorted_indices"]
    # Of two models that are the same nothing is ordered.
    ordered = (numpy.argsort(-written, kind="stable") == indices) | (indices == -1)
    print(f"{block}: codes differ by {worst:.1e}, differences by {off:.1e}")
    return worst < 1e-3 and off < 1e-5 and bool(ordered.all())


if __name__ == "__main__":
    tensors = load_file(sys.argv[1])
    results = [check(tensors, pathlib.Path(name)) for name in sys.argv[2:]]
    sys.exit(0 if all(results) else 1)
