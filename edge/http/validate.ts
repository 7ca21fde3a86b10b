/** Parses a value by a schema; the first thing wrong becomes an error that names the field, the limit and the value. */

import * as v from 'valibot'
import { ApiError } from '#protocol/error.ts'
import { LONE_SURROGATE, UNSUPPORTED } from '#protocol/text.ts'

export type Schema = v.GenericSchema<unknown, unknown>
type Issue = v.BaseIssue<unknown>

const MUST_BE = 'must be '

/** @throws ApiError with status 400 */
export function validate<S extends Schema>(schema: S, value: unknown): v.InferOutput<S> {
  const result = v.safeParse(schema, value)
  if (result.success) return result.output
  throw toApiError(closest(result.issues[0], []))
}

interface Located {
  issue: Issue
  path: readonly (string | number)[]
}

/** Within a union, the branch that got furthest into the value is the one that was meant. */
function closest(issue: Issue, parents: readonly (string | number)[]): Located {
  const path = [...parents, ...keysOf(issue)]
  const inner = issue.type === 'union' ? furthest(issue.issues ?? []) : undefined
  if (inner !== undefined) return closest(inner, path)
  const onValue =
    issue.type === 'union' ? issue.issues?.find((candidate) => candidate.kind === 'validation') : undefined
  return { issue: onValue ?? issue, path }
}

/** Of branches that got as far, one in which the value is of the right type. */
function furthest(branches: readonly Issue[]): Issue | undefined {
  const rank = (branch: Issue) => {
    const [first = -1] = keysOf(branch)
    return [typeof first === 'number' ? first : 0, keysOf(branch).length, branch.kind === 'validation' ? 1 : 0] as const
  }
  const further = (a: Issue, b: Issue) => {
    const [ranksA, ranksB] = [rank(a), rank(b)]
    return ranksA.map((value, i) => value - (ranksB[i] ?? 0)).find((difference) => difference !== 0) ?? 0
  }
  return branches.filter((branch) => keysOf(branch).length > 0).toSorted((a, b) => further(b, a))[0]
}

function keysOf(issue: Issue): (string | number)[] {
  return (issue.path ?? []).map((item) => (typeof item.key === 'number' ? item.key : String(item.key)))
}

function toApiError({ issue, path }: Located): ApiError {
  const param = path.length === 0 ? undefined : formatPath(path)
  const name = param === undefined ? 'body' : `'${param}'`
  if (issue.kind === 'schema' && issue.type === 'strict_object' && issue.expected === 'never') {
    return new ApiError('unknown_parameter', `Unknown parameter: ${name}.`, { param })
  }
  if (issue.received === 'undefined' && issue.input === undefined) {
    return new ApiError('missing_required_parameter', `Missing required parameter: ${name}.`, { param })
  }
  if (issue.message === UNSUPPORTED) {
    const allowed = issue.expected === null ? '' : `, other than ${issue.expected}`
    return new ApiError('unsupported_parameter', `Unsupported: ${name} = ${show(issue.input)}${allowed}.`, { param })
  }
  return new ApiError('invalid_value', `Invalid ${name}: expected ${expectation(issue)}, got ${given(issue)}.`, {
    param,
  })
}

function formatPath(path: readonly (string | number)[]): string {
  return path
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : `${i === 0 ? '' : '.'}${key.slice(0, 100)}`))
    .join('')
}

function expectation(issue: Issue): string {
  const limit = String(issue.requirement)
  if (issue.message === LONE_SURROGATE) return 'well-formed Unicode text'
  switch (issue.type) {
    case 'min_value':
      return `a number of at least ${limit}`
    case 'max_value':
      return `a number of at most ${limit}`
    case 'integer':
      return 'a whole number'
    case 'safe_integer':
      return 'a whole number between -(2^53 - 1) and 2^53 - 1'
    case 'min_length':
      return `a length of at least ${limit}`
    case 'max_length':
      return `a length of at most ${limit}`
    case 'max_entries':
      return `at most ${limit} entries`
    case 'regex':
      return formOf(issue)
    default:
      return issue.expected === null ? 'another value' : readable(issue.expected)
  }
}

/** A schema says of a pattern what it must be; those that do not are of numerals. */
const formOf = ({ message }: Issue): string =>
  message.startsWith(MUST_BE) ? message.slice(MUST_BE.length) : 'a number'

/** Valibot's `("a" | "b")` and `Object` in words. */
function readable(expected: string): string {
  return expected
    .replaceAll(/[()]/g, '')
    .replaceAll(' | ', ' or ')
    .replaceAll('Object', 'an object')
    .replaceAll('Array', 'an array')
}

function given(issue: Issue): string {
  if (issue.message === LONE_SURROGATE) return 'text with a lone surrogate'
  if (issue.type === 'min_length' || issue.type === 'max_length' || issue.type === 'max_entries') {
    return String(issue.received)
  }
  if (issue.type === 'variant' && typeof issue.input === 'object') return readable(issue.received)
  return show(issue.input)
}

/** The value as JSON, short enough for a message. */
function show(value: unknown): string {
  if (Array.isArray(value)) return `an array of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 80 ? `${text.slice(0, 80)}… (${text.length} characters)` : text
}
