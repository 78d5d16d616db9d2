"""Tiny decoders saved by transformers, with the logits, loss and gradients that transformers gives for them.

Maker:    make_references.py (run it again to make the same files: every tensor comes from SEED and the case's name)
Seed:     20250611
Versions: Python 3.11, torch 2.13.0+cpu, transformers 5.23.0, peft 0.21.2, safetensors 0.8.0 (other versions: a warning)

Writes, next to this script:

    transformers/<case>/   config.json, generation_config.json, model.safetensors (or shards with their index)
    peft/<name>/           adapter_config.json, adapter_model.safetensors: an adapter for one of these
    .../reference.json     {"tokens":    two rows of token ids,
                            "logits":    the logits at the last position of each row,
                            "loss":      mean next-token cross-entropy over every (row, position < T - 1),
                            "gradients": {tensor name in the file: {"norm": ..., "first": first 8 entries, row-major}},
                            "madeWith":  versions and seed}

The references are computed in float32 from the saved files loaded again, so they describe the files and nothing else.
For adapters the gradients are those of the adapter's tensors, the base being frozen.
"""

import json
import os
import shutil
import sys
import warnings
import zlib
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import peft
import safetensors
import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel

SEED = 20250611
ROWS, LENGTH = 2, 11
WEIGHT_SCALE = 0.3  # far from .02: logits of scale 1 to 3, attention far from uniform
NORM_SPREAD = 0.2  # gains 1 + 0.2 * normal
BIAS_SCALE = 0.2
EMBEDDING_SCALE = {"odd": 0.03}  # for other cases as all weights; small ones make a wrong rms_norm_eps show
FOLDER_LIMIT = 120_000  # bytes
TESTED_VERSIONS = {"torch": "2.13.0+cpu", "transformers": "5.23.0", "peft": "0.21.2", "safetensors": "0.8.0"}

HERE = Path(__file__).resolve().parent

# What every case has unless it says otherwise. pad_token_id stays unset: transformers would make it the
# embedding's padding_idx, and the gradient of that row would be zero.
COMMON = dict(
    vocab_size=48,
    hidden_size=32,
    intermediate_size=44,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=4,
    max_position_embeddings=32,
    rms_norm_eps=1e-5,
    rope_parameters={"rope_type": "default", "rope_theta": 10000.0},
    tie_word_embeddings=False,
    attention_bias=False,
    mlp_bias=False,
    bos_token_id=1,
    eos_token_id=2,
)

