"""Does transformers see in a folder that Assay wrote what Assay sees in it?

Maker:    written by hand; nothing is random (the tokens are spread over the vocabulary by a fixed rule)
Seed:     none
Versions: Python 3.11, torch 2.13.0+cpu, transformers 5.23.0, peft 0.21.2, safetensors 0.8.0, tokenizers 0.23.3

    check_written.py --assay ASSAY FOLDER [FOLDER ...]
        Loads each folder with AutoModelForCausalLM and demands that no key is missing, unexpected or mismatched
        (transformers itself would fill a missing tensor at random and go on). Loads AutoTokenizer when there is a
        tokenizer.json. Compares the logits with `ASSAY logits FOLDER --tokens '1 2 3'`.

    check_written.py --assay ASSAY --adapter BASE ADAPTER MERGED
        Loads BASE and the PEFT adapter ADAPTER on it, demands that every adapter tensor was used, and compares the
        logits with `ASSAY logits MERGED --tokens ...`.

`ASSAY logits` prints a JSON array: the logits at the last position. The error is the greatest absolute difference over
the greatest absolute logit; more than 1e-4 (--tolerance) is a failure. Exit status 0: all agree; 1: a folder does not;
2: wrong usage.
"""

import argparse
import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ["HF_HUB_OFFLINE"] = "1"  # a wrong path must fail here, not ask a server

import peft
import torch
import transformers
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

ASSAY_TIME_LIMIT = 120  # seconds


class Failure(Exception):
    """What is wrong with a folder, in words."""


def demand(condition: bool, message: str) -> None:
    if not condition:
        raise Failure(message)


def some(names) -> str:
    """The first few of them."""
    names = sorted(map(str, names))
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


# --------------------------------------------------------------------------------------------------- loading


def load_model(folder: Path):
    demand((folder / "config.json").is_file(), "there is no config.json")
    model, report = AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=torch.float32,
        output_loading_info=True,
        ignore_mismatched_sizes=True,  # so that they come in the report, with their names and shapes
    )
    problems = "; ".join(f"{kind}: {some(found)}" for kind, found in report.items() if found)
    demand(not problems, f"transformers does not load it cleanly: {problems}")
    return model.eval()


def load_adapter(base: Path, adapter: Path):
    """The base with the adapter on it; peft only warns of tensors that it did not find or use."""
    file = adapter / "adapter_model.safetensors"
    demand(file.is_file(), f"there is no {file.name} in {adapter}")
    model = peft.PeftModel.from_pretrained(load_model(base), adapter).eval()
    used = peft.get_peft_model_state_dict(model, save_embedding_layers=False)
    written = load_file(file)
    demand(used.keys() <= written.keys(), f"the adapter lacks {some(used.keys() - written.keys())}")
    demand(used.keys() >= written.keys(), f"peft did not use {some(written.keys() - used.keys())}")
    changed = [name for name in used if not torch.equal(used[name].float(), written[name].float())]
    demand(not changed, f"peft holds other values than the file for {some(changed)}")
    return model


def check_tokenizer(folder: Path, vocabulary: int) -> str:
    if not (folder / "tokenizer.json").is_file():
        return "no tokenizer"
    tokenizer = AutoTokenizer.from_pretrained(folder)
    greatest = max(tokenizer.get_vocab().values())
    demand(greatest < vocabulary, f"the tokenizer has id {greatest}, the model {vocabulary} embeddings")
    return f"tokenizer of {len(tokenizer)} entries"


# -------------------------------------------------------------------------------------------------- comparing


