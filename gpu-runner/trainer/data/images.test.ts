import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { after, before, describe, test } from 'node:test'
import { crc32 } from 'node:zlib'
import sharp from 'sharp'
import { type ZipEntry, zipOf } from '../../testing/zip.ts'
import { Random } from '../random.ts'
import { DataSetError, type DataSetErrorCode } from './data-set-error.ts'
import { type ImageFormat, readImages } from './images.ts'

const GREY: ImageFormat = { channels: 1, height: 8, width: 8 }
const COLOUR: ImageFormat = { channels: 3, height: 8, width: 8 }

type Colour = string | { r: number; g: number; b: number; alpha: number }
const flat = (background: Colour, { width = 8, height = 8 } = {}) =>
  sharp({ create: { width, height, channels: 4, background } })

describe('images in a zip', () => {
  let folder: string
  let red: Buffer
  let blue: Buffer
  before(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'tandem-images-'))
    red = await flat('#ff0000').png().toBuffer()
    blue = await flat('#0000ff').png().toBuffer()
  })
  after(() => rm(folder, { recursive: true }))

  let written = 0
  const read = async (zip: Buffer | readonly ZipEntry[], format = COLOUR) => {
    const file = path.join(folder, `${written++}.zip`)
    await writeFile(file, Buffer.isBuffer(zip) ? zip : zipOf(zip as readonly ZipEntry[]))
    return readImages(file, format)
  }
  const two = () => [
    { name: 'b.png', contents: blue },
    { name: 'a.png', contents: red },
  ]
  const refuses = async (zip: Buffer | readonly ZipEntry[], code: DataSetErrorCode, message: RegExp) => {
    await assert.rejects(read(zip), (error) => {
      assert.ok(error instanceof DataSetError, String(error))
      assert.equal(error.code, code, error.message)
      assert.match(error.message, message)
      return true
    })
  }

  test('are read by the order of their names, channel by channel', async () => {
    const { data, warnings } = await read(two())
    assert.deepEqual(warnings, [])
    const of = (...values: number[]) => values.flatMap((value) => Array.from({ length: 64 }, () => value))
    assert.deepEqual([...data.pixels], [...of(255, 0, 0), ...of(0, 0, 255)])
    assert.deepEqual([data.count, data.channels, data.labels, data.captions], [2, 3, undefined, undefined])
  })

  test('become what the model has, whatever they were', async () => {
    const half = flat({ r: 0, g: 0, b: 0, alpha: 0.5 })
    const wide = await sharp({ create: { width: 32, height: 8, channels: 3, background: '#000' } })
      .composite([{ input: await flat('#fff').png().toBuffer(), left: 12, top: 0 }])
      .png()
      .toBuffer()
    const turned = await sharp({ create: { width: 8, height: 16, channels: 3, background: '#fff' } })
      .composite([{ input: await flat('#000').png().toBuffer(), left: 0, top: 0 }])
      .withMetadata({ orientation: 6 })
      .jpeg({ quality: 100 })
      .toBuffer()
    const grey16 = await flat('#808080').toColourspace('grey16').png().toBuffer()
    const { data } = await read(
      [
        { name: '0.webp', contents: await flat('#fff').webp({ lossless: true }).toBuffer() },
        { name: '1.gif', contents: await flat('#000').gif().toBuffer() },
        { name: '2.png', contents: await half.png().toBuffer() },
        { name: '3.png', contents: wide },
        { name: '4.png', contents: grey16 },
        { name: '5.jpg', contents: turned },
        { name: '6.jpg', contents: await flat('#fff').toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer() },
        { name: '7.png', contents: await flat('#fff').png({ palette: true }).toBuffer() },
      ],
      GREY,
    )
    const image = (i: number) => [...data.pixels.subarray(i * 64, (i + 1) * 64)]
    const near = (i: number, value: number) =>
      assert.ok(
        image(i).every((sample) => Math.abs(sample - value) <= 3),
        `image ${i} is ${image(i)}`,
      )
    near(0, 255)
    near(1, 0)
    near(2, 127)
    // Cut in the middle.
    near(3, 255)
    near(4, 128)
    near(6, 255)
    near(7, 255)
    // A quarter turn: what was above is on the right.
    const row = image(5).slice(0, 8)
    assert.ok((row[0] ?? 0) > 240 && (row[7] ?? 255) < 15, String(row))
  })

  test('keep what is transparent if there are four channels', async () => {
    const clear = await flat({ r: 9, g: 9, b: 9, alpha: 0 }).png().toBuffer()
    const zip = [...two(), { name: 'c.png', contents: clear }]
    const { data } = await read(zip, { ...COLOUR, channels: 4 })
    assert.deepEqual([...data.pixels.subarray(3 * 64, 4 * 64)].slice(0, 2), [255, 255])
    assert.deepEqual([...data.pixels.subarray(-64)].slice(0, 2), [0, 0])
  })

  test('have their folders as classes', async () => {
    const { data } = await read([
      { name: 'warm/', contents: '' },
      { name: 'warm/1.png', contents: red },
      { name: 'cold/1.png', contents: blue },
      { name: 'cold/2.png', contents: blue },
      { name: '__MACOSX/cold/._1.png', contents: 'x' },
      { name: '.DS_Store', contents: 'x' },
    ])
    assert.deepEqual(data.classes, ['cold', 'warm'])
    assert.deepEqual([...(data.labels ?? [])], [0, 0, 1])
    const mixed = await read([...two(), { name: 'x/1.png', contents: red }, { name: 'inner.zip', contents: 'x' }])
    assert.equal(mixed.data.labels, undefined)
    assert.match(mixed.warnings.join(), /1 files are no images, such as 'inner.zip'.*in no folder/)
  })

  test('have captions', async () => {
    const lines = ['{"file_name": "b.png", "text": "blue"}', '', '{"file_name": "a.png", "text": "red", "more": 1}']
    const { data } = await read([...two(), { name: 'metadata.jsonl', contents: lines.join('\r\n') }])
    assert.deepEqual(data.captions, ['red', 'blue'])
    const captions = (contents: string) => [...two(), { name: 'captions.jsonl', contents }]
    await refuses(captions(lines[0] ?? ''), 'bad_caption', /'a.png' has no caption in 'captions.jsonl'/)
    await refuses(captions('{'), 'bad_caption', /Line 1 of 'captions.jsonl' is not valid JSON/)
    await refuses(captions('\n{"file_name": 3}'), 'bad_caption', /Line 2 .* must have the texts/)
    await refuses(captions('{"file_name": "z.png", "text": ""}'), 'bad_caption', /'z.png', which is not in the archive/)
  })

  test('that cannot be read are named', async () => {
    const with_ = (contents: Buffer | string) => [...two(), { name: 'c.png', contents }]
    await refuses(with_('text'), 'unreadable_image', /'c.png' is not a PNG/)
    await refuses(with_(red.subarray(0, red.length - 20)), 'unreadable_image', /'c.png' cannot be read as an image/)
    await refuses(with_('<svg xmlns="http://www.w3.org/2000/svg"/>'), 'unreadable_image', /'c.png'/)
    const ihdr = Buffer.from(red)
    ihdr.writeUInt32BE(40_000, 16)
    ihdr.writeUInt32BE(40_000, 20)
    ihdr.writeUInt32BE(crc32(ihdr.subarray(12, 29)), 29)
    await refuses(with_(ihdr), 'too_large', /'c.png' has 40000 × 40000 pixels, the limit is 50000000/)
  })

  test('are refused with the archive if that is no good', async () => {
    await refuses(Buffer.from('no zip'), 'unreadable', /not a zip archive/)
    await refuses(Buffer.alloc(0), 'unreadable', /not a zip archive/)
    await refuses([], 'too_few', /at least 2 images.*has 0/)
    await refuses([{ name: 'a.png', contents: red }], 'too_few', /has 1/)
    await refuses([{ name: 'x.txt', contents: '' }], 'too_few', /1 other files, such as 'x.txt'/)
    await refuses([...two(), { name: '../c.png', contents: red }], 'unsafe_name', /\.\.\/c\.png/)
    await refuses([...two(), { name: '/c.png', contents: red }], 'unsafe_name', /c\.png/)
    await refuses([...two(), { name: 'C:/c.png', contents: red }], 'unsafe_name', /c\.png/)
    await refuses([...two(), { name: 'c.png', contents: red, encrypted: true }], 'encrypted', /'c.png' is encrypted/)
    await refuses([...two(), ...two()], 'unreadable', /two files/)
    const bomb = { name: 'c.png', contents: Buffer.alloc(33 << 20) }
    await refuses([...two(), bomb], 'too_large', /'c.png' has 34603008 bytes, the limit is 33554432/)
    await refuses([...two(), { ...bomb, size: 1000 }], 'unreadable', /'c.png' cannot be unpacked/)
    const many = Array.from({ length: 150 }, (_, i) => ({ name: `${i}.png`, contents: 'x', size: 32 << 20 }))
    await refuses(many, 'too_large', /bytes when unpacked.*the limit is 4294967296/)
  })

  test('are read or refused, however the archive is damaged', async () => {
    const random = new Random(17)
    const whole = zipOf([...two(), { name: 'metadata.jsonl', contents: '{"file_name":"a.png","text":"a"}' }])
    let refused = 0
    for (let i = 0; i < 300; i++) {
      const damaged = Buffer.from(whole)
      for (let k = 0; k <= i % 4; k++)
        damaged[Math.floor(random.uniform() * damaged.length)] = Math.floor(random.uniform() * 256)
      const cut = i % 10 === 0 ? damaged.subarray(0, Math.floor(random.uniform() * damaged.length)) : damaged
      await read(cut).catch((error: unknown) => {
        assert.ok(error instanceof DataSetError, `${i}: ${error}`)
        refused++
      })
    }
    assert.ok(refused > 200, String(refused))
  })
})