CASES = {
    "plain": {},
    # 36 / 6 is not head_dim; transformers 5 refuses a width that is not a multiple of the heads (40 and 6, say)
    "grouped": dict(
        vocab_size=44,
        hidden_size=36,
        intermediate_size=30,
        num_attention_heads=6,
        num_key_value_heads=2,
        head_dim=12,
        rope_parameters={"rope_type": "default", "rope_theta": 500000.0},
    ),
    "biased": dict(attention_bias=True, mlp_bias=True),
    "tied": dict(tie_word_embeddings=True),
    "odd": dict(
        vocab_size=51,
        hidden_size=24,
        intermediate_size=37,
        num_attention_heads=3,
        num_key_value_heads=1,
        head_dim=8,
        rms_norm_eps=1e-6,
    ),
    "theta": dict(rope_parameters={"rope_type": "default", "rope_theta": 1234.5}),
    "sharded": {},
    "linear": dict(rope_parameters={"rope_type": "linear", "rope_theta": 10000.0, "factor": 3.0}),
    # Wavelengths of the four pairs: 6, 63, 628 and 6283 tokens, so that each of the three rules has one.
    "llama3": dict(
        rope_parameters={
            "rope_type": "llama3",
            "rope_theta": 10000.0,
            "factor": 4.0,
            "low_freq_factor": 1.0,
            "high_freq_factor": 40.0,
            "original_max_position_embeddings": 512,
        },
    ),
    "yarn": dict(
        rope_parameters={
            "rope_type": "yarn",
            "rope_theta": 10000.0,
            "factor": 4.0,
            "original_max_position_embeddings": 128,
            "beta_fast": 8.0,
            "beta_slow": 0.2,
        },
    ),
    "qwen2": dict(model_type="qwen2", num_key_value_heads=2),
    "qwen2-tied": dict(model_type="qwen2", tie_word_embeddings=True, hidden_size=40, num_attention_heads=5, num_key_value_heads=1),
    "mistral": dict(model_type="mistral", num_key_value_heads=2, sliding_window=4),
    "mistral-wide": dict(model_type="mistral", hidden_size=24, num_attention_heads=2, num_key_value_heads=1, head_dim=16, sliding_window=None),
    "qwen3": dict(model_type="qwen3", num_key_value_heads=2, head_dim=12),
    "qwen3-biased": dict(model_type="qwen3", tie_word_embeddings=True, head_dim=8, attention_bias=True),
    "olmo2": dict(model_type="olmo2", num_key_value_heads=2, pad_token_id=None),
    "olmo2-odd": dict(model_type="olmo2", pad_token_id=None, hidden_size=24, num_attention_heads=3, num_key_value_heads=1, intermediate_size=37),
    "qwen2-windows": dict(
        model_type="qwen2", hidden_size=24, num_hidden_layers=3, use_sliding_window=True, sliding_window=4, max_window_layers=1
    ),
    "gpt2": dict(model_type="gpt2", vocab_size=48, n_embd=24, n_layer=2, n_head=4, n_positions=24),
    "gpt2-odd": dict(
        model_type="gpt2",
        vocab_size=51,
        n_embd=24,
        n_layer=3,
        n_head=3,
        n_positions=20,
        n_inner=44,
        activation_function="relu",
        layer_norm_epsilon=1e-3,
        scale_attn_by_inverse_layer_idx=True,
        tie_word_embeddings=False,
    ),
    "gpt_neox": dict(model_type="gpt_neox"),
    "gpt_neox-odd": dict(
        model_type="gpt_neox",
        hidden_size=24,
        num_attention_heads=2,
        num_hidden_layers=3,
        intermediate_size=37,
        use_parallel_residual=False,
        attention_bias=False,
        hidden_act="gelu_fast",
        rotary_pct=0.5,
        rotary_emb_base=500.0,
        tie_word_embeddings=True,
    ),
    # Caps small enough to bend these logits and scores.
    "gemma2": dict(
        model_type="gemma2",
        pad_token_id=None,
        hidden_size=24,
        num_hidden_layers=3,
        num_key_value_heads=2,
        head_dim=12,
        sliding_window=4,
        query_pre_attn_scalar=5,
        attn_logit_softcapping=1.5,
        final_logit_softcapping=4.0,
        tie_word_embeddings=True,
    ),
    "gemma2-odd": dict(
        model_type="gemma2",
        pad_token_id=None,
        hidden_size=24,
        num_attention_heads=3,
        num_key_value_heads=1,
        head_dim=10,
        attention_bias=True,
        attn_logit_softcapping=None,
        final_logit_softcapping=None,
        tie_word_embeddings=False,
        layer_types=["full_attention", "sliding_attention"],
        sliding_window=3,
    ),
    "gemma3": dict(
        model_type="gemma3_text",
        pad_token_id=None,
        hidden_size=24,
        num_hidden_layers=4,
        num_key_value_heads=2,
        head_dim=8,
        sliding_window=4,
        query_pre_attn_scalar=8,
        layer_types=["sliding_attention", "full_attention", "sliding_attention", "full_attention"],
        rope_parameters={
            "full_attention": {"rope_type": "linear", "rope_theta": 1000.0, "factor": 4.0},
            "sliding_attention": {"rope_type": "default", "rope_theta": 50.0},
        },
        tie_word_embeddings=True,
    ),
    # As the first configurations of the family were written.
    "gemma3-old": dict(
        model_type="gemma3_text",
        pad_token_id=None,
        hidden_size=24,
        num_hidden_layers=3,
        head_dim=8,
        sliding_window=4,
        rope_parameters=None,
        sliding_window_pattern=2,
        rope_theta=3000.0,
        rope_local_base_freq=70.0,
        rope_scaling={"rope_type": "linear", "factor": 8.0},
        tie_word_embeddings=True,
    ),
}
# Of these families a case says all, because they have few of the common settings.
ALONE = ("gpt2",)
FOREIGN = {  # settings that a family does not have, and would keep all the same
    "gpt_neox": ("num_key_value_heads", "rms_norm_eps", "mlp_bias", "attention_bias", "rope_parameters"),
    "gemma3_text": ("mlp_bias", "attention_bias", "rope_parameters"),
}
SHARD_SIZE = "24KB"  # for `sharded` only

