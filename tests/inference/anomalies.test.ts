import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { type Edge, errorOf, startEdge } from '#edge/testing/edge.ts'
import { randomFrom } from '#edge/testing/random.ts'
import type { Anomaly, ColumnShare, TileShare } from '#protocol/anomalies.ts'
import { assertClose } from './close.ts'
import { COLUMNS, detector, IMAGE_SCORER, IMAGES, native, PIXELS, publish, ROW_SCORER, ROWS, SIDE } from './models.ts'
import { pngOf } from './png.ts'

const TOLERANCE = 1e-4

describe('anomalies', () => {
  let edge: Edge
  before(async () => {
    edge = await startEdge()
    await publish(edge, 'sensors', { parts: detector(ROWS, ROW_SCORER), files: [ROW_SCORER] })
    await publish(edge, 'pictures', { parts: detector(IMAGES, IMAGE_SCORER), files: [IMAGE_SCORER] })
    await publish(edge, 'vae')
  })
  after(() => edge.stop())

  const score = async (body: object): Promise<Anomaly[]> => {
    const response = await edge.ask('/v1/anomalies', { body })
    assert.equal(response.status, 200, await response.clone().text())
    assert.equal(response.headers.get('x-served-by'), 'edge')
    const { data, threshold } = (await response.json()) as { data: Anomaly[]; threshold: number }
    assert.equal(threshold, 10)
    return data
  }

  test('of rows are scored as the native engine scores them', async () => {
    const random = randomFrom(3)
    const rows = Array.from({ length: 200 }, () => COLUMNS.map(() => random() * 6 - 3))
    const data = await score({ model: 'sensors', rows })
    const input = { data: Float32Array.from(rows.flat()), shape: [rows.length, COLUMNS.length] }
    const { scores = [], errors = new Float32Array() } = await native(ROW_SCORER, { rows: input })
    assertClose(
      data.map((item) => item.score),
      scores,
      TOLERANCE,
    )
    assert.ok(data.some(({ is_anomaly }) => is_anomaly) && data.some(({ is_anomaly }) => !is_anomaly))
    for (const [i, { score, is_anomaly, severity, contributions }] of data.entries()) {
      assert.equal(is_anomaly, score > 10)
      // The quantiles are 0, 1/4, 2/4, … 25.
      assertClose([severity], [Math.min(1, score / 25)], 1e-9)
      const shares = contributions as ColumnShare[]
      assert.deepEqual(
        shares.map(({ column }) => column),
        COLUMNS,
      )
      const own = errors.subarray(i * COLUMNS.length, (i + 1) * COLUMNS.length)
      assertClose(
        shares.map(({ share }) => share * score),
        own,
        TOLERANCE,
      )
      assertClose([shares.reduce((sum, { share }) => sum + share, 0)], [1], 1e-6)
    }
  })

  test('of an image are shown where they are', async () => {
    const pixels = Array.from({ length: PIXELS }, () => 0)
    pixels[2 * SIDE + 4] = 255
    pixels[5 * SIDE] = 255
    const [spots, black] = await score({
      model: 'pictures',
      images: [
        pngOf(pixels, SIDE),
        pngOf(
          pixels.map(() => 0),
          SIDE,
        ),
      ],
    })
    assert.equal(spots?.score, 2)
    const shares = spots?.contributions as TileShare[]
    assert.deepEqual(
      shares.filter(({ share }) => share > 0),
      [
        { x: 4, y: 2, width: 1, height: 1, share: 0.5 },
        { x: 0, y: 5, width: 1, height: 1, share: 0.5 },
      ],
    )
    const even = black?.contributions as TileShare[]
    assertClose(
      even.map(({ share }) => share),
      even.map(() => 1 / PIXELS),
      1e-12,
    )
    assert.deepEqual([black?.severity, black?.is_anomaly], [0, false])
  })

  test('say what is wrong with a request', async () => {
    const cases: [object, number, RegExp][] = [
      [
        {
          model: 'sensors',
          rows: [
            [1, 2, 3, 4, 5],
            [1, 2],
          ],
        },
        400,
        /'rows\[1\]': expected 5 numbers.*got 2/,
      ],
      [{ model: 'sensors', rows: [[1, 2, 3, 4, null]] }, 400, /rows\[0\]\[4\]/],
      [{ model: 'sensors', rows: Array.from({ length: 1025 }, () => [1, 2, 3, 4, 5]) }, 400, /at most 1024, got 1025/],
      [{ model: 'sensors', images: ['x'] }, 400, /takes 'rows', not 'images'/],
      [
        {
          model: 'vae',
          images: [
            pngOf(
              Array.from({ length: PIXELS }, () => 0),
              SIDE,
            ),
          ],
        },
        400,
        /scores anomalies, got 'vae'/,
      ],
      [{ model: 'sensors' }, 400, /Missing required parameter/],
      [{ model: 'other', rows: [[1]] }, 404, /does not exist/],
    ]
    for (const [body, status, message] of cases) {
      const error = await errorOf(await edge.ask('/v1/anomalies', { body }))
      assert.equal(error.status, status, error.message)
      assert.match(error.message, message)
    }
    const large = `{"model":"sensors","rows":[[${'1,'.repeat(3 << 20)}1]]}`
    assert.equal((await errorOf(await edge.ask('/v1/anomalies', { body: large }))).status, 413)
  })

  test('cost a ledger row each, however many come at once', async () => {
    const { id, key } = await edge.newKey({ scopes: ['anomalies'] })
    const body = { model: 'sensors', rows: [[1, 2, 3, 4, 5]] }
    const answers = await Promise.all(Array.from({ length: 100 }, () => edge.ask('/v1/anomalies', { body, key })))
    assert.ok(answers.every(({ status }) => status === 200))
    const count = async () =>
      (await edge.database.prepare('SELECT COUNT(*) AS n FROM usage WHERE key_id = ?').bind(id).first<{ n: number }>())
        ?.n
    while ((await count()) !== 100) await new Promise((resolve) => setTimeout(resolve, 10))
  })
})
