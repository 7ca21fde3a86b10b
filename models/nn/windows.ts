/**
 * Windows over images that lie as rows of pixels [images · height · width, channels]: a convolution is a gather of each
 * window's pixels and one product of matrices, its transpose the same backwards. On a CPU this is the quickest way for
 * strides above 1 that ONNX Runtime has, forwards and backwards.
 */
import { dimsOf, matMul, reshape } from '../graph/arithmetic.ts'
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

/** x [pixels, channels] → [windows, kernel · kernel · channels] */
export function windowsOf(g: GraphBuilder, x: Value, geometry: WindowGeometry): Value {
  return gatherWindows(g, x, tableOf(geometry))
}

/** d [windows, kernel · kernel · channels] → [pixels, channels]: for each pixel, the sum over the windows that show it. */
export function sumOfWindows(g: GraphBuilder, d: Value, geometry: WindowGeometry): Value {
  return scatterWindows(g, d, tableOf(geometry))
}

function gatherWindows(g: GraphBuilder, x: Value, table: WindowTable): Value {
  const [pixels, channels = 1] = dimsOf(x)
  if (pixels !== table.pixels) throw new GraphError(`${x.name} has ${pixels} pixels, not ${table.pixels}`)
  const index = g.shared(`${table.key}.pixels`, 'int32', [table.places], table.pixelOf)
  return g.part([x], () => {
    const [gathered] = g.op('Gather', [withZeroRow(g, x), index], {})
    return {
      outputs: [reshape(g, gathered, [table.windows, (channels * table.places) / table.windows])],
      gradient: ([dy]) => [dy && scatterWindows(g, dy, table)],
    }
  })[0]
}

function scatterWindows(g: GraphBuilder, d: Value, table: WindowTable): Value {
  const { key, places, pixels, most } = table
  const channels = dimsOf(d).reduce((a, b) => a * b, 1) / places
  const index = g.shared(`${key}.places`, 'int32', [most * pixels], table.placesOf)
  return g.part([d], () => {
    const [gathered] = g.op('Gather', [withZeroRow(g, reshape(g, d, [places, channels])), index], {})
    const ones = g.shared(`ones[${most}]`, 'float32', [1, most], () => new Float32Array(most).fill(1))
    const summed = matMul(g, ones, reshape(g, gathered, [most, pixels * channels]))
    return {
      outputs: [reshape(g, summed, [pixels, channels])],
      gradient: ([dy]) => [dy && reshape(g, gatherWindows(g, dy, table), dimsOf(d))],
    }
  })[0]
}

/** x with a row of zeros behind it, for what is outside. */
export function withZeroRow(g: GraphBuilder, x: Value): Value {
  const [, channels = 1] = dimsOf(x)
  const zeros = g.shared(`zero_row[${channels}]`, 'float32', [1, channels], () => new Float32Array(channels))
  return g.op('Concat', [x, zeros], { axis: 0 })[0]
}
