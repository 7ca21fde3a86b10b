import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NotFoundError } from 'openai'
import { MODEL } from '../support/model.ts'
import { openai } from '../support/shared.ts'

const client = openai()

test('the list holds the default model', async () => {
  const { data } = await client.models.list()
  const model = data.find(({ id }) => id === MODEL)
  assert.equal(model?.object, 'model')
  assert.equal(typeof model?.created, 'number')
  assert.ok(model?.owned_by)
})

test('a model can be read by its name', async () => {
  assert.deepEqual(await client.models.retrieve(MODEL), (await client.models.list()).data[0])
})

test('a model that is not there is not found', async () => {
  await assert.rejects(client.models.retrieve('nope'), (error) => {
    assert.ok(error instanceof NotFoundError)
    assert.equal(error.code, 'model_not_found')
    return true
  })
})
