import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RetryBudget } from './retry-budget.ts'

test('with every runner down, what is tried again is a tenth of what is asked, and a few at first', () => {
  const budget = new RetryBudget()
  let retries = 0
  for (let asked = 1; asked <= 1000; asked++) {
    budget.asked()
    // Twice each, if it may: three attempts.
    for (let i = 0; i < 2 && budget.take(); i++) retries++
    assert.ok(retries <= 10 + asked / 10, `${retries} of ${asked}`)
  }
  assert.ok(retries >= 100, `${retries}`)
})

test('what was not used is not saved up for long', () => {
  const budget = new RetryBudget()
  for (let i = 0; i < 10_000; i++) budget.asked()
  let retries = 0
  while (budget.take()) retries++
  assert.equal(retries, 10)
})
