/** The session and the models of the server that gave this page. */
import { type AnyModel, modelsSchema, sessionSchema } from './answers.ts'
import { RequestFailure } from './failure.ts'
import type { Http } from './http.ts'

export class ServerApi {
  readonly #http: Http

  constructor(http: Http) {
    this.#http = http
  }

  async signedIn(): Promise<boolean> {
    return (await this.#http.json(sessionSchema, 'GET', '/session')).signed_in
  }

  /** @returns false when the server asks for a key, or does not take this one. */
  async signIn(key?: string): Promise<boolean> {
    try {
      return (await this.#http.json(sessionSchema, 'POST', '/session', { body: key === undefined ? {} : { key } }))
        .signed_in
    } catch (error) {
      if (error instanceof RequestFailure && (error.status === 401 || error.status === 403)) return false
      throw error
    }
  }

  async signOut(): Promise<void> {
    await this.#http.send('DELETE', '/session')
  }

  async models(): Promise<readonly AnyModel[]> {
    return (await this.#http.json(modelsSchema, 'GET', '/v1/models')).data
  }
}
