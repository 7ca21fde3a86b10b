/** A runner's load, from its metrics in Prometheus' text format. */

export interface RunnerLoad {
  waiting: number
  running: number
  /** Sequences that the loaded models can compute at once. */
  slots: number
}

const NAMES: Readonly<Record<keyof RunnerLoad, string>> = {
  waiting: 'vllm:num_requests_waiting',
  running: 'vllm:num_requests_running',
  slots: 'tandem:slots',
}

/** Sums over all models. */
export function loadIn(metrics: string): RunnerLoad {
  const lines = metrics.split('\n')
  const sum = (name: string) =>
    lines
      .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
      .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
  return { waiting: sum(NAMES.waiting), running: sum(NAMES.running), slots: sum(NAMES.slots) }
}
