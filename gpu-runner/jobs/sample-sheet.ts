import sharp from 'sharp'
import type { Samples } from '../trainer/task.ts'

/** A small picture is shown larger, pixel by pixel, so that it can be made out. */
const LEAST_SIDE = 512

/** Writes a sheet of samples as a PNG file. */
export async function writeSheet(file: string, { width, height, channels, pixels }: Samples): Promise<void> {
  const scale = Math.max(1, Math.floor(LEAST_SIDE / Math.max(width, height)))
  await sharp(pixels, { raw: { width, height, channels: channels as 1 | 2 | 3 | 4 } })
    .resize(width * scale, height * scale, { kernel: 'nearest' })
    .png()
    .toFile(file)
}
