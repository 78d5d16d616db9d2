"""Chat templates in the form of those that families of models publish, and what Jinja makes of one question.

Maker:    make_chats.py (run it again to make the same file; nothing is random)
Versions: Python 3.11, jinja2 3.1.6 (transformers' own settings: blocks trimmed, their indentation stripped)

Writes `chats.json` beside this script: a list of {"name", "kind", "template", "start", "end", "texts", "prompts", "chats"}; a
prompt is what a model reads before it answers the text, a chat what it reads of all of `DIALOGUES`. `kind` is null where a template is not to be recognised.
"""

import json
from pathlib import Path

from jinja2.sandbox import ImmutableSandboxedEnvironment

CHATML_WITH_SYSTEM = (
    "{% for message in messages %}{% if loop.first and messages[0]['role'] != 'system' %}"
    "{{ '<|im_start|>system\nYou are a helpful assistant named Test, made for tests<|im_end|>\n' }}{% endif %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
CHATML_ESCAPED = """{%- if messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nYou are a test. You help.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role != 'system' or not loop.first %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
CHATML_BARE = (
    "{{ bos_token }}{% for message in messages %}"
    "{{'<|im_start|>' + message['role'] + '\n' + message['content'] | trim + '<|im_end|>' + '\n'}}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA3 = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
    "+ message['content'] | trim + '<|eot_id|>' %}{% if loop.index0 == 0 %}{% set content = bos_token + content %}"
    "{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
LLAMA31 = """{{- bos_token }}
{%- if not date_string is defined %}
    {%- set date_string = "26 Jul 2024" %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content'] | trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Cutting Knowledge Date: December 2023\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""
GEMMA = (
    "{{ bos_token }}{% for message in messages %}{% if (message['role'] == 'assistant') %}{% set role = 'model' %}"
    "{% else %}{% set role = message['role'] %}{% endif %}"
    "{{ '<start_of_turn>' + role + '\n' + message['content'] | trim + '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{'<start_of_turn>model\n'}}{% endif %}"
)
GEMMA3 = """{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- set role = 'model' if message['role'] == 'assistant' else message['role'] -%}
    {{ '<start_of_turn>' + role + '\n' + (first_user_prefix if loop.first else "") }}
    {{- message['content'] | trim }}
    {{- '<end_of_turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<start_of_turn>model\n'}}
{%- endif -%}
"""
ZEPHYR = (
    "{% for message in messages %}\n{% if message['role'] == 'user' %}\n{{ '<|user|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'system' %}\n{{ '<|system|>\n' + message['content'] + eos_token }}\n"
    "{% elif message['role'] == 'assistant' %}\n{{ '<|assistant|>\n'  + message['content'] + eos_token }}\n{% endif %}\n"
    "{% if loop.last and add_generation_prompt %}\n{{ '<|assistant|>' }}\n{% endif %}\n{% endfor %}"
)
# Turns end otherwise, so that it is not Zephyr's.
OTHER_ENDS = (
    "{% for message in messages %}{{'<|' + message['role'] + '|>' + '\n' + message['content'] + '<|end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% else %}{{ eos_token }}{% endif %}<|user|>"
)
# Only what the model says ends with a token, so that it is not Zephyr's.
OPEN_TURNS = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '<|user|>\n' + message['content'] + '\n' }}{% elif message['role'] == 'assistant' %}"
    "{{ '<|assistant|>\n'  + message['content'] + eos_token + '\n' }}{% endif %}"
    "{% if loop.last and add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}{% endfor %}"
)
BRACKETS = "{{ bos_token }}{% for message in messages %}{{ '[INST] ' + message['content'] + ' [/INST]' }}{% endfor %}"

CASES = [
    ("chatml with a system", "ChatML", CHATML_WITH_SYSTEM, "<s>", "<|im_end|>"),
    ("chatml, escaped", "ChatML", CHATML_ESCAPED, "<s>", "<|im_end|>"),
    ("chatml, bare", "ChatML", CHATML_BARE, "<s>", "<|im_end|>"),
    ("llama 3", "Llama 3", LLAMA3, "<|begin_of_text|>", "<|eot_id|>"),
    ("llama 3.1", "Llama 3", LLAMA31, "<|begin_of_text|>", "<|eot_id|>"),
    ("gemma", "Gemma", GEMMA, "<bos>", "<eos>"),
    ("gemma 3", "Gemma", GEMMA3, "<bos>", "<eos>"),
    ("zephyr", "Zephyr", ZEPHYR, "<s>", "</s>"),
    ("other ends", None, OTHER_ENDS, "<s>", "</s>"),
    ("open turns", None, OPEN_TURNS, "<s>", "</s>"),
    ("brackets", None, BRACKETS, "<s>", "</s>"),
]
TEXTS = ["What is the capital of France?", "  Two lines,\nwith blanks around. \n", "{{ 7 * 7 }} <b> 'quoted'"]

DIALOGUES = [
    [("user", "Which animal?"), ("assistant", "The owl.")],
    [("system", "You are a baker."), ("user", "Who are you?"), ("assistant", "I bake.")],
    [("user", "One."), ("assistant", "Two."), ("user", "Three."), ("assistant", "Four.")],
]


def main() -> None:
    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    cases = []
    for name, kind, template, start, end in CASES:
        program = environment.from_string(template)
        prompts = [
            program.render(
                messages=[{"role": "user", "content": text}], add_generation_prompt=True, bos_token=start, eos_token=end
            )
            for text in TEXTS
        ]
        # The older Gemma refuses a system.
        dialogues = [turns for turns in DIALOGUES if name != "gemma" or turns[0][0] != "system"]
        chats = [
            {
                "turns": [{"role": role, "text": text} for role, text in turns],
                "text": program.render(
                    messages=[{"role": role, "content": text} for role, text in turns],
                    add_generation_prompt=False,
                    bos_token=start,
                    eos_token=end,
                ),
            }
            for turns in dialogues
        ]
        cases.append(
            dict(
                name=name,
                kind=kind,
                template=template,
                start=start,
                end=end,
                texts=TEXTS,
                prompts=prompts,
                chats=chats,
            )
        )
    path = Path(__file__).resolve().parent / "chats.json"
    path.write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
