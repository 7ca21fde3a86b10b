/** A model that was never trained, as one that ships: what it says means nothing, but it says it. */
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { elementsOf } from '#models/nn/trainable.ts'
import { learnPieces } from '#models/tokenizer/bpe-training.ts'
import type { PublishedTranslation } from '#protocol/published-model.ts'
import { PLACEHOLDERS } from '#protocol/translation.ts'
import { tokenizerOf } from '../pipelines/translation/stored-model.ts'
import { translationPlan } from '../trainer/plans/translation-plan.ts'
import { Random } from '../trainer/random.ts'
import { publishedTranslation } from '../trainer/tasks/published-translation.ts'

/** Writes it into a folder. */
export async function writeTinyTranslation(folder: string): Promise<PublishedTranslation> {
  const pieces = learnPieces(['open the file', 'ouvrir le fichier'], 256 + PLACEHOLDERS)
  const config = {
    ...{ vocabulary: tokenizerOf(pieces).size, width: 32, heads: 2, hidden: 32, encoderLayers: 1, decoderLayers: 1 },
    positions: 48,
  }
  const shape = { lines: 1, sourceLength: 48, targetLength: 48 }
  const [network] = translationPlan(config, { ...shape, smoothing: 0, dropout: 0, clip: 1, averaging: 0.5 }).networks
  const random = new Random(5)
  const checkpoint = new Map(
    network?.weights.map(({ name, shape }) => [name, random.normals(new Float32Array(elementsOf(shape)), 0.3)]),
  )
  const languages = { source: 'en', target: 'fr' }
  const { parts, files } = publishedTranslation(checkpoint, {
    ...{ config, pieces, languages, sourceLength: 48, targetLength: 48 },
  })
  const card = { description: 'Never trained', data: 'None', licence: 'CC0-1.0', metrics: {}, recipe: {} }
  const manifest: PublishedTranslation = { id: 'tiny', created: 1, owner: null, card, parts }
  await writeFile(path.join(folder, 'manifest.json'), JSON.stringify(manifest))
  for (const [i, name] of ['vocabulary.json', 'encoder.onnx', 'decoder.onnx'].entries()) {
    await writeFile(path.join(folder, name), files[i] ?? new Uint8Array())
  }
  return manifest
}
