import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { StopMatcher } from './stop-matcher.ts'

/** What is sent for the pieces, one entry a piece and one for the flush. */
function sent(stops: string[], pieces: string[]): string[] {
  const matcher = new StopMatcher(stops)
  const texts: string[] = []
  for (const piece of pieces) {
    const { text, stopped } = matcher.push(piece)
    texts.push(text)
    if (stopped) return texts
  }
  return [...texts, matcher.flush()]
}

test('a stop string across pieces is found and not sent', () => {
  assert.deepEqual(sent(['END'], ['one E', 'N', 'D two']), ['one ', '', ''])
})
test('text that only looked like one is sent once that is clear', () => {
  assert.deepEqual(sent(['END'], ['one E', 'N', 'ough']), ['one ', '', 'ENough', ''])
})
test('what is held at the end is flushed', () => {
  assert.deepEqual(sent(['END'], ['the EN']), ['the ', 'EN'])
})
test('the earliest of several wins', () => {
  assert.deepEqual(sent(['dog', 'o'], ['a fox and a dog']), ['a f'])
})

test('for any cutting into pieces, the text sent is that before the first stop string', () => {
  const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c'), maxLength: 30 })
  const stops = fc.array(fc.string({ unit: fc.constantFrom('a', 'b', 'c'), minLength: 1, maxLength: 4 }), {
    maxLength: 3,
  })
  fc.assert(
    fc.property(fc.array(letters, { maxLength: 10 }), stops, (pieces, list) => {
      const whole = pieces.join('')
      // The earliest to be completed wins, and among those completed by one piece the earliest to begin.
      let expected = whole
      for (let end = 0, i = 0; i < pieces.length; i++) {
        end += pieces[i]?.length ?? 0
        const at = list.map((stop) => whole.slice(0, end).indexOf(stop)).filter((found) => found >= 0)
        if (at.length > 0) {
          expected = whole.slice(0, Math.min(...at))
          break
        }
      }
      assert.equal(sent(list, pieces).join(''), expected)
    }),
    { seed: 1, numRuns: 1000 },
  )
})
