import type { Job } from '#protocol/training.ts'
import type { TrainingMethod } from '#protocol/training-method.ts'
import type { JobRecord, JobState } from './job-state.ts'

const seconds = (ms: number | null): number | null => (ms === null ? null : Math.floor(ms / 1000))

/** A job as the API shows it. */
export function toJob(record: JobRecord, state: JobState): Job {
  const { n_epochs, batch_size, learning_rate_multiplier } = hyperparametersOf(record.method)
  return {
    id: record.id,
    object: 'fine_tuning.job',
    created_at: Math.floor(record.createdAt / 1000),
    status: state.status,
    model: record.model,
    method: record.method,
    hyperparameters: { n_epochs, batch_size, learning_rate_multiplier },
    training_file: record.trainingFile,
    validation_file: record.validationFile,
    seed: record.seed,
    metadata: record.metadata,
    integrations: [],
    organization_id: record.owner,
    fine_tuned_model: state.model,
    result_files: [...state.resultFiles],
    trained_tokens: null,
    estimated_finish: seconds(state.estimatedFinish),
    finished_at: seconds(state.finishedAt),
    error: state.error,
  }
}

export function hyperparametersOf(method: TrainingMethod) {
  if (method.type === 'vae') return method.vae.hyperparameters
  if (method.type === 'translation') return method.translation.hyperparameters
  return method.type === 'gan' ? method.gan.hyperparameters : method.autoencoder.hyperparameters
}
