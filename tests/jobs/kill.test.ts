/**
 * kill -9 of runners, of the process that trains, and of the edge, while a job is trained: it comes to the weights that it
 * would have had, as one model. `FAULTS=20 SEED=7` for more of them.
 */
import assert from 'node:assert/strict'
import { readFileSync, readdirSync } from 'node:fs'
import { after, before, describe, test } from 'node:test'
import { setTimeout as delay } from 'node:timers/promises'
import { randomFrom } from '#edge/testing/random.ts'
import {
  bodyOf,
  type Client,
  filesOf,
  is,
  LONG,
  messagesOf,
  pictures,
  TrainingSite,
  until,
  upload,
} from './training-site.ts'

const FAULTS = Number(process.env.FAULTS ?? 3)
const SEED = Number(process.env.SEED ?? 1)
const RECOVERY_MS = 60_000

/** Processes whose parent is `pid`. */
function childrenOf(pid: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((name) => {
      try {
        return Number(/\) \w (\d+)/.exec(readFileSync(`/proc/${name}/stat`, 'utf8'))?.[1]) === pid
      } catch {
        // It has ended meanwhile.
        return false
      }
    })
    .map(Number)
}

describe('killed in the middle', () => {
  let site: TrainingSite
  let client: Client
  let file: string
  let expected: readonly string[]
  before(async () => {
    site = await TrainingSite.start()
    client = await site.client('unlucky')
    file = await upload(client, 'pictures.zip', await pictures(80))
    const runner = site.startRunner()
    expected = await trained(await begun())
    await site.end(runner, 'SIGTERM')
  })
  after(() => site.stop())

  const begun = async () => (await client.fineTuning.jobs.create(bodyOf('vae', file, LONG))).id
  const trained = async (id: string) => {
    const { fine_tuned_model } = await until(client, id, is('succeeded'))
    return filesOf(site, fine_tuned_model ?? '')
  }
  const isTraining = (id: string) => until(client, id, ({ estimated_finish }) => estimated_finish !== null)
  /** It goes on from here. */
  const kept = async (id: string) => {
    await client.fineTuning.jobs.pause(id)
    while ((await client.fineTuning.jobs.checkpoints.list(id)).data.length === 0) await delay(50)
    await client.fineTuning.jobs.resume(id)
    await until(client, id, is('running'))
  }

  test('a runner: another goes on from its last checkpoint', async (t) => {
    const first = site.startRunner()
    const id = await begun()
    await isTraining(id)
    await kept(id)
    await site.end(first, 'SIGKILL')
    const since = performance.now()
    const second = site.startRunner()
    const goneOn = async () =>
      (await messagesOf(client, id)).filter((message) => message.includes('goes on from step')).length
    while ((await goneOn()) < 2) await delay(50)
    const took = performance.now() - since
    t.diagnostic(`another has it within ${Math.round(took)} ms`)
    assert.ok(took < RECOVERY_MS)
    assert.deepEqual(await trained(id), expected)
    const messages = await messagesOf(client, id)
    assert.equal(messages.filter((message) => message.includes('The runner was lost')).length, 1)
    await site.end(second, 'SIGTERM')
  })

  test('the process that trains: its runner begins another', async () => {
    const runner = site.startRunner()
    const id = await begun()
    await isTraining(id)
    for (const child of childrenOf(runner.pid ?? 0)) process.kill(child, 'SIGKILL')
    assert.deepEqual(await trained(id), expected)
    assert.ok((await messagesOf(client, id)).some((message) => /Attempt 1 of 3 failed.*SIGKILL/.test(message)))
    await site.end(runner, 'SIGTERM')
  })

  test('a runner that is told to stop gives the job back with a checkpoint', async () => {
    const first = site.startRunner()
    const id = await begun()
    await isTraining(id)
    await site.end(first, 'SIGTERM')
    const { status } = await client.fineTuning.jobs.retrieve(id)
    assert.equal(status, 'queued')
    assert.equal((await client.fineTuning.jobs.checkpoints.list(id)).data.length, 1)
    const second = site.startRunner()
    assert.deepEqual(await trained(id), expected)
    await site.end(second, 'SIGTERM')
  })

  test(`${FAULTS} times at random, the edge too`, async () => {
    const random = randomFrom(SEED)
    const runners = [site.startRunner(), site.startRunner()]
    for (let fault = 0; fault < FAULTS; fault++) {
      const id = await begun()
      await delay(random() * 2_000)
      const victim = Math.floor(random() * 3)
      const runner = runners[victim]
      if (runner) {
        await site.end(runner, 'SIGKILL')
        runners[victim] = site.startRunner()
      } else await site.edge.kill()
      assert.deepEqual(await trained(id), expected, `seed ${SEED}, fault ${fault}: ${victim}`)
    }
    const manifests = await site.edge.objects('manifests/')
    const jobs = await client.fineTuning.jobs.list({ limit: 100 })
    const models = jobs.data.flatMap(({ fine_tuned_model }) => fine_tuned_model ?? [])
    assert.deepEqual(manifests.sort(), models.map((model) => `manifests/${model}.json`).sort())
    assert.deepEqual(await site.edge.objects('checkpoints/'), [])
  })
})
