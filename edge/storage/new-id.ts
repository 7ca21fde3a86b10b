import { randomSecret } from './secrets.ts'

const LENGTH = 24

/** A new id in OpenAI's form for files and jobs, `file-abc123`; nobody guesses it. */
export function newId(prefix: string): string {
  return prefix + randomSecret().replaceAll(/[_-]/g, '').slice(0, LENGTH)
}
