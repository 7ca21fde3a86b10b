/**
 * Windows over images that lie as rows of pixels [images · height · width, channels]: a convolution is a gather of each
 * window's pixels and one product of matrices, its transpose the same backwards. On a CPU this is the quickest way for
 * strides above 1 that ONNX Runtime has, forwards and backwards.
 */
import { affine, dimsOf, matMul, reshape, sumTo } from '../graph/arithmetic.ts'
import type { GraphBuilder } from '../graph/builder.ts'
import { GraphError } from '../graph/error.ts'
import type { Value } from '../graph/graph.ts'

export interface WindowGeometry {
  readonly images: number
  readonly height: number
  readonly width: number
  readonly kernel: number
  readonly stride: number
  readonly pad: number
}

/** Which pixel each place of each window shows, and the other way round. */
interface WindowTable {
  readonly key: string
  readonly windows: number
  readonly pixels: number
  readonly places: number
  /** [places]: a pixel, or `pixels` for one outside the image. */
  readonly pixelOf: () => Int32Array
  /** [most, pixels]: the places that show a pixel, or `places` for none. */
  readonly placesOf: () => Int32Array
  /** The most places that show one pixel. */
  readonly most: number
}

export const windowsAlong = (
  length: number,
  { kernel, stride, pad }: Omit<WindowGeometry, 'images' | 'height' | 'width'>,
) => Math.floor((length + 2 * pad - kernel) / stride) + 1

function tableOf(geometry: WindowGeometry): WindowTable {
  const { images, height, width, kernel, stride, pad } = geometry
  const [rows, columns] = [windowsAlong(height, geometry), windowsAlong(width, geometry)]
  if (rows < 1 || columns < 1) throw new GraphError(`windows of ${kernel} do not fit ${height} × ${width} pixels`)
  const pixels = images * height * width
  const places = images * rows * columns * kernel * kernel
  const most = Math.ceil(kernel / stride) ** 2
  const fill = (pixelOf: Int32Array, placesOf: Int32Array) => {
    const shown = new Uint8Array(pixels)
    let place = 0
    for (let image = 0; image < images; image++) {
      for (let row = 0; row < rows; row++) {
        for (let column = 0; column < columns; column++) {
          for (let dy = 0; dy < kernel; dy++) {
            for (let dx = 0; dx < kernel; dx++, place++) {
              const y = row * stride - pad + dy
              const x = column * stride - pad + dx
              if (y < 0 || y >= height || x < 0 || x >= width) continue
              const pixel = (image * height + y) * width + x
              pixelOf[place] = pixel
              const before = shown[pixel] ?? 0
              placesOf[before * pixels + pixel] = place
              shown[pixel] = before + 1
            }
          }
        }
      }
    }
  }
  let made: { pixelOf: Int32Array; placesOf: Int32Array } | undefined
  const make = () => {
    if (!made) {
      made = {
        pixelOf: new Int32Array(places).fill(pixels),
        placesOf: new Int32Array(most * pixels).fill(places),
      }
      fill(made.pixelOf, made.placesOf)
    }
    return made
  }
  return {
    key: `windows[${Object.values(geometry)}]`,
    windows: images * rows * columns,
    pixels,
    places,
    most,
    pixelOf: () => make().pixelOf,
    placesOf: () => make().placesOf,
  }
}

export interface Operands {
  readonly x: Value
  /** [kernel · kernel · channels, out] */
  readonly w: Value
}

/** x [pixels, channels], b [out] → [windows, out] */
export function convolve(g: GraphBuilder, { x, w, b }: Operands & { b?: Value | undefined }, geometry: WindowGeometry) {
  const table = tableOf(geometry)
  return g.part(b ? [x, w, b] : [x, w], () => {
    const windows = gatherWindows(g, x, table)
    const gradient = ([dy]: readonly (Value | undefined)[]) =>
      dy ? [spread(g, { x: dy, w }, table), matMul(g, windows, dy, { transA: true }), b && sumTo(g, dy, dimsOf(b))] : []
    return { outputs: [affine(g, windows, w, b)], gradient }
  })[0]
}

/** The transpose of `convolve`: x [windows, out] → [pixels, channels] */
export function convolveTransposed(g: GraphBuilder, { x, w }: Operands, geometry: WindowGeometry): Value {
  const table = tableOf(geometry)
  return g.part([x, w], () => {
    const gradient = ([dy]: readonly (Value | undefined)[]) => {
      if (!dy) return []
      const windows = gatherWindows(g, dy, table)
      return [matMul(g, windows, w), matMul(g, windows, x, { transA: true })]
    }
    return { outputs: [spread(g, { x, w }, table)], gradient }
  })[0]
}

/** x [pixels, channels] → [windows, kernel · kernel · channels] */
function gatherWindows(g: GraphBuilder, x: Value, table: WindowTable): Value {
  const [pixels, channels = 1] = dimsOf(x)
  if (pixels !== table.pixels) throw new GraphError(`${x.name} has ${pixels} pixels, not ${table.pixels}`)
  const index = g.shared(`${table.key}.pixels`, 'int32', [table.places], table.pixelOf)
  const [gathered] = g.op('Gather', [withZeroRow(g, x), index], {})
  return reshape(g, gathered, [table.windows, (channels * table.places) / table.windows])
}

/** x [windows, out] · wᵀ, and for each pixel the sum over the places that show it: [pixels, channels] */
function spread(g: GraphBuilder, { x, w }: Operands, { key, windows, places, pixels, most, placesOf }: WindowTable) {
  const inWindow = places / windows
  const channels = Number(w.shape[0]) / inWindow
  const index = g.shared(`${key}.places`, 'int32', [most * pixels], placesOf)
  // The window of zeros that is shown where there is none comes of a row of zeros, which is the least to be copied.
  const products = matMul(g, withZeroRow(g, x), w, { transB: true })
  const [gathered] = g.op('Gather', [reshape(g, products, [places + inWindow, channels]), index], {})
  const ones = g.shared(`ones[${most}]`, 'float32', [1, most], () => new Float32Array(most).fill(1))
  const summed = matMul(g, ones, reshape(g, gathered, [most, pixels * channels]))
  return reshape(g, summed, [pixels, channels])
}

/** x with a row of zeros behind it, for what is outside. */
export function withZeroRow(g: GraphBuilder, x: Value): Value {
  const [, channels = 1] = dimsOf(x)
  const zeros = g.shared(`zero_row[${channels}]`, 'float32', [1, channels], () => new Float32Array(channels))
  return g.op('Concat', [x, zeros], { axis: 0 })[0]
}
