/** What a job's data files become, before it trains. */
import type { DataSet } from './data/data-set.ts'
import type { Recipe } from './recipe.ts'

export interface Prepared {
  readonly recipe: Recipe
  readonly training: DataSet
  readonly validation?: DataSet
  /** Sentences for the owner: what was left out of the data, and why. */
  readonly warnings: readonly string[]
}

export interface DataFiles {
  /** A zip of images, CSV or JSONL; of pairs TMX, JSONL or a table with tabs. */
  readonly training: string
  readonly validation?: string | undefined
}

/** Of a hyperparameter. */
export type Auto<T> = T | 'auto'

export const value = <T>(given: Auto<T>, auto: T): T => (given === 'auto' ? auto : given)
