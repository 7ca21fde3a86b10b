import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { crc32, deflateSync } from 'node:zlib'
import { fromBase64 } from './base64.ts'
import { imageFromBase64, imageToBase64 } from './pixels.ts'
import { decodePng, encodePng, PngError, pngSize } from './png.ts'
import cases from './testdata/pngs.json' with { type: 'json' }

function chunk(type: string, body: Uint8Array = new Uint8Array()): Buffer {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), body])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(body.length)
  sum.writeUInt32BE(crc32(named))
  return Buffer.concat([length, named, sum])
}

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1')
function header(width: number, height: number, rest: readonly number[]): Buffer {
  const body = Buffer.alloc(13)
  body.writeUInt32BE(width)
  body.writeUInt32BE(height, 4)
  body.set(rest, 8)
  return chunk('IHDR', body)
}
const GREY = [8, 0, 0, 0, 0]

/** As 8-bit RGBA. */
function toRgba(channels: number, samples: Float32Array): number[] {
  return Array.from({ length: samples.length / channels }, (_, pixel) => {
    const own = [...samples.subarray(pixel * channels, (pixel + 1) * channels)]
    const [first = 0] = own
    const alpha = channels % 2 === 0 ? own.at(-1) : 1
    return [...(channels < 3 ? [first, first, first] : own.slice(0, 3)), alpha ?? 1].map((sample) =>
      Math.round(sample * 255),
    )
  }).flat()
}

describe('a PNG', () => {
  for (const { name, png, rgba } of cases.images) {
    test(`is read as Pillow reads it: ${name}`, async () => {
      const { channels, samples } = await decodePng(fromBase64(png) ?? new Uint8Array())
      assert.deepEqual(toRgba(channels, samples), rgba)
    })
  }

  test('that was written is read again', async () => {
    for (const channels of [1, 3, 4]) {
      const samples = Float32Array.from({ length: 9 * 4 * channels }, (_, i) => ((i * 37) % 256) / 255)
      const file = await encodePng({ width: 9, height: 4, channels, samples })
      assert.deepEqual(await decodePng(file), { width: 9, height: 4, channels, samples })
    }
  })

  test('that unpacks to more than its header says is not unpacked', async () => {
    const bomb = deflateSync(Buffer.alloc(64 << 20))
    const file = Buffer.concat([SIGNATURE, header(4, 4, GREY), chunk('IDAT', bomb), chunk('IEND')])
    const before = process.memoryUsage().arrayBuffers
    await assert.rejects(decodePng(file), /more pixels than its header says/)
    assert.ok(process.memoryUsage().arrayBuffers - before < 16 << 20)
  })

  test('that is none, or broken, is refused', async () => {
    const whole = Buffer.concat([
      SIGNATURE,
      header(2, 2, GREY),
      chunk('IDAT', deflateSync(Buffer.alloc(6))),
      chunk('IEND'),
    ])
    assert.equal((await decodePng(whole)).samples.length, 4)
    const broken: [Buffer, RegExp][] = [
      [Buffer.from('GIF89a'), /not a PNG/],
      [whole.subarray(0, -6), /cut off/],
      [Buffer.from(whole.with(50, 1)), /checksum|cut off/],
      [Buffer.concat([SIGNATURE, header(2, 2, [8, 0, 0, 0, 1])]), /interlaced/],
      [Buffer.concat([SIGNATURE, header(0, 2, GREY)]), /no pixels/],
      [Buffer.concat([SIGNATURE, header(2, 2, [3, 0, 0, 0, 0])]), /colour type 0 of 3 bits/],
      [Buffer.concat([SIGNATURE, header(2, 2, GREY), chunk('IEND')]), /cannot be unpacked|fewer pixels/],
      [
        Buffer.concat([SIGNATURE, header(2, 2, GREY), chunk('IDAT', Buffer.from('x')), chunk('IEND')]),
        /cannot be unpacked/,
      ],
      [
        Buffer.concat([
          SIGNATURE,
          header(2, 2, GREY),
          chunk('IDAT', deflateSync(Buffer.from([9, 0, 0, 0, 0, 0]))),
          chunk('IEND'),
        ]),
        /filter/,
      ],
      [
        Buffer.concat([
          SIGNATURE,
          header(2, 2, [8, 3, 0, 0, 0]),
          chunk('IDAT', deflateSync(Buffer.alloc(6))),
          chunk('IEND'),
        ]),
        /palette/,
      ],
    ]
    for (const [file, message] of broken) await assert.rejects(decodePng(file), { name: PngError.name, message })
    for (let end = 0; end < whole.length; end++) await assert.rejects(decodePng(whole.subarray(0, end)), PngError)
  })

  test('says its size before it is unpacked', () => {
    const size = pngSize(Buffer.concat([SIGNATURE, header(100_000, 3, GREY)]))
    assert.deepEqual([size.width, size.height], [100_000, 3])
  })
})

describe('an image', () => {
  const colour = cases.images.find(({ name }) => name === 'colour')?.png ?? ''
  const shape = { channels: 3, height: 5, width: 7 }

  test('goes in and out of planes unchanged', async () => {
    const planes = await imageFromBase64(`data:image/png;base64,${colour}`, shape, 'image')
    assert.deepEqual(await imageFromBase64(await imageToBase64(planes, shape), shape, 'image'), planes)
  })

  test('becomes grey, or gets an alpha, as the model has it', async () => {
    const planes = await imageFromBase64(colour, shape, 'image')
    const grey = await imageFromBase64(colour, { ...shape, channels: 1 }, 'image')
    const [red = 0, green = 0, blue = 0] = [planes[0], planes[35], planes[70]]
    assert.ok(Math.abs((grey[0] ?? 0) - (0.299 * red + 0.587 * green + 0.114 * blue)) < 1e-6)
    const withAlpha = await imageFromBase64(colour, { ...shape, channels: 4 }, 'image')
    assert.deepEqual(withAlpha.subarray(0, 105), planes)
    assert.ok(withAlpha.subarray(105).every((alpha) => alpha === 1))
  })

  test('that is transparent is laid on white', async () => {
    const file = await encodePng({ width: 1, height: 1, channels: 4, samples: Float32Array.of(1, 0, 0, 0.2) })
    const text = Buffer.from(file).toString('base64')
    const planes = await imageFromBase64(text, { channels: 3, height: 1, width: 1 }, 'image')
    for (const [i, wanted] of [1, 0.8, 0.8].entries()) assert.ok(Math.abs((planes[i] ?? 0) - wanted) < 1e-6)
  })
})
