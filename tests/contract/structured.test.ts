/** Structured output and tools, with the unchanged `openai` client. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BadRequestError } from 'openai'
import type { ChatCompletionTool } from 'openai/resources/chat/completions'
import { MODEL } from '../support/model.ts'
import { openai } from '../support/shared.ts'

const client = openai()
const ask = (content: string) => ({ model: MODEL, messages: [{ role: 'user' as const, content }], max_tokens: 200 })
const CITY = {
  type: 'object',
  properties: {
    city: { type: 'string', maxLength: 20 },
    people: { type: 'integer', minimum: 0, maximum: 50_000_000 },
    capital: { type: 'boolean' },
  },
  required: ['city', 'people', 'capital'],
  additionalProperties: false,
}
const WEATHER: ChatCompletionTool = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather in a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', maxLength: 20 }, unit: { enum: ['celsius', 'fahrenheit'] } },
      required: ['city', 'unit'],
      additionalProperties: false,
    },
    strict: true,
  },
}
const CLOCK: ChatCompletionTool = { type: 'function', function: { name: 'now' } }

test('an answer by a schema is valid by it, at any temperature', async () => {
  const seeds = [1, 2, 3, 4]
  const answers = await Promise.all(
    seeds.map((seed) =>
      client.chat.completions.create({
        ...ask('Tell me of a city.'),
        temperature: 1.5,
        seed,
        response_format: { type: 'json_schema', json_schema: { name: 'city', schema: CITY, strict: true } },
      }),
    ),
  )
  for (const { choices } of answers) {
    assert.equal(choices[0]?.finish_reason, 'stop')
    const value = JSON.parse(choices[0]?.message.content ?? '') as Record<string, unknown>
    assert.deepEqual(Object.keys(value), ['city', 'people', 'capital'])
    assert.ok(Number.isInteger(value.people) && typeof value.capital === 'boolean')
    assert.ok(typeof value.city === 'string' && [...value.city].length <= 20)
  }
})

test('a JSON object; a regular expression, in completions too', async () => {
  const json = await client.chat.completions.create({
    ...ask('Answer in JSON: what is one plus one?'),
    temperature: 0,
    response_format: { type: 'json_object' },
  })
  if (json.choices[0]?.finish_reason === 'stop') {
    assert.equal(typeof JSON.parse(json.choices[0]?.message.content ?? ''), 'object')
  } else assert.match(json.choices[0]?.message.content ?? '', /^\{/)

  const regex = '(yes|no), in (19|20)[0-9]{2}'
  const chat = await client.chat.completions.create({ ...ask('Was it so?'), ...{ regex } })
  assert.match(chat.choices[0]?.message.content ?? '', /^(yes|no), in (19|20)[0-9]{2}$/)
  const text = await client.completions.create({ model: MODEL, prompt: 'It was', max_tokens: 40, ...{ regex } })
  assert.match(text.choices[0]?.text ?? '', /^(yes|no), in (19|20)[0-9]{2}$/)
})

test('a form that could be read in too many ways is refused, also where the answer is streamed', async () => {
  for (const stream of [false, true]) {
    await assert.rejects(
      client.chat.completions.create({ ...ask('Was it so?'), stream, ...{ regex: '.*[a-m].{14}z' } }),
      (error) => error instanceof BadRequestError && error.param === 'regex' && /too many ways/.test(error.message),
    )
  }
})

test('a call that has to be made, plain and streamed, and the answer to what it gave', async () => {
  const request = { ...ask('What is the weather in Oslo?'), temperature: 0, tools: [WEATHER, CLOCK] }
  const named = { type: 'function' as const, function: { name: 'get_weather' } }
  const plain = await client.chat.completions.create({ ...request, tool_choice: named })
  const [choice] = plain.choices
  assert.equal(choice?.finish_reason, 'tool_calls')
  assert.equal(choice?.message.content, null)
  const [call] = choice?.message.tool_calls ?? []
  assert.ok(call?.type === 'function')
  assert.match(call.id, /^call_/)
  assert.equal(call.function.name, 'get_weather')
  assert.deepEqual(Object.keys(JSON.parse(call.function.arguments) as object), ['city', 'unit'])

  const stream = client.chat.completions.stream({ ...request, tool_choice: named })
  let pieces = 0
  stream.on('tool_calls.function.arguments.delta', () => pieces++)
  const { choices } = await stream.finalChatCompletion()
  const [streamed] = choices[0]?.message.tool_calls ?? []
  assert.ok(streamed?.type === 'function')
  assert.equal(streamed.function.arguments, call.function.arguments)
  assert.ok(pieces > 3, 'arguments come in pieces')

  const answer = await client.chat.completions.create({
    ...request,
    max_tokens: 16,
    tool_choice: 'none',
    messages: [
      ...request.messages,
      choice?.message ?? { role: 'assistant', content: '' },
      { role: 'tool', tool_call_id: call.id, content: '{"degrees": 4}' },
    ],
  })
  assert.ok((answer.choices[0]?.message.content ?? '').length > 0)
})

test('required gives one call or more, or exactly one', async () => {
  const request = { ...ask('Weather and time, please.'), tools: [WEATHER, CLOCK], tool_choice: 'required' as const }
  const single = await client.chat.completions.create({ ...request, parallel_tool_calls: false, seed: 3 })
  assert.equal(single.choices[0]?.message.tool_calls?.length, 1)
  const several = await client.chat.completions.create({ ...request, seed: 3 })
  assert.ok((several.choices[0]?.message.tool_calls?.length ?? 0) >= 1)
})

test('tools that may be called leave text as it is', async () => {
  const { choices } = await client.chat.completions.create({
    ...ask('Say hello.'),
    tools: [CLOCK],
    seed: 1,
    max_tokens: 12,
  })
  const [choice] = choices
  assert.ok((choice?.message.content ?? '') !== '' || (choice?.message.tool_calls?.length ?? 0) > 0)
})

test('what cannot be held to is refused before anything runs, and says where', async () => {
  const format = (schema: Record<string, unknown>) => ({
    response_format: { type: 'json_schema' as const, json_schema: { name: 'x', schema, strict: true } },
  })
  const cases: [object, string, RegExp][] = [
    [
      format({ type: 'object', properties: { a: { type: 'array', uniqueItems: true } } }),
      'response_format.json_schema.schema',
      /\/properties\/a.*uniqueItems/,
    ],
    [format({ type: 'string', pattern: '(a{999}){999}{9}' }), 'response_format.json_schema.schema', /pattern/],
    [{ regex: 'x{70000}' }, 'regex', /60000 states/],
    [
      { tools: [{ ...WEATHER, function: { name: 'f', strict: true, parameters: { type: 'object', not: {} } } }] },
      'tools',
      /"f".*"not"/,
    ],
    [{ tools: [CLOCK], tool_choice: { type: 'function', function: { name: 'other' } } }, 'tool_choice', /"other"/],
    [{ tool_choice: 'required' }, 'tool_choice', /only allowed when 'tools'/],
    [{ tools: [CLOCK], response_format: { type: 'json_object' } }, 'response_format', /does not go with 'tools'/],
    [{ tools: [{ type: 'function', function: { name: 'no spaces' } }] }, 'tools[0].function.name', /./],
    [
      { messages: [{ role: 'tool', tool_call_id: 'none', content: 'x' }] },
      'messages[0].tool_call_id',
      /No call before/,
    ],
  ]
  for (const [fields, param, message] of cases) {
    const started = performance.now()
    const create = client.chat.completions.create({ ...ask('Hello'), ...fields })
    await assert.rejects(create, (error) => {
      assert.ok(error instanceof BadRequestError, String(error))
      assert.equal(error.param, param)
      assert.match(error.message, message)
      return true
    })
    assert.ok(performance.now() - started < 1000)
  }
})