# The base of each adapter, and its options.
ADAPTERS = {
    "plain": ("plain", dict(r=3, lora_alpha=6, target_modules=["q_proj", "v_proj", "down_proj"])),
    # Factors for one matrix of queries, keys and values, stored with a row an input.
    "dora": (
        "gpt2-odd",
        dict(
            r=2,
            lora_alpha=5,
            target_modules=["wte", "c_attn", "mlp.c_proj"],
            use_dora=True,
            use_rslora=True,
            rank_pattern={"c_attn": 3},
            alpha_pattern={"h.1.attn.c_attn": 1.5},
            fan_in_fan_out=True,
        ),
    ),
    "ends": (
        "gpt_neox",
        dict(r=2, lora_alpha=4, target_modules=["embed_in", "lm_head", "query_key_value"], bias="lora_only"),
    ),
    "saved": (
        "tied",
        dict(
            r=2,
            lora_alpha=4,
            target_modules="all-linear",
            exclude_modules=["up_proj"],
            modules_to_save=["lm_head", "input_layernorm"],
        ),
    ),
    "tokens": (
        "tied",
        dict(
            r=2, lora_alpha=4, target_modules=["o_proj"], layers_to_transform=[1], trainable_token_indices=[3, 40]
        ),
    ),
    "biases": ("biased", dict(r=1, lora_alpha=3, target_modules=["k_proj", "down_proj"], bias="all", lora_bias=True)),
}


# ---------------------------------------------------------------------------------------------- random models


def generator_for(name: str) -> torch.Generator:
    """A generator of its own for each case: adding a case changes no other."""
    return torch.Generator().manual_seed(SEED + zlib.crc32(name.encode()))


def fill(
    parameters, generator: torch.Generator, embedding_scale: float = WEIGHT_SCALE, gain_offset: float = 1
) -> None:
    """Random values for (name, parameter) pairs, in the order of their names."""
    with torch.no_grad():
        for name, parameter in sorted(parameters):
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith(("norm.weight", "ln_1.weight", "ln_2.weight", "ln_f.weight")):
                parameter.copy_(gain_offset + NORM_SPREAD * noise)
            elif name.endswith(".bias"):
                parameter.copy_(BIAS_SCALE * noise)
            elif name.endswith("embed_tokens.weight"):
                parameter.copy_(embedding_scale * noise)
            else:
                parameter.copy_(WEIGHT_SCALE * noise)


def random_model(name: str) -> PreTrainedModel:
    own = CASES[name]
    kind = own.get("model_type", "llama")
    settings = own if kind in ALONE else {**COMMON, **own}
    foreign = FOREIGN.get(kind, () if kind == "llama" or kind in ALONE else ("attention_bias", "mlp_bias"))
    settings = {key: value for key, value in settings.items() if key in own or key not in foreign}
    settings.pop("model_type", None)
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **settings), attn_implementation="eager")
    fill(model.named_parameters(), generator_for(name), EMBEDDING_SCALE.get(name, WEIGHT_SCALE),
        gain_offset=0 if kind.startswith("gemma") else 1)  # fmt: skip
    return model


def random_tokens(name: str, vocabulary: int) -> torch.Tensor:
    generator = generator_for(name + " tokens")
    tokens = torch.randint(vocabulary, (ROWS, LENGTH), generator=generator)
    tokens[0, 3], tokens[1, 5] = 0, vocabulary - 1  # both ends of the vocabulary
    return tokens


# ------------------------------------------------------------------------------------------------- references


def rounded(value: float) -> float:
    """Nine significant digits: every float32 survives exactly."""
    return float(f"{value:.9g}")


def rounded_list(tensor: torch.Tensor) -> list:
    return [rounded(value) for value in tensor.tolist()]


