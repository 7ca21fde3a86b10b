/** What differentiable augmentation (models/nn/augment.ts) is fed: the paper's translation, cutout and colours. */
import type { Tensor } from '../../runtime/tensor.ts'
import type { Random } from '../random.ts'

/** Of a side: how far an image is moved at most, and how wide what is cut out is. */
const TRANSLATION = 1 / 8
const CUTOUT = 1 / 2
/** Least and most. */
const BRIGHTNESS = [-0.5, 0.5] as const
const SATURATION = [0, 2] as const
const CONTRAST = [0.5, 1.5] as const

export interface ImageSize {
  readonly channels: number
  readonly height: number
  readonly width: number
}

/** In pixels: how far an image is moved, and the rectangle that is cut out then. */
export interface Move {
  readonly right: number
  readonly down: number
  readonly cut: { readonly left: number; readonly top: number; readonly width: number; readonly height: number }
}

/** Which pixel each one becomes and where each goes, of images one after the other; pixels.length for none. */
export function fillMoves(
  { source, target }: { readonly source: Int32Array; readonly target: Int32Array },
  { height, width }: ImageSize,
  moves: readonly Move[],
): void {
  source.fill(source.length)
  target.fill(source.length)
  for (const [image, { right, down, cut }] of moves.entries()) {
    for (let y = Math.max(0, down); y < Math.min(height, height + down); y++) {
      const isCutRow = y >= cut.top && y < cut.top + cut.height
      for (let x = Math.max(0, right); x < Math.min(width, width + right); x++) {
        if (isCutRow && x >= cut.left && x < cut.left + cut.width) continue
        const to = (image * height + y) * width + x
        const from = (image * height + y - down) * width + x - right
        source[to] = from
        target[from] = to
      }
    }
  }
}

/** Fills the inputs `augment.…` of a step for a batch. */
export function fillAugmentation(
  inputs: Readonly<Record<string, Tensor>>,
  size: ImageSize,
  { batch, random }: { readonly batch: number; readonly random: Random },
): void {
  const { channels, height, width } = size
  const between = ([low, high]: readonly [number, number]) => low + (high - low) * random.uniform()
  /** A whole number, both ends included. */
  const whole = (low: number, high: number) => low + Math.floor((high - low + 1) * random.uniform())
  const [reachX, reachY] = [Math.round(TRANSLATION * width), Math.round(TRANSLATION * height)]
  const cut = { width: Math.round(CUTOUT * width), height: Math.round(CUTOUT * height) }
  const moves = Array.from({ length: batch }, () => ({
    right: whole(-reachX, reachX),
    down: whole(-reachY, reachY),
    cut: {
      ...cut,
      left: whole(0, width) - Math.floor(cut.width / 2),
      top: whole(0, height) - Math.floor(cut.height / 2),
    },
  }))
  const index = (name: string) => inputs[`augment.${name}`]?.data as Int32Array
  fillMoves({ source: index('source'), target: index('target') }, size, moves)
  const colours = inputs['augment.colours']?.data as Float32Array
  const brightness = inputs['augment.brightness']?.data as Float32Array
  for (let image = 0; image < batch; image++) {
    brightness[image] = between(BRIGHTNESS)
    const saturation = between(SATURATION)
    // Around middle grey, which is zero; the paper takes each image's own mean.
    const contrast = between(CONTRAST)
    for (let from = 0; from < channels; from++) {
      for (let to = 0; to < channels; to++) {
        const grey = (1 - saturation) / channels
        colours[(image * channels + from) * channels + to] = contrast * (grey + (from === to ? saturation : 0))
      }
    }
  }
}
