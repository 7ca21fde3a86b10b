import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Edge, errorOf, startEdge } from '../testing/edge.ts'

const MB = 1 << 20

describe('a disk that is full', () => {
  let edge: Edge
  let left = 0
  before(async () => {
    edge = await startEdge({ room: () => left })
  })
  after(() => edge.stop())

  const form = (fields: Readonly<Record<string, string | Blob>>): FormData => {
    const data = new FormData()
    for (const [name, value] of Object.entries(fields)) data.append(name, value)
    return data
  }
  const upload = () => edge.ask('/v1/files', { form: form({ purpose: 'fine-tune', file: new Blob(['a,b\n1,2\n']) }) })
  const refusal = async (response: Response) => {
    const retryAfter = response.headers.get('retry-after')
    const { status, code } = await errorOf(response)
    return [status, code, retryAfter]
  }

  test('takes no file, says so, keeps nothing of it, and takes the next when there is room', async () => {
    left = 32 * MB
    const refused = await upload()
    assert.match(await refused.clone().text(), /nearly full: this needs \d+ bytes, and there is room for 0\./)
    assert.deepEqual(await refusal(refused), [503, 'storage_full', '60'])
    assert.deepEqual(await edge.objects('files/'), [])
    const { data } = (await (await edge.ask('/v1/files')).json()) as { data: object[] }
    assert.deepEqual(data, [])
    left = 33 * MB
    assert.equal((await upload()).status, 200)
  })

  test('takes no part of an upload', async () => {
    left = 1024 * MB
    const body = { bytes: 4, filename: 'a.csv', mime_type: 'text/csv', purpose: 'fine-tune' }
    const { id } = (await (await edge.ask('/v1/uploads', { body })).json()) as { id: string }
    const part = () => edge.ask(`/v1/uploads/${id}/parts`, { form: form({ data: new Blob(['a,b\n']) }) })
    left = 0
    assert.deepEqual(await refusal(await part()), [503, 'storage_full', '60'])
    left = 1024 * MB
    assert.equal((await part()).status, 200)
  })

  test('is why something fails, if it is', async () => {
    await edge.database.prepare('ALTER TABLE conversations RENAME TO others').run()
    const create = () => edge.ask('/v1/conversations', { body: {} })
    left = 0
    assert.deepEqual(await refusal(await create()), [503, 'storage_full', '60'])
    left = 1024 * MB
    assert.deepEqual(await refusal(await create()), [500, 'internal_error', null])
    await edge.database.prepare('ALTER TABLE others RENAME TO conversations').run()
    assert.equal((await create()).status, 200)
  })
})
