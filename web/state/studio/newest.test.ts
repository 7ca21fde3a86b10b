import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Newest } from './newest.ts'

/** Questions that are answered when the test says so. */
function desk() {
  const asked: { question: number; answer: (value: number) => void; fail: (error: Error) => void }[] = []
  const answers: number[] = []
  const failures: unknown[] = []
  const newest = new Newest<number, number>({
    ask: (question) => new Promise((answer, fail) => asked.push({ question, answer, fail })),
    onAnswer: (answer) => answers.push(answer),
    onFailure: (error) => failures.push(error),
  })
  const settled = () => new Promise((resolve) => setImmediate(resolve))
  return { asked, answers, failures, newest, settled }
}

test('one question is under way at a time, and of those asked meanwhile only the newest is asked', async () => {
  const { asked, answers, newest, settled } = desk()
  for (const question of [1, 2, 3, 4]) newest.ask(question)
  assert.deepEqual(
    asked.map(({ question }) => question),
    [1],
  )
  asked[0]?.answer(10)
  await settled()
  assert.deepEqual(
    asked.map(({ question }) => question),
    [1, 4],
  )
  asked[1]?.answer(40)
  await settled()
  assert.deepEqual(answers, [10, 40])
  newest.ask(5)
  assert.equal(asked.length, 3)
})

test('a failure is told, and what was asked meanwhile is asked all the same', async () => {
  const { asked, answers, failures, newest, settled } = desk()
  newest.ask(1)
  newest.ask(2)
  asked[0]?.fail(new Error('gone'))
  await settled()
  assert.equal(failures.length, 1)
  asked[1]?.answer(20)
  await settled()
  assert.deepEqual(answers, [20])
})
