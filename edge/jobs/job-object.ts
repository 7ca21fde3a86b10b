/** A training job's Durable Object, as its callers have it. What it is given and gives is JSON, or plain. */
import type { CheckpointQuery, EventQuery } from '#protocol/training.ts'
import type { LeasedJob } from '#protocol/training-lease.ts'
import type { Refusal } from '../responses/response-object.ts'

/** JSON of what was asked for, or why not. */
export type Answer = { readonly refusal: Refusal } | { readonly json: string }

/** `LeasedJob`, but for what the list of files knows. */
export type Leased = Omit<LeasedJob, 'training_file' | 'validation_file'> & {
  readonly training_file: string
  readonly validation_file: string | null
}

export interface JobObject {
  /** @param record `JobRecord` as JSON; once it has begun it is not looked at */
  begin(record: string): Promise<void>
  /** `Job`; null, here and below, if it has not begun. */
  job(): Promise<string | null>
  control(what: 'pause' | 'resume' | 'cancel'): Promise<Answer | null>
  /** A page of `JobEvent`; 400 if there is none to list after. */
  events(query: EventQuery): Promise<Answer | null>
  checkpoints(query: CheckpointQuery): Promise<Answer | null>
  /** `LeasedJob` without its files, if it waits for a runner. */
  lease(runner: string): Promise<string | null>
  /** Refuses who does not hold it. @returns the id of its model */
  hold(token: number): Promise<Answer | null>
  /** @param told `Report` as JSON */
  report(told: string): Promise<Answer | null>
  /** @param told `EndReport` as JSON */
  end(told: string): Promise<Answer | null>
}

export interface JobObjects {
  getByName(name: string): JobObject
}
