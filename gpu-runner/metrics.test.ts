import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { Metrics } from './metrics.ts'

test('the dashboard asks for nothing but metrics that there are', async () => {
  const dashboard = readFileSync(new URL('../deploy/grafana-dashboard.json', import.meta.url), 'utf8')
  const { panels } = JSON.parse(dashboard) as { panels: { title: string; targets: { expr: string }[] }[] }
  const known = new Set((await new Metrics().text()).matchAll(/^# TYPE (\S+)/gm).map(([, name]) => name))
  for (const { title, targets } of panels) {
    for (const { expr } of targets) {
      const names = [...expr.matchAll(/vllm:\w+/g)].map(([name]) => name.replace(/_bucket$/, ''))
      assert.ok(names.length > 0)
      for (const name of names) assert.ok(known.has(name), `${title} asks for ${name}`)
    }
  }
})
