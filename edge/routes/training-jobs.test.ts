import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import OpenAI, { toFile } from 'openai'
import { LIMITS } from '#protocol/limits.ts'
import type { Job } from '#protocol/training.ts'
import type { LeasedJob } from '#protocol/training-lease.ts'
import { type Edge, startEdge } from '../testing/edge.ts'
import { codeOf, hashOf, JobRunner } from '../testing/job-runner.ts'

type Jobs = OpenAI['fineTuning']['jobs']
type Body = Parameters<Jobs['create']>[0]

/** What the edge takes for a zip of pictures; here nobody reads it. */
const DATA = 'PK\x03\x04 and so on'

/** Of the client's types `method` knows OpenAI's alone. */
const bodyOf = (training_file: string, more: object = {}): Body =>
  ({ model: 'vae', training_file, method: { type: 'vae' }, ...more }) as unknown as Body
const progress = (step: number, loss: number) =>
  ({
    type: 'progress',
    step,
    total_steps: 100,
    epoch: 1,
    train: { loss },
    samples_per_second: 10,
    seconds_left: 60,
  }) as const

describe('training jobs', () => {
  let edge: Edge
  let runner: JobRunner
  before(async () => {
    edge = await startEdge()
    runner = new JobRunner(edge, 'one')
  })
  after(() => edge.stop())

  /** Somebody of their own, with a data file. */
  const somebody = async (owner: string) => {
    const { key } = await edge.newKey({ owner })
    const client = new OpenAI({ apiKey: key, baseURL: `${edge.url}/v1`, maxRetries: 0 })
    const file = await client.files.create({
      file: await toFile(Buffer.from(DATA), 'pictures.zip'),
      purpose: 'fine-tune',
    })
    return { key, client, jobs: client.fineTuning.jobs, file: file.id }
  }
  const waitFor = async (jobs: Jobs, id: string, status: Job['status']) => {
    for (;;) {
      const job = await jobs.retrieve(id)
      if (job.status === (status as string)) return job
      assert.ok(!['succeeded', 'failed', 'cancelled'].includes(job.status), JSON.stringify(job))
    }
  }
  /** A job that this runner has. */
  const running = async (jobs: Jobs, file: string, more: object = {}): Promise<LeasedJob> => {
    const { id } = await jobs.create(bodyOf(file, more))
    const leased = await runner.leaseNext()
    assert.equal(leased.id, id)
    return leased
  }

  test('run from their making to a model, by the openai client', async () => {
    const { client, jobs, file } = await somebody('alice')
    const job = await jobs.create(bodyOf(file, { suffix: 'mine', seed: 7, metadata: { project: 'x' } }))
    assert.match(job.id, /^ftjob-[a-zA-Z0-9]{20,}$/)
    assert.equal(job.status, 'validating_files')
    assert.deepEqual(job.hyperparameters, { n_epochs: 'auto', batch_size: 'auto', learning_rate_multiplier: 'auto' })
    assert.deepEqual([job.object, job.seed, job.metadata], ['fine_tuning.job', 7, { project: 'x' }])
    await waitFor(jobs, job.id, 'queued')
    const leased = await runner.leaseNext()
    const { filename, bytes } = leased.training_file
    assert.deepEqual([filename, bytes, leased.seed], ['pictures.zip', DATA.length, 7])
    assert.equal(await (await runner.get(`/internal/jobs/${job.id}/data/${file}?token=1`)).text(), DATA)
    assert.equal((await jobs.retrieve(job.id)).status, 'running')
    assert.equal(await runner.report(leased, { events: [progress(10, 0.5)] }), 'go')
    await runner.checkpoint(leased, 10, 'the first checkpoint')
    await runner.checkpoint(leased, 20, 'the second checkpoint')
    const kept = await runner.get(`/internal/jobs/${job.id}/checkpoints/${hashOf('the second checkpoint')}?token=1`)
    assert.equal(await kept.text(), 'the second checkpoint')
    assert.deepEqual(await edge.objects('checkpoints/'), [`checkpoints/${job.id}/${hashOf('the second checkpoint')}`])
    const sheet = await runner.put(leased, 'samples', 'a picture')
    const { id: samples } = (await sheet.response.json()) as { id: string }
    const told = { from: 1, events: [progress(20, 0.25), { type: 'samples', step: 20, samples } as const] }
    await runner.report(leased, told)
    // Told again, it is taken once.
    await runner.report(leased, told)
    const { estimated_finish } = await jobs.retrieve(job.id)
    assert.ok(Math.abs((estimated_finish ?? 0) - Date.now() / 1000 - 60) < 10)
    assert.equal((await runner.succeed(leased, 'onnx')).status, 200)

    const done = await waitFor(jobs, job.id, 'succeeded')
    assert.match(done.fine_tuned_model ?? '', /^ft:vae:mine:[a-zA-Z0-9]{12}$/)
    assert.ok(done.finished_at && done.finished_at >= done.created_at)
    assert.equal(done.result_files[0], samples)
    assert.equal(await (await client.files.content(samples)).text(), 'a picture')
    const table = await client.files.content(done.result_files[1] ?? '')
    assert.equal(await table.text(), 'step,epoch,train_loss\n10,1,0.5\n20,1,0.25\n')
    assert.deepEqual(await edge.objects('checkpoints/'), [])

    const messages: string[] = []
    for await (const event of jobs.listEvents(job.id, { limit: 3 })) messages.push(event.message)
    assert.deepEqual(messages.toReversed(), [
      `Created fine-tuning job: ${job.id}`,
      `Validating training file: ${file}`,
      'Files validated, moving job to queued state',
      'Fine-tuning job started',
      'Step 10/100: training loss=0.5',
      'Checkpoint created at step 10',
      'Checkpoint created at step 20',
      'Step 20/100: training loss=0.25',
      'Samples at step 20',
      `New fine-tuned model created: ${done.fine_tuned_model}`,
      'The job has successfully completed',
    ])
    const all = await jobs.listEvents(job.id, { query: { order: 'asc', limit: 5 } })
    assert.deepEqual(
      all.data.map(({ message }) => message),
      messages.toReversed().slice(0, 5),
    )
    const next = await jobs.listEvents(job.id, { query: { order: 'asc', after: all.data.at(-1)?.id } })
    assert.deepEqual(
      next.data.map(({ message }) => message),
      messages.toReversed().slice(5),
    )
    assert.deepEqual(next.data.find(({ type }) => type === 'metrics')?.data, {
      step: 20,
      total_steps: 100,
      epoch: 1,
      train: { loss: 0.25 },
      samples_per_second: 10,
      seconds_left: 60,
    })
    const checkpoints = await jobs.checkpoints.list(job.id)
    assert.deepEqual(
      checkpoints.data.map(({ step_number, fine_tuned_model_checkpoint }) => [
        step_number,
        fine_tuned_model_checkpoint,
      ]),
      [
        [20, done.fine_tuned_model],
        [10, `${done.fine_tuned_model}:ckpt-step-10`],
      ],
    )

    const model = done.fine_tuned_model ?? ''
    const seen = async (of: OpenAI) => (await of.models.list()).data.some(({ id }) => id === model)
    const other = await somebody('bob')
    assert.deepEqual([await seen(client), await seen(other.client)], [true, false])
    await assert.rejects(other.client.models.delete(model), { status: 404 })
    await assert.rejects(client.models.delete('sensor-anomalies'), { status: 403, code: 'not_yours_to_delete' })
    assert.deepEqual(await client.models.delete(model), { id: model, object: 'model', deleted: true })
    assert.equal(await seen(client), false)
    assert.deepEqual(await edge.objects(`models/${hashOf('onnx')}`), [])
    assert.deepEqual(await edge.objects(`manifests/${model}`), [])
    await assert.rejects(client.models.delete(model), { status: 404 })
  })

  test('are listed by page and by metadata, each owner’s own', async () => {
    const { jobs, file } = await somebody('lister')
    const made: string[] = []
    for (const project of ['x', 'y', 'x']) made.push((await jobs.create(bodyOf(file, { metadata: { project } }))).id)
    const all: string[] = []
    for await (const { id } of jobs.list({ limit: 1 })) all.push(id)
    assert.deepEqual(all, made.toReversed())
    const found = await jobs.list({ metadata: { project: 'x' } })
    assert.deepEqual(
      found.data.map(({ id }) => id),
      [made[2], made[0]],
    )
    await assert.rejects(jobs.list({ after: 'ftjob-none' }), { status: 400, param: 'after' })
    for (const id of made) assert.equal((await jobs.cancel(id)).status, 'cancelled')
  })

  test('are refused with what is wrong', async () => {
    const { jobs, file } = await somebody('careless')
    const { file: anothers } = await somebody('careful')
    for (const [more, status, code, param] of [
      [{ training_file: anothers }, 404, 'not_found', 'training_file'],
      [{ training_file: 'file-none' }, 404, 'not_found', 'training_file'],
      [{ validation_file: anothers }, 404, 'not_found', 'validation_file'],
      [{ training_file: '../x' }, 400, 'invalid_value', 'training_file'],
      [{ model: 'gpt-4o-mini' }, 400, 'invalid_value', 'model'],
      [{ model: 'gan' }, 400, 'invalid_value', 'method.type'],
      [{ method: { type: 'supervised' } }, 400, 'unsupported_parameter', 'method.type'],
      [{ method: undefined }, 400, 'missing_required_parameter', 'method'],
      [
        { method: { type: 'vae', vae: { hyperparameters: { latents: 1e9 } } } },
        400,
        'invalid_value',
        'method.vae.hyperparameters.latents',
      ],
      [
        { method: { type: 'vae', vae: { hyperparameters: { none: 1 } } } },
        400,
        'unknown_parameter',
        'method.vae.hyperparameters.none',
      ],
      [
        {
          model: 'denoiser',
          method: { type: 'autoencoder', autoencoder: { hyperparameters: { objective: 'anomaly' } } },
        },
        400,
        'invalid_value',
        'method.autoencoder.hyperparameters.objective',
      ],
      [
        { model: 'denoiser', method: { type: 'autoencoder', autoencoder: { hyperparameters: { latents: 4 } } } },
        400,
        'unsupported_parameter',
        'method.autoencoder.hyperparameters.latents',
      ],
      [{ hyperparameters: { n_epochs: 1 } }, 400, 'unsupported_parameter', 'hyperparameters'],
      [{ integrations: [{ type: 'wandb' }] }, 400, 'unsupported_parameter', 'integrations'],
      [{ suffix: 'a:b' }, 400, 'invalid_value', 'suffix'],
      [{ seed: -1 }, 400, 'invalid_value', 'seed'],
    ] as const) {
      const error = await jobs.create(bodyOf(file, more)).catch((thrown: unknown) => thrown)
      assert.ok(error instanceof OpenAI.APIError, JSON.stringify(more))
      assert.deepEqual([error.status, error.code, error.param], [status, code, param], JSON.stringify(more))
    }
    assert.deepEqual((await jobs.list()).data, [])
  })

  test('fail on a file that is neither a zip nor a text, and on one that is gone', async () => {
    const { client, jobs } = await somebody('binary')
    const upload = async (bytes: Uint8Array) =>
      client.files.create({ file: await toFile(bytes, 'x.zip'), purpose: 'fine-tune' })
    const { id: file } = await upload(Uint8Array.from([1, 0, 2]))
    const failed = await (async () => {
      const { id } = await jobs.create(bodyOf(file))
      for (;;) {
        const job = await jobs.retrieve(id)
        if (job.status === 'failed') return job
        assert.equal(job.status, 'validating_files')
      }
    })()
    assert.deepEqual(failed.error, {
      code: 'invalid_training_file',
      message: `The file '${file}' is not a zip archive or a text.`,
      param: 'training_file',
    })
    await assert.rejects(jobs.cancel(failed.id), { status: 400, code: 'invalid_job_state' })
    await assert.rejects(jobs.pause(failed.id), { status: 400, code: 'invalid_job_state' })
    await assert.rejects(jobs.resume(failed.id), { status: 400, code: 'invalid_job_state' })
  })

  test('fail on data of another kind than they learn from', async () => {
    const { client, jobs, file } = await somebody('confused')
    const { id: csv } = await client.files.create({
      file: await toFile(Buffer.from('a\n1\n'), 'a.csv'),
      purpose: 'fine-tune',
    })
    const autoencoder = (hyperparameters: object) => ({
      model: 'autoencoder',
      method: { type: 'autoencoder', autoencoder: { hyperparameters } },
    })
    for (const [training, more, param] of [
      [csv, {}, 'training_file'],
      [file, { validation_file: csv }, 'validation_file'],
      [csv, autoencoder({ image_size: 8 }), 'method.autoencoder.hyperparameters.image_size'],
      [file, autoencoder({ label: 'a' }), 'method.autoencoder.hyperparameters.label'],
    ] as const) {
      const { id } = await jobs.create(bodyOf(training, more))
      for (;;) {
        const { status, error } = await jobs.retrieve(id)
        if (status === 'validating_files') continue
        assert.deepEqual([status, error?.param], ['failed', param])
        break
      }
    }
  })

  test('are paused, resumed and cancelled in each state', async () => {
    const { jobs, file } = await somebody('fickle')
    // Before its files have been looked at, or just after.
    const early = await jobs.create(bodyOf(file))
    assert.equal((await jobs.cancel(early.id)).status, 'cancelled')
    const queued = await jobs.create(bodyOf(file))
    await waitFor(jobs, queued.id, 'queued')
    assert.equal((await jobs.pause(queued.id)).status, 'paused')
    assert.equal((await jobs.pause(queued.id)).status, 'paused')
    assert.equal(await runner.lease(), null)
    assert.equal((await jobs.resume(queued.id)).status, 'queued')
    const leased = await runner.leaseNext()
    // Running: whoever has it is told, and keeps it until it has stopped.
    assert.equal((await jobs.pause(queued.id)).status, 'paused')
    assert.equal(await runner.report(leased), 'stop')
    assert.equal((await jobs.resume(queued.id)).status, 'queued')
    assert.equal(await runner.lease(), null, 'it is held still')
    await runner.checkpoint(leased, 5, 'kept')
    assert.equal((await runner.end(leased, { outcome: { type: 'stopped' } })).status, 200)
    const again = await runner.leaseNext()
    assert.equal(again.token, leased.token + 1)
    assert.deepEqual(again.checkpoint, { sha256: hashOf('kept'), bytes: 4, step: 5 })
    assert.equal((await jobs.pause(queued.id)).status, 'paused')
    await runner.end(again, { outcome: { type: 'stopped' } })
    assert.equal((await jobs.cancel(queued.id)).status, 'cancelled')
    assert.equal((await jobs.cancel(queued.id)).status, 'cancelled')
    assert.deepEqual(await edge.objects(`checkpoints/${queued.id}`), [])
    const atWork = await running(jobs, file)
    await runner.checkpoint(atWork, 1, 'x')
    assert.equal((await jobs.cancel(atWork.id)).status, 'cancelled')
    assert.equal(await runner.report(atWork, { events: [progress(2, 1)] }), 'stop')
    const late = await runner.succeed(atWork, 'too late')
    assert.equal(late.status, 200)
    assert.equal((await jobs.retrieve(atWork.id)).status, 'cancelled')
    assert.deepEqual(await edge.objects(`models/${hashOf('too late')}`), [])
    assert.deepEqual(await edge.objects(`checkpoints/${atWork.id}`), [])
    await assert.rejects(jobs.resume(atWork.id), { status: 400, code: 'invalid_job_state' })
  })

  test('fail at the third attempt that comes no further, and at once where another would too', async () => {
    const { jobs, file } = await somebody('unlucky')
    const error = { code: 'runner_failed', message: 'The disk is full.', param: null }
    const first = await running(jobs, file)
    await runner.end(first, { outcome: { type: 'failed', error, again: true } })
    await runner.end(await runner.leaseNext(), { outcome: { type: 'failed', error, again: true } })
    assert.equal((await jobs.retrieve(first.id)).status, 'queued')
    await runner.end(await runner.leaseNext(), { outcome: { type: 'failed', error, again: true } })
    const { status, error: reason } = await jobs.retrieve(first.id)
    assert.equal(status, 'failed')
    assert.match(reason?.message ?? '', /^3 attempts came no further. The last one: The disk is full\.$/)
    const second = await running(jobs, file)
    const invalid = { code: 'invalid_training_file', message: 'The file has one row.', param: 'training_file' }
    await runner.end(second, { outcome: { type: 'failed', error: invalid, again: false } })
    assert.deepEqual((await jobs.retrieve(second.id)).error, invalid)
  })

  test('are one runner’s at a time, and who lost one changes nothing', async () => {
    const { jobs, file } = await somebody('wanted')
    const { id } = await jobs.create(bodyOf(file))
    await waitFor(jobs, id, 'queued')
    const runners = ['a', 'b', 'c', 'd'].map((name) => new JobRunner(edge, name))
    const leased = (await Promise.all(runners.map((other) => other.lease()))).filter((found) => found !== null)
    assert.equal(leased.length, 1)
    const [held] = leased as [LeasedJob]
    await runner.checkpoint(held, 3, 'mine')
    await runner.end(held, { outcome: { type: 'stopped' } })
    const next = await runner.leaseNext()
    const stale = { ...next, token: held.token }
    const lost = [409, 'lease_lost']
    assert.deepEqual(await codeOf((await runner.put(stale, 'models', 'stale')).response), lost)
    assert.deepEqual(await codeOf(await runner.end(stale, { outcome: { type: 'stopped' } })), lost)
    assert.deepEqual(await codeOf(await runner.get(`/internal/jobs/${id}/data/${file}?token=${held.token}`)), lost)
    const other = await runner.put(next, 'models', 'these bytes', hashOf('other bytes'))
    assert.deepEqual(await codeOf(other.response), [422, 'unprocessable'])
    assert.deepEqual(await edge.objects(`models/${hashOf('other bytes')}`), [])
    const missing = { sha256: hashOf('nowhere'), bytes: 1, step: 9, metrics: {} }
    const told = await edge.ask(`/internal/jobs/${id}/report`, {
      key: edge.key,
      body: { token: next.token, from: 0, events: [], checkpoint: missing },
    })
    assert.deepEqual(await codeOf(told), [401, 'invalid_api_key'], 'a user’s key is no runner’s secret')
    await assert.rejects(runner.report(next, { checkpoint: missing }), /is not in the object store/)
    await jobs.cancel(id)
    await runner.end(next, { outcome: { type: 'stopped' } })
  })

  test('outlive the edge at every point, and make one model', async () => {
    const { client, jobs, file } = await somebody('survivor')
    const { id } = await jobs.create(bodyOf(file))
    await edge.kill()
    const leased = await runner.leaseNext()
    assert.equal(leased.id, id)
    await edge.kill()
    assert.equal(await runner.report(leased, { events: [progress(10, 1)] }), 'go')
    await runner.checkpoint(leased, 10, 'kept')
    await edge.kill()
    assert.equal((await jobs.pause(id)).status, 'paused')
    await edge.kill()
    assert.equal(await runner.report(leased, { from: 1 }), 'stop')
    await runner.end(leased, { outcome: { type: 'stopped' } })
    await edge.kill()
    assert.equal((await jobs.resume(id)).status, 'queued')
    const again = await runner.leaseNext()
    assert.equal(again.checkpoint?.step, 10)
    assert.equal((await runner.succeed(again, 'survived')).status, 200)
    await edge.kill()
    const { fine_tuned_model } = await waitFor(jobs, id, 'succeeded')
    assert.deepEqual(
      (await client.models.list()).data.map(({ id: model }) => model).filter((model) => model.startsWith('ft:')),
      [fine_tuned_model],
    )
    // Told again, since the answer was lost: it is over.
    const told = await runner.end(again, { outcome: { type: 'stopped' } })
    assert.deepEqual(await codeOf(told), [409, 'lease_lost'])
  })

  test('that were written down before the edge was gone begin all the same', async () => {
    const { jobs, file } = await somebody('early')
    const { id } = await jobs.create(bodyOf(file))
    await jobs.cancel(id)
    // As if it had been killed between the two.
    const orphan = id.replace(/.{4}$/, '0000')
    await edge.database
      .prepare(
        `INSERT INTO training_jobs (id, owner, status, record, job, created_at)
         SELECT ?, owner, 'validating_files', replace(record, id, ?), replace(job, id, ?), 0 FROM training_jobs WHERE id = ?`,
      )
      .bind(orphan, orphan, orphan, id)
      .run()
    const leased = await runner.leaseNext()
    assert.equal(leased.id, orphan)
    assert.equal((await jobs.cancel(orphan)).status, 'cancelled')
  })

  test('of one owner are no more than a few, and of one Idempotency-Key one', async () => {
    const { jobs, file } = await somebody('eager')
    const options = { headers: { 'idempotency-key': 'job-key' } }
    const [first, again] = await Promise.all([jobs.create(bodyOf(file), options), jobs.create(bodyOf(file), options)])
    assert.deepEqual(again.id, first.id)
    assert.equal((await jobs.create(bodyOf(file), options)).id, first.id)
    await assert.rejects(jobs.create(bodyOf(file, { suffix: 'x' }), options), { status: 409 })
    const made = await Promise.allSettled(Array.from({ length: LIMITS.ownerJobs + 2 }, () => jobs.create(bodyOf(file))))
    const refused = made.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    assert.equal(refused.length, 3)
    for (const error of refused) {
      assert.ok(error instanceof OpenAI.APIError)
      assert.deepEqual([error.status, error.code, error.headers.get('retry-after')], [429, 'rate_limit_exceeded', '30'])
    }
    for (const { id } of (await jobs.list()).data) await jobs.cancel(id)
    const { id, status } = await jobs.create(bodyOf(file))
    assert.equal(status, 'validating_files')
    await jobs.cancel(id)
  })

  test('that made the same file share it until the last is deleted', async () => {
    const { client, jobs, file } = await somebody('twins')
    const models: string[] = []
    for (const suffix of ['a', 'b']) {
      const leased = await running(jobs, file, { suffix })
      await runner.succeed(leased, 'the same file')
      models.push((await waitFor(jobs, leased.id, 'succeeded')).fine_tuned_model ?? '')
    }
    const key = `models/${hashOf('the same file')}`
    await client.models.delete(models[0] ?? '')
    assert.deepEqual(await edge.objects(key), [key])
    await client.models.delete(models[1] ?? '')
    assert.deepEqual(await edge.objects(key), [])
  })
})
