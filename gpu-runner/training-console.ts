/** What a training that is begun by hand says, and where it puts what it made. */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { MadeModel } from './trainer/make-model.ts'
import type { TrainingEvent } from './trainer/trainer.ts'

export function tell(event: TrainingEvent): void {
  if (event.type === 'progress') {
    const { step, steps, epoch, losses, secondsLeft, stepsPerSecond } = event
    const left = `${Math.ceil(secondsLeft)} s left`
    console.log(
      `step ${step} of ${steps}, epoch ${epoch}, ${stepsPerSecond.toFixed(1)} steps/s, ${left}. ${numbers(losses)}`,
    )
  } else if (event.type === 'validation') {
    console.log(`validation after epoch ${event.epoch}: ${numbers(event.metrics)}`)
  }
}

/** Puts a model's files and its manifest into a folder, in the place of what was there. */
export async function writeModel(folder: string, { manifest, files }: MadeModel): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const name of await readdir(folder)) if (name.endsWith('.onnx')) await rm(path.join(folder, name))
  for (const [i, name] of fileNames(manifest.parts).entries()) {
    await writeFile(path.join(folder, name), files[i] ?? new Uint8Array())
  }
  await writeFile(path.join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  const bytes = files.reduce((sum, file) => sum + file.byteLength, 0)
  console.log(`${manifest.id}: ${(bytes / 1e6).toFixed(2)} MB. ${numbers(manifest.card.metrics)}`)
}

/** In the order of the files. */
function fileNames(parts: MadeModel['manifest']['parts']): readonly string[] {
  if (parts.family === 'translation') return ['vocabulary.json', 'encoder.onnx', 'decoder.onnx']
  return ['encoder', 'decoder', 'prior', 'scorer', 'denoiser', 'generator']
    .filter((name) => name in parts)
    .map((name) => `${name}.onnx`)
}

function numbers(metrics: Readonly<Record<string, number>>): string {
  return Object.entries(metrics)
    .map(([name, value]) => `${name} ${value.toPrecision(5)}`)
    .join(', ')
}