def gradient_summary(gradient: torch.Tensor) -> dict:
    return {"norm": rounded(gradient.double().norm().item()), "first": rounded_list(gradient.flatten()[:8])}


def reference(model, tokens: torch.Tensor, file_name=lambda name: name) -> dict:
    """Logits, loss and the gradient of every trainable parameter; file_name gives a parameter's name in the file."""
    model.eval()
    model.zero_grad(set_to_none=True)
    logits = model(input_ids=tokens, use_cache=False).logits
    loss = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
    loss.backward()
    return {
        "tokens": tokens.tolist(),
        "logits": [rounded_list(row) for row in logits.detach()[:, -1]],
        "loss": rounded(loss.item()),
        "gradients": {
            file_name(name): gradient_summary(parameter.grad)
            for name, parameter in model.named_parameters()
            if parameter.requires_grad
        },
        "madeWith": {"seed": SEED, **versions()},
    }


def load_strictly(folder: Path) -> PreTrainedModel:
    """transformers fills missing tensors at random with no more than a log line: refuse that."""
    model, report = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", output_loading_info=True
    )
    problems = {kind: found for kind, found in report.items() if found}
    if problems:
        raise SystemExit(f"{folder.name}: does not load cleanly: {problems}")
    return model


# ------------------------------------------------------------------------------------------------------ files


def fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def write_json(path: Path, value) -> None:
    path.write_text(json.dumps(value, indent=1) + "\n")


def write_reference(path: Path, value: dict) -> None:
    """One line for each row and each gradient, so that a diff can be read."""
    gradients = ",\n  ".join(f"{json.dumps(name)}: {json.dumps(entry)}" for name, entry in value["gradients"].items())
    fields = {key: json.dumps(entry) for key, entry in value.items() if key != "gradients"}
    fields["gradients"] = "{\n  " + gradients + "\n }"
    path.write_text("{\n " + ",\n ".join(f'"{key}": {text}' for key, text in fields.items()) + "\n}\n")


def rewrite_config_in_old_style(path: Path) -> None:
    """The keys and form of a config.json of 2023 (Llama 2): top-level rope_theta, torch_dtype, no head_dim."""
    new = json.loads(path.read_text())
    kept = [
        "architectures", "attention_bias", "bos_token_id", "eos_token_id", "hidden_act", "hidden_size",
        "initializer_range", "intermediate_size", "max_position_embeddings", "model_type", "num_attention_heads",
        "num_hidden_layers", "num_key_value_heads", "pretraining_tp", "rms_norm_eps",
    ]  # fmt: skip
    old = {key: new[key] for key in kept}
    old |= {
        "rope_scaling": None,
        "rope_theta": new["rope_parameters"]["rope_theta"],
        "tie_word_embeddings": new["tie_word_embeddings"],
        "torch_dtype": "float32",
        "transformers_version": "4.37.0",
        "use_cache": True,
        "vocab_size": new["vocab_size"],
    }
    path.write_text(json.dumps(old, indent=2) + "\n")


def rewrite_gemma_in_old_style(path: Path) -> None:
    """A Gemma 3 of 2025: a number for the pattern of windows, and the bases of the positions side by side."""
    config = json.loads(path.read_text())
    for key in ("layer_types", "rope_parameters", "_sliding_window_pattern"):
        del config[key]
    for key in ("sliding_window_pattern", "rope_theta", "rope_local_base_freq", "rope_scaling"):
        config[key] = CASES["gemma3-old"][key]
    path.write_text(json.dumps(config, indent=2) + "\n")


def finish(folder: Path) -> None:
    """Readable by all (the safetensors writer says 0600), small enough to commit."""
    for path in folder.iterdir():
        path.chmod(0o644)
    size = sum(path.stat().st_size for path in folder.iterdir())
    if size > FOLDER_LIMIT:
        raise SystemExit(f"{folder.name}: {size} bytes, more than {FOLDER_LIMIT}")
    print(f"{folder.relative_to(HERE)}: {size} bytes in {len(list(folder.iterdir()))} files")


# ------------------------------------------------------------------------------------------------------ makers


