"""Makes templates.json: templates that use what those of Llama 3, Qwen 3 and Gemma 3 use of Jinja, with what Jinja2 itself
renders from them. Needs the Python package `jinja2`.

    python make_templates.py > templates.json
"""
import json
import sys

from jinja2.sandbox import ImmutableSandboxedEnvironment

TEMPLATES = {
    "a namespace, the last question from behind, thoughts that are cut out": r"""
{%- if tools %}
    {{- '<|a|>system\n' }}
    {%- if messages[0].role == 'system' %}{{- messages[0].content + '\n\n' }}{%- endif %}
    {%- for tool in tools %}
        {{- "\n" }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- '<tool_call>' }}
{%- endif %}
{%- set ns = namespace(looking=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.looking and message.role == "user" and message.content is string and not(message.content.startswith('<r>') and message.content.endswith('</r>')) %}
        {%- set ns.looking = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- set content = message.content if message.content is string else '' %}
    {%- if message.role == "assistant" %}
        {%- set thought = '' %}
        {%- if '</t>' in content %}
            {%- set thought = content.split('</t>')[0].rstrip('\n').split('<t>')[-1].lstrip('\n') %}
            {%- set content = content.split('</t>')[-1].lstrip('\n') %}
        {%- endif %}
        {%- if loop.index0 > ns.last and (loop.last or thought) %}
            {{- '<|a|>' + thought.strip('\n') + '|' + content.lstrip('\n') }}
        {%- else %}
            {{- '<|a|>' + content }}
        {%- endif %}
        {%- for call in message.tool_calls or [] %}
            {%- if (loop.first and content) or (not loop.first) %}{{- '\n' }}{%- endif %}
            {%- if call.function %}{%- set call = call.function %}{%- endif %}
            {{- call.name + ': ' }}
            {{- call.arguments if call.arguments is string else call.arguments | tojson }}
        {%- endfor %}
    {%- elif message.role == "tool" %}
        {%- if loop.first or (messages[loop.index0 - 1].role != "tool") %}{{- '<|u|>' }}{%- endif %}
        {{- '<r>' + content + '</r>' }}
        {%- if loop.last or (messages[loop.index0 + 1].role != "tool") %}{{- '<|e|>' }}{%- endif %}
    {%- else %}
        {{- '<|' + message.role[0] + '|>' + content }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|a|>' }}
    {%- if enable_thinking is defined and enable_thinking is false %}{{- '<t></t>' }}{%- endif %}
{%- endif %}
""",
    "a system message that is taken out, names that may be defined": r"""{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if not tools is defined %}{%- set tools = none %}{%- endif %}

{#- A comment, and blank lines. #}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|h|>system\n\n" + ("Environment: tools\n" if tools is not none else "") + "Today: " + date_string + "\n\n" }}
{{- system_message }}
{%- for message in messages %}
    {%- if not (message.role == 'ipython' or message.role == 'tool' or 'tool_calls' in message) %}
        {{- '<|h|>' + message['role'] + '\n\n'+ message['content'] | trim + '<|e|>' }}
    {%- elif 'tool_calls' in message %}
        {%- if not message.tool_calls|length == 1 %}
            {{- raise_exception("one call at a time") }}
        {%- endif %}
        {{- message.tool_calls[0].function | tojson(indent=4) }}
    {%- endif %}
{%- endfor %}
""",
    "turns that alternate, a first one with the system message in it": r"""{{ bos_token }}
{%- if messages[0]['role'] == 'system' -%}
    {%- set first_user_prefix = messages[0]['content'] + '\n\n' -%}
    {%- set loop_messages = messages[1:] -%}
{%- else -%}
    {%- set first_user_prefix = "" -%}
    {%- set loop_messages = messages -%}
{%- endif -%}
{%- for message in loop_messages -%}
    {%- if (message['role'] == 'user') != (loop.index0 % 2 == 0) -%}
        {{ raise_exception("turns must alternate") }}
    {%- endif -%}
    {%- set role = "model" if message['role'] == 'assistant' else message['role'] -%}
    {{ '<turn>' + role + '\n' + (first_user_prefix if loop.first else "") }}
    {%- if message['content'] is string -%}
        {{ message['content'] | trim }}
    {%- elif message['content'] is iterable -%}
        {{ raise_exception("no parts") }}
    {%- endif -%}
    {{ '</turn>\n' }}
{%- endfor -%}
{%- if add_generation_prompt -%}
    {{'<turn>model\n'}}
{%- endif -%}
""",
}
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "description": "In a city — é", "parameters": {"type": "object"}},
}


def call(**arguments):
    return {"id": "1", "type": "function", "function": {"name": "weather", "arguments": arguments}}


INPUTS = [
    {"messages": [{"role": "user", "content": "Hello!"}]},
    {
        "messages": [
            {"role": "system", "content": "Be brief. "},
            {"role": "user", "content": " Hi \n"},
            {"role": "assistant", "content": "<t>\nhm\n</t>\n\nHi."},
            {"role": "user", "content": "Bye"},
        ]
    },
    {"messages": [{"role": "user", "content": "Weather?"}], "tools": [WEATHER]},
    {
        "messages": [
            {"role": "user", "content": "Weather?"},
            {"role": "assistant", "content": "", "tool_calls": [call(city="Köln", days=1.5)]},
            {"role": "tool", "content": "rain", "tool_call_id": "1"},
            {"role": "tool", "content": "sun", "tool_call_id": "2"},
            {"role": "assistant", "content": "<t>\nso\n</t>\nBoth."},
        ],
        "tools": [WEATHER],
    },
    {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]},
]


class Refused(Exception):
    pass


def refuse(reason):
    raise Refused(reason)


environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
environment.filters["tojson"] = lambda value, indent=None: json.dumps(value, ensure_ascii=False, indent=indent)
environment.globals["raise_exception"] = refuse
cases = []
for name, source in TEMPLATES.items():
    template = environment.from_string(source)
    for given in INPUTS:
        try:
            prompt = template.render(bos_token="<|start|>", add_generation_prompt=True, enable_thinking=False, **given)
        except Refused:
            prompt = None
        cases.append({"name": name, "template": source, "input": given, "prompt": prompt})
json.dump(cases, sys.stdout, indent=1)
sys.stdout.write("\n")
