import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loadIn } from './load.ts'

// As prom-client writes it: https://prometheus.io/docs/instrumenting/exposition_formats/
const METRICS = `# HELP vllm:num_requests_waiting Requests that wait for a slot
# TYPE vllm:num_requests_waiting gauge
vllm:num_requests_waiting{model_name="a"} 3
vllm:num_requests_waiting{model_name="b {c} 7"} 2
# TYPE vllm:num_requests_waiting_other gauge
vllm:num_requests_waiting_other{model_name="a"} 100
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{model_name="a"} 16
# TYPE tandem:slots gauge
tandem:slots{model_name="a"} 16
tandem:slots{model_name="b {c} 7"} 8
`

test('the load of all models is summed', () => {
  assert.deepEqual(loadIn(METRICS), { waiting: 5, running: 16, slots: 24 })
})

test('a runner that has done nothing yet has no load', () => {
  assert.deepEqual(loadIn('# HELP vllm:num_requests_waiting Requests\n'), { waiting: 0, running: 0, slots: 0 })
})
