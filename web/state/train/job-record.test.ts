import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JobEvent, JobMetrics } from '../../transport/training.ts'
import { NOTHING_TOLD, withEvents } from './job-record.ts'

let next = 0
function told(data: JobMetrics | null, message = 'told'): JobEvent {
  next += 1
  return { id: `ftevent-${next}`, created_at: next, level: 'info', message, data }
}
const trained = (step: number, train: Record<string, number>) =>
  told({ step, total_steps: 100, epoch: 1, train, samples_per_second: 10, seconds_left: 5 })

test('curves have training and validation side by side, by step; messages and sheets stand apart', () => {
  const record = withEvents(NOTHING_TOLD, [
    told(null, 'started'),
    trained(10, { loss: 3, kl: 1 }),
    trained(20, { loss: 2, kl: 1.5 }),
    told({ step: 20, valid: { loss: 2.5 } }),
    told({ step: 20, samples: 'file-a' }),
  ])
  assert.deepEqual(record.curves, [
    { name: 'loss', steps: [10, 20], train: [3, 2], valid: [null, 2.5] },
    { name: 'kl', steps: [10, 20], train: [1, 1.5], valid: [null, null] },
  ])
  assert.equal(record.progress?.step, 20)
  assert.deepEqual(record.sheets, [{ step: 20, fileId: 'file-a' }])
  assert.deepEqual(
    record.messages.map(({ message }) => message),
    ['started'],
  )
})

test('what comes later is added, and steps that are told again are as they were told last', () => {
  const first = withEvents(NOTHING_TOLD, [trained(10, { loss: 3 }), trained(20, { loss: 9 })])
  const again = [trained(15, { loss: 2.8 }), trained(20, { loss: 2 }), told({ step: 20, samples: 'file-b' })]
  const record = withEvents(first, again)
  assert.deepEqual(record.curves, [
    { name: 'loss', steps: [10, 15, 20], train: [3, 2.8, 2], valid: [null, null, null] },
  ])
  assert.equal(record.lastEvent, again.at(-1)?.id)
  assert.deepEqual(withEvents(record, []), record)
})
