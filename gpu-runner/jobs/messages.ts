/** What the runner and the process that trains tell each other. */
import type { AnyPublished } from '#protocol/published-model.ts'
import type { LeasedJob } from '#protocol/training-lease.ts'
import type { Failure } from './failure.ts'

/** What is to be trained, where its files lie, and where to leave what is made. */
export interface Assignment {
  readonly job: LeasedJob
  readonly folder: string
  readonly training: string
  readonly validation: string | null
  readonly checkpoint: string
  /** Files of the job's `base`, by what they are. */
  readonly base: Readonly<Record<'vocabulary' | 'encoder' | 'decoder', string>> | null
  readonly threads: number
}

export type ToTraining = ({ readonly type: 'begin' } & Assignment) | { readonly type: 'stop' }

export type FromTraining =
  /** The data has been read; from here on it stops when it is told to. */
  | { readonly type: 'prepared'; readonly warnings: readonly string[] }
  | {
      readonly type: 'progress'
      readonly step: number
      readonly total_steps: number
      readonly epoch: number
      readonly train: Readonly<Record<string, number>>
      readonly samples_per_second: number
      readonly seconds_left: number
    }
  | { readonly type: 'validation'; readonly step: number; readonly valid: Readonly<Record<string, number>> }
  /** A PNG file, which is the runner's from now on; so are a checkpoint's and a model's. */
  | { readonly type: 'samples'; readonly step: number; readonly file: string }
  | { readonly type: 'checkpoint'; readonly step: number; readonly file: string }
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'made'; readonly manifest: AnyPublished; readonly files: readonly string[] }
  | { readonly type: 'stopped' }
  | ({ readonly type: 'failed' } & Failure)
