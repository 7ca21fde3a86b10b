"""Makes chats.json: conversations with the prompt that Jinja2 itself renders from SmolLM2's chat template. Needs the
Python packages `gguf` and `jinja2`.

    python make_chats.py SmolLM2-135M-Instruct.Q4_1.gguf > chats.json
"""
import json
import sys

from gguf import GGUFReader
from jinja2.sandbox import ImmutableSandboxedEnvironment

CHATS = [
    [("user", "Hello!")],
    [("user", "What is 2 + 2?"), ("assistant", "4"), ("user", "And 10 times that?")],
    [("system", "You answer in verse."), ("user", "Tell me of the sea.")],
    [("system", ""), ("user", "")],
    [("user", "  leading and trailing  \n\n")],
    [("user", "\n\nfirst line\r\nsecond\tline\n")],
    [("user", "def f(x):\n    return x ** 2\n\nprint(f(10))")],
    [("user", "Grüße aus Köln, 東京 and 🇨🇭 👩‍👩‍👧‍👦")],
    [("user", "'s 're it's IT'S we’ve")],
    [("user", "{{ messages }} {% raw %} {# no #}")],
    [("assistant", "I begin."), ("user", "123 4567 ½ ²")],
    [("system", "Be brief."), ("user", "Hi"), ("assistant", "Hi."), ("user", "Bye"), ("assistant", "Bye."), ("user", "?")],
]

reader = GGUFReader(sys.argv[1])
source = reader.fields["tokenizer.chat_template"].contents()
template = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True).from_string(source)
chats = []
for chat in CHATS:
    messages = [{"role": role, "content": content} for role, content in chat]
    chats.append({"messages": messages, "prompt": template.render(messages=messages, add_generation_prompt=True)})
json.dump(chats, sys.stdout, indent=1)
sys.stdout.write("\n")
