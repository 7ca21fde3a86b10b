/** The files that the server keeps for trainings: those that were uploaded, and what came of them. */
import { signal } from '@preact/signals'
import { FilesApi, type StoredFile } from '../../transport/files.ts'
import type { Http } from '../../transport/http.ts'
import { Task } from '../task.ts'

export class StoredFiles {
  readonly task = new Task()
  /** Newest first; null until they are known. */
  readonly files = signal<readonly StoredFile[] | null>(null)
  readonly more = signal(false)
  readonly #api: FilesApi

  constructor(http: Http) {
    this.#api = new FilesApi(http)
  }

  async load(): Promise<void> {
    await this.task.run(() => this.#read([]))
  }

  async loadMore(): Promise<void> {
    await this.task.run(() => this.#read(this.files.value ?? []))
  }

  async remove(id: string): Promise<void> {
    await this.task.run(async () => {
      await this.#api.remove(id)
      this.files.value = this.files.value?.filter((file) => file.id !== id) ?? null
    })
  }

  async #read(known: readonly StoredFile[]): Promise<void> {
    const { files, more } = await this.#api.list(known.at(-1)?.id ?? null)
    this.files.value = [...known, ...files]
    this.more.value = more
  }
}