def make_model(name: str) -> None:
    folder = fresh(HERE / "transformers" / name)
    made = random_model(name)
    made.save_pretrained(folder, **({"max_shard_size": SHARD_SIZE} if name == "sharded" else {}))
    if name == "theta":
        rewrite_config_in_old_style(folder / "config.json")
    if name == "gemma3-old":
        rewrite_gemma_in_old_style(folder / "config.json")
    if name == "sharded" and len(list(folder.glob("*.safetensors"))) < 2:
        raise SystemExit("sharded: only one shard")

    loaded = load_strictly(folder)
    # transformers 5 calls the head alike in every family; files of GPT-NeoX keep their own name for it.
    renamed = {"lm_head.weight": "embed_out.weight"} if loaded.config.model_type == "gpt_neox" else {}
    tokens = random_tokens(name, loaded.config.vocab_size)
    require_same_function(name, made, loaded, tokens)
    write_reference(folder / "reference.json", reference(loaded, tokens, file_name=lambda parameter: renamed.get(parameter, parameter)))
    finish(folder)


def require_same_function(name: str, made, loaded, tokens: torch.Tensor) -> None:
    """The folder means the model that was saved, whatever style its config is in."""
    with torch.no_grad():
        expected, found = made.eval()(input_ids=tokens).logits, loaded(input_ids=tokens).logits
    if not torch.allclose(expected, found, rtol=1e-4, atol=1e-4):
        raise SystemExit(f"{name}: the loaded model is another function than the saved one")


def make_adapter(name: str) -> None:
    base_name, options = ADAPTERS[name]
    folder = fresh(HERE / "peft" / name)
    base = HERE / "transformers" / base_name
    made = peft.get_peft_model(load_strictly(base), peft.LoraConfig(task_type="CAUSAL_LM", lora_dropout=0.0, **options))
    trainable = [(name, parameter) for name, parameter in made.named_parameters() if parameter.requires_grad]
    fill(trainable, generator_for("peft" if name == "plain" else f"peft {name}"))  # B as well: peft begins with B = 0
    made.save_pretrained(folder)
    tidy_adapter(folder, base_name)

    loaded = peft.PeftModel.from_pretrained(load_strictly(base), folder, is_trainable=True)
    require_same_adapter(made, loaded)
    tokens = random_tokens("peft" if name == "plain" else f"peft {name}", loaded.config.vocab_size)
    found = reference(loaded, tokens, file_name=lambda name: name.replace(".default.", "."))
    merged = loaded.merge_and_unload()(input_ids=tokens).logits[:, -1]
    if not torch.allclose(merged, torch.tensor(found["logits"]), rtol=1e-4, atol=1e-4):
        raise SystemExit(f"peft/{name}: merged it is another function")
    write_reference(folder / "reference.json", found)
    finish(folder)


def tidy_adapter(folder: Path, base: str) -> None:
    """No paths of this machine, no order that comes from a Python set, no model card."""
    (folder / "README.md").unlink(missing_ok=True)
    path = folder / "adapter_config.json"
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = f"../../transformers/{base}"
    for key in ("target_modules", "exclude_modules", "modules_to_save"):
        if isinstance(config.get(key), list):
            config[key] = sorted(config[key])
    path.write_text(json.dumps(config, indent=2) + "\n")


def require_same_adapter(made, loaded) -> None:
    expected, found = (peft.get_peft_model_state_dict(model) for model in (made, loaded))
    if expected.keys() != found.keys() or any(not torch.equal(expected[key], found[key]) for key in expected):
        raise SystemExit("peft: the loaded adapter is not the saved one")


def versions() -> dict:
    return {module.__name__: str(module.__version__) for module in (torch, transformers, peft, safetensors)}


def main() -> None:
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing.*")  # peft's concern
    warnings.filterwarnings("ignore", message="Could not find a config file in")  # the base's path is relative
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    if versions() != TESTED_VERSIONS:
        warnings.warn(f"made with {versions()}, tested with {TESTED_VERSIONS}: files may differ")
    adapters = [f"peft/{name}" for name in ADAPTERS]
    for name in sys.argv[1:] or [*CASES, *adapters]:
        make_adapter(name.removeprefix("peft/")) if name in adapters else make_model(name)


if __name__ == "__main__":
    main()
