"""Reads what 'assay bench' keeps, with nothing but Python's own library.

    python3 Fixtures/read_evidence.py .assay/evidence/dish-facts-fresh-*.jsonl

Prints each cell's magnitude and first tokens. Fixtures/evidence.schema.json describes the lines.
"""

import array
import base64
import json
import sys


def unpack(numbers):
    """A list of numbers, or 'f32:', 'u16:' or 'u32:' and the base64 of little-endian numbers."""
    if isinstance(numbers, list):
        return numbers
    kind, text = numbers.split(":", 1)
    values = array.array({"f32": "f", "u16": "H", "u32": "I"}[kind], base64.b64decode(text))
    if sys.byteorder == "big":
        values.byteswap()
    return values.tolist()


def fnv1a(data):
    """The digest that lines are sealed with: FNV-1a, 64 bits."""
    state = 0xCBF29CE484222325
    for byte in data:
        state = ((state ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{state:016x}"


def lines(path):
    """The lines of a file that are what was written."""
    with open(path, "rb") as file:
        for line in file:
            body, _, seal = line.rstrip(b"\n").rpartition(b',"digest":"')
            if seal == fnv1a(body).encode() + b'"}':
                yield json.loads(line)


def main():
    for path in sys.argv[1:]:
        for line in lines(path):
            cell, evidence = line["cell"], line["evidence"]
            tokens = evidence.get("tokens", {}).get("promoted", {"ids": []})
            print(cell["method"], cell["access"], cell["pair"], evidence.get("magnitude"),
                  unpack(tokens["ids"])[:5])


if __name__ == "__main__":
    try:
        main()
    except BrokenPipeError:  # As of "| head".
        sys.stderr.close()
