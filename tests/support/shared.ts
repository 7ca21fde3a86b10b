/** The Tandem that `npm test` starts once for all contract and browser tests. */
import OpenAI from 'openai'

function fromEnvironment(name: string): string {
  const value = process.env[name]
  if (!value) throw new Error(`${name} is not set: run these tests with \`npm test -- contract\`.`)
  return value
}

export const url = fromEnvironment('TANDEM_TEST_URL')
export const key = fromEnvironment('TANDEM_TEST_KEY')

/** The official client, without its retries: the first answer is the one under test. */
export function openai(options: { apiKey?: string } = {}): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0, ...options })
}