def prompts(config) -> list:
    """The tokens 1 2 3, and as long a row as is cheap, spread over the vocabulary with both of its ends."""
    vocabulary, length = config.vocab_size, min(24, config.max_position_embeddings)
    spread = [(vocabulary - 1 + index * (vocabulary // 3 + 2)) % vocabulary for index in range(length - 1)] + [0]
    return [[min(token, vocabulary - 1) for token in (1, 2, 3)][:length], spread]


def assay_logits(assay: Path, folder: Path, tokens: list) -> torch.Tensor:
    command = [str(assay), "logits", str(folder), "--tokens", " ".join(map(str, tokens))]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=ASSAY_TIME_LIMIT)
    except subprocess.TimeoutExpired:
        raise Failure(f"assay logits took more than {ASSAY_TIME_LIMIT} s") from None
    demand(done.returncode == 0, f"assay logits ended with status {done.returncode}: {done.stderr.strip()[-500:]}")
    try:
        return torch.tensor(json.loads(done.stdout), dtype=torch.float64)
    except (ValueError, TypeError):
        raise Failure(f"assay logits did not print a JSON array of numbers: {done.stdout[:200]!r}") from None


@torch.no_grad()
def oracle_logits(model, tokens: list) -> torch.Tensor:
    return model(input_ids=torch.tensor([tokens]), use_cache=False).logits[0, -1].double()


def relative_error(found: torch.Tensor, expected: torch.Tensor) -> float:
    demand(found.shape == expected.shape, f"assay gives {list(found.shape)} logits, transformers {list(expected.shape)}")
    return ((found - expected).abs().max() / expected.abs().max()).item()


def compare(model, folder: Path, assay: Path, tolerance: float) -> str:
    worst = 0.0
    for tokens in prompts(model.config):
        error = relative_error(assay_logits(assay, folder, tokens), oracle_logits(model, tokens))
        demand(error <= tolerance, f"logits differ by {error:.3g} (limit {tolerance:g}) for the tokens {tokens}")
        worst = max(worst, error)
    return f"logits agree to {worst:.2g}"


# ------------------------------------------------------------------------------------------------ the two modes


def check_folder(folder: Path, assay: Path, tolerance: float) -> str:
    model = load_model(folder)
    tokenizer = check_tokenizer(folder, model.config.vocab_size)
    return f"{compare(model, folder, assay, tolerance)}, {tokenizer}"


def check_adapter(base: Path, adapter: Path, merged: Path, assay: Path, tolerance: float) -> str:
    model = load_adapter(base, adapter)
    agreement = compare(model, merged, assay, tolerance)
    tokens = prompts(model.config)[1]
    with model.disable_adapter():
        plain = oracle_logits(model, tokens)
    return f"{agreement}; the adapter moves them by {relative_error(oracle_logits(model, tokens), plain):.2g}"


def passes(label: str, check, *arguments) -> bool:
    try:
        print(f"ok    {label}: {check(*arguments)}", flush=True)
        return True
    except Failure as failure:
        print(f"FAIL  {label}: {failure}", flush=True)
    except Exception as error:  # the libraries raise of every kind on a folder that they cannot read
        print(f"FAIL  {label}: {type(error).__name__}: {error}", flush=True)
    return False


def parsed_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--assay", required=True, type=Path, help="the assay program")
    parser.add_argument("--adapter", nargs=2, type=Path, metavar=("BASE", "ADAPTER"))
    parser.add_argument("--tolerance", type=float, default=1e-4)
    arguments = parser.parse_args()
    if not os.access(arguments.assay, os.X_OK):
        parser.error(f"{arguments.assay} is not a program")
    arguments.assay = arguments.assay.resolve()
    if arguments.adapter and len(arguments.folders) != 1:
        parser.error("--adapter BASE ADAPTER goes with one merged folder")
    return arguments


def main() -> int:
    arguments = parsed_arguments()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")  # what matters is demanded here
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    common = (arguments.assay, arguments.tolerance)
    if arguments.adapter:
        results = [passes(str(arguments.adapter[1]), check_adapter, *arguments.adapter, *arguments.folders, *common)]
    else:
        results = [passes(str(folder), check_folder, folder, *common) for folder in arguments.folders]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
