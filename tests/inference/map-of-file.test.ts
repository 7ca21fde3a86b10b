import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI, { toFile } from 'openai'
import * as v from 'valibot'
import { type Edge, errorOf, startEdge } from '#edge/testing/edge.ts'
import { randomFrom } from '#edge/testing/random.ts'
import { type ZipEntry, zipOf } from '#gpu-runner/testing/zip.ts'
import { BUNDLED_MANIFESTS } from '#models/bundled/bundled.ts'
import { publishedModelSchema } from '#protocol/published-model.ts'
import { DECODER, ENCODER, PIXELS, publish, SIDE } from './models.ts'
import { chunk, pngOf } from './png.ts'

interface Map {
  total: number
  data: { x: number; y: number; index: number; name?: string }[]
}

const SENSORS = 'sensor-anomalies'
const { input } = v.parse(publishedModelSchema, BUNDLED_MANIFESTS[SENSORS]).parts
assert.ok(input.kind === 'rows')
const COLUMNS = input.columns.map(({ name }) => name)

describe('the map of a file', () => {
  let edge: Edge
  let client: OpenAI
  before(async () => {
    edge = await startEdge()
    client = new OpenAI({ apiKey: edge.key, baseURL: `${edge.url}/v1`, maxRetries: 0 })
    await publish(edge, 'vae', { files: [ENCODER, DECODER] })
  })
  after(() => edge.stop())

  const upload = async (contents: Buffer | string) =>
    (await client.files.create({ file: await toFile(Buffer.from(contents), 'data'), purpose: 'fine-tune' })).id
  const ask = (body: object, key = edge.key) => edge.ask('/v1/latents/map', { body, key })
  const map = async (body: object) => {
    const response = await ask(body)
    assert.equal(response.status, 200, await response.clone().text())
    return (await response.json()) as Map
  }
  const points = ({ data }: Map) => data.map(({ x, y }) => [x, y])

  const random = randomFrom(5)
  const picture = () =>
    pngOf(
      Array.from({ length: PIXELS }, () => Math.floor(random() * 256)),
      SIDE,
    )
  const entryOf = (name: string, base64: string): ZipEntry => ({ name, contents: Buffer.from(base64, 'base64') })

  test('of images has them by name, without what file managers add', async () => {
    const pictures = Array.from({ length: 30 }, picture)
    const names = pictures.map((_, i) => `${i % 2 === 0 ? 'b' : 'a'}/${String(i).padStart(2, '0')}.png`)
    const entries = pictures.map((base64, i) => entryOf(names[i] ?? '', base64))
    const others = ['__MACOSX/b/._00.png', '.DS_Store', 'metadata.jsonl'].map((name) => ({ name, contents: 'x' }))
    const found = await map({ model: 'vae', file_id: await upload(zipOf([...entries, ...others])) })
    const sorted = names.toSorted()
    assert.equal(found.total, 30)
    assert.deepEqual(
      found.data.map(({ index, name }) => [index, name]),
      sorted.map((name, i) => [i, name]),
    )
    const images = sorted.map((name) => pictures[names.indexOf(name)])
    assert.deepEqual(points(found), points(await map({ model: 'vae', images })))
  })

  test('of rows finds its columns by name, in CSV and in JSONL, and takes every second of twice too many', async () => {
    const rows = Array.from({ length: 1024 }, () => COLUMNS.map(() => Math.fround(random())))
    const csv = [['when', ...COLUMNS.toReversed()], ...rows.map((row, i) => [`day ${i}`, ...row.toReversed()])]
    const jsonl = rows.map((row) => JSON.stringify(Object.fromEntries(row.map((value, i) => [COLUMNS[i], value]))))
    const chosen = rows.filter((_, i) => i % 2 === 0)
    const expected = points(await map({ model: SENSORS, rows: chosen }))
    for (const text of [csv.map((cells) => cells.join(';')).join('\r\n'), jsonl.join('\n')]) {
      const found = await map({ model: SENSORS, file_id: await upload(text) })
      assert.equal(found.total, 1024)
      assert.deepEqual(
        found.data.map(({ index }) => index),
        chosen.map((_, i) => 2 * i),
      )
      assert.deepEqual(points(found), expected)
    }
  })

  test('says what is wrong with the file', async () => {
    const good = entryOf('good.png', picture())
    const header = Buffer.alloc(13)
    header.writeUInt32BE(40_000, 0)
    header.writeUInt32BE(40_000, 4)
    header[8] = 8
    const bomb = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), chunk('IHDR', header), chunk('IEND')])
    const cells = COLUMNS.join(',')
    const zeros = COLUMNS.map(() => '0').join(',')
    const archive = zipOf([good, good])
    const cases: [model: string, file: Buffer | string, message: RegExp][] = [
      ['vae', 'not a zip', /takes a zip archive of images, but it is not a zip archive/],
      ['vae', zipOf([{ name: 'a.txt', contents: 'a' }]), /the archive has no images/],
      ['vae', zipOf([{ ...good, encrypted: true }]), /it is encrypted/],
      ['vae', zipOf([{ ...good, contents: Buffer.alloc(3 << 20) }]), /"good.png" has 3145728 bytes, the limit is/],
      ['vae', zipOf([{ ...good, contents: Buffer.alloc(9999), size: 99 }]), /has more bytes than its directory says/],
      ['vae', zipOf([{ ...good, contents: bomb }]), /6 × 6 pixels, got 40000 × 40000/],
      ['vae', zipOf([{ ...good, contents: 'GIF89a' }]), /file_id\["good.png"\]': expected a PNG, but/],
      ['vae', archive.subarray(0, -30), /not a zip archive/],
      ['vae', archive.subarray(40), /cut off|header is missing/],
      [SENSORS, archive, /takes a table, CSV or JSONL/],
      [SENSORS, '', /no rows/],
      [SENSORS, `${cells}\n`, /no rows/],
      [SENSORS, `a,b\n1,2\n`, /columns ".+" are not in the table, which has "a, b"/],
      [
        SENSORS,
        `${cells}\n${zeros}\n${zeros.replace('0', 'NaN')}\n`,
        /line 3, column ".+": expected a number, got "NaN"/,
      ],
      [SENSORS, `${cells}\n${zeros.slice(0, -2)}\n`, /line 2, column ".+": expected a number, got ""/],
      [SENSORS, '{"c": 1}\n', /columns .* are not in the table/],
      [SENSORS, '{"c0": \n', /line 1 is not valid JSON/],
    ]
    for (const [model, file, message] of cases) {
      // An empty file cannot be uploaded.
      const error = await errorOf(await ask({ model, file_id: await upload(file === '' ? '\n' : file) }))
      assert.equal(error.status, 400, `${message}: ${error.message}`)
      assert.match(error.message, message)
    }
    const large = await errorOf(await ask({ model: SENSORS, file_id: await upload('x'.repeat((16 << 20) + 1)) }))
    assert.deepEqual([large.status, large.param], [413, 'file_id'])
  })

  test('is for its owner, with a key that files are under', async () => {
    const file_id = await upload(zipOf([entryOf('a.png', picture()), entryOf('b.png', picture())]))
    const refused = async (key: string) => {
      const { status, code, param } = await errorOf(await ask({ model: 'vae', file_id }, key))
      return [status, code, param]
    }
    const other = await edge.newKey({ owner: 'another', scopes: ['latents', 'training'] })
    assert.deepEqual(await refused(other.key), [404, 'not_found', 'file_id'])
    const without = await edge.newKey({ scopes: ['latents'] })
    assert.deepEqual(await refused(without.key), [403, 'insufficient_scope', 'file_id'])
    assert.equal((await map({ model: 'vae', file_id })).total, 2)
  })
})
