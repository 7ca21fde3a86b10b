/**
 * Tandem's side of `npm run bench:train`: a process that trains one model, told by lines of JSON on its input. Its first
 * answer says that it is ready; each `{steps}` is answered with the times and the last losses.
 */
import { createInterface } from 'node:readline'
import { Runtime } from '#gpu-runner/runtime/runtime.ts'
import { TrainingSession } from '#gpu-runner/trainer/training-session.ts'
import { TRAINED_MODELS } from './train-models.ts'
import { readWeights } from './train-weights.ts'

const [name, threads, folder] = process.argv.slice(2)
const { plan, rate, feed } = TRAINED_MODELS[name as keyof typeof TRAINED_MODELS]
using ort = new Runtime({ threads: Number(threads) })
const built = plan()
using session = new TrainingSession(ort, built, readWeights(folder ?? '', { weights: built.frozen, buffers: [] }))
for (const network of built.networks) session.load(network.name, readWeights(folder ?? '', network))
for (const [input, element] of Object.entries(feed)) {
  const data = session.inputs[input]?.data
  for (let i = 0; data && i < data.length; i++)
    data[i] = data instanceof BigInt64Array ? BigInt(element(i)) : element(i)
}
let step = 0
const answer = (value: object) => process.stdout.write(`${JSON.stringify(value)}\n`)
answer({ ready: true })
for await (const line of createInterface({ input: process.stdin })) {
  const { steps } = JSON.parse(line) as { steps: number }
  const ms: number[] = []
  let losses: Readonly<Record<string, number>> = {}
  const before = process.cpuUsage()
  for (let i = 0; i < steps; i++) {
    const begin = performance.now()
    losses = session.run(++step, rate)
    ms.push(performance.now() - begin)
  }
  const told = Object.entries(losses).flatMap(([name, loss]) => (name.endsWith('gradient_norm') ? [] : [loss]))
  const { user, system } = process.cpuUsage(before)
  answer({ ms, cpu: (user + system) / 1e3 / steps, losses: told, peak: process.resourceUsage().maxRSS * 1024 })
}
