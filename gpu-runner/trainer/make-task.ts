/** The task that a recipe asks for. */
import type { Runtime } from '../runtime/runtime.ts'
import type { DataSet, ImageSet, PairSet, RowSet } from './data/data-set.ts'
import type { Split } from './data/split.ts'
import type { Recipe } from './recipe.ts'
import type { Task } from './task.ts'
import { denoiserTask } from './tasks/denoiser-task.ts'
import { ganTask } from './tasks/gan-task.ts'
import { imageAutoencoderTask } from './tasks/image-autoencoder-task.ts'
import { rowsTask } from './tasks/rows-task.ts'
import { translationTask } from './tasks/translation-task.ts'
import type { TranslationBase } from './tasks/translation-base.ts'
import { vaeTask } from './tasks/vae-task.ts'

/**
 * @param base what a recipe that names one goes on from
 * @throws TypeError if the data is not what the method is for
 */
export function makeTask(ort: Runtime, recipe: Recipe, data: DataSet, parts: Split, base?: TranslationBase): Task {
  switch (recipe.method) {
    case 'vae':
      return vaeTask(ort, imagesOf(data, recipe.side), parts, recipe)
    case 'gan':
      return ganTask(ort, imagesOf(data, recipe.side), parts, recipe)
    case 'denoiser':
      return denoiserTask(ort, imagesOf(data, recipe.side), parts, recipe)
    case 'image-autoencoder':
      return imageAutoencoderTask(ort, imagesOf(data, recipe.side), parts, recipe)
    case 'autoencoder':
      return rowsTask(ort, rowsOf(data), parts, recipe)
    case 'translation':
      return translationTask(ort, pairsOf(data), parts, recipe, base)
  }
}

function imagesOf(data: DataSet, side: number): ImageSet {
  if (data.kind !== 'images' || data.height !== side || data.width !== side) {
    throw new TypeError(`this recipe is for images of ${side} × ${side} pixels`)
  }
  return data
}

function rowsOf(data: DataSet): RowSet {
  if (data.kind !== 'rows') throw new TypeError('this recipe is for rows of numbers')
  return data
}

function pairsOf(data: DataSet): PairSet {
  if (data.kind !== 'pairs') throw new TypeError('this recipe is for pairs of sentences')
  return data
}
