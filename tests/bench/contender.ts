/**
 * What is measured: a language model in a process of its own, driven by messages. One script a contender; each calls
 * `serve` with its way of doing the four things below.
 */
import { type ChildProcess, fork } from 'node:child_process'

export interface Contender {
  readonly name: string
  /** Loads the model ready for its first token; tokens beyond `contextLength` are not asked for. */
  load(options: {
    ggufPath: string
    sha256: string
    threads: number
    contextLength: number
    sequences: number
  }): Promise<void>
  /** Computes a prompt from an empty cache. */
  prefill(tokens: readonly number[]): Promise<void>
  /** Goes on greedily for `count` tokens from a prompt, and returns them. `onFirst` is called at the first. */
  generate(prompt: readonly number[], count: number, onFirst: () => void): Promise<number[]>
  /** The same for many prompts at once, one a sequence. `onFirst` is called when each has its first token. */
  generateMany(prompts: readonly (readonly number[])[], count: number, onFirst: () => void): Promise<void>
  /** The sum of −ln p over the tokens after the first, each given those before it. */
  negativeLogLikelihood(tokens: readonly number[]): Promise<number>
  /** After a prompt: the logit of the first token less that of the second. */
  logitGap(prompt: readonly number[], first: number, second: number): Promise<number>
}

type Request =
  | { task: 'load'; options: Parameters<Contender['load']>[0] }
  | { task: 'prefill'; tokens: readonly number[] }
  | { task: 'generate'; prompt: readonly number[]; count: number }
  | { task: 'batch'; prompts: readonly (readonly number[])[]; count: number }
  | { task: 'likelihood'; tokens: readonly number[] }
  | { task: 'gap'; prompt: readonly number[]; first: number; second: number }

/** Milliseconds for the task; for a generation those after its first token, which took `firstMs`. */
export interface Measured {
  readonly ms: number
  readonly firstMs?: number
  readonly tokens?: readonly number[]
  readonly negativeLogLikelihood?: number
  readonly logitGap?: number
  /** The process's resident memory afterwards, in MiB. */
  readonly memoryMiB: number
}

/** The contender's side: answers requests of the parent process. */
export function serve(contender: Contender): void {
  process.on('message', (request: Request) => {
    measure(contender, request).then(
      (measured) => process.send?.({ measured }),
      (error: unknown) => process.send?.({ error: String(error) }),
    )
  })
}

async function measure(contender: Contender, request: Request): Promise<Measured> {
  const start = performance.now()
  const done = (more: object = {}): Measured => ({
    ms: performance.now() - start,
    memoryMiB: process.memoryUsage.rss() / 2 ** 20,
    ...more,
  })
  switch (request.task) {
    case 'load':
      await contender.load(request.options)
      return done()
    case 'prefill':
      await contender.prefill(request.tokens)
      return done()
    case 'batch': {
      let firstMs = 0
      await contender.generateMany(request.prompts, request.count, () => {
        firstMs = performance.now() - start
      })
      const measured = done({ firstMs })
      return { ...measured, ms: measured.ms - firstMs }
    }
    case 'likelihood':
      return done({ negativeLogLikelihood: await contender.negativeLogLikelihood(request.tokens) })
    case 'gap':
      return done({ logitGap: await contender.logitGap(request.prompt, request.first, request.second) })
    case 'generate': {
      let firstMs = 0
      const tokens = await contender.generate(request.prompt, request.count, () => {
        firstMs = performance.now() - start
      })
      const measured = done({ firstMs, tokens })
      return { ...measured, ms: measured.ms - firstMs }
    }
  }
}

/** The benchmark's side: a contender's process, one request at a time. */
export class ContenderProcess {
  readonly name: string
  readonly #child: ChildProcess

  constructor(name: string, script: string) {
    this.name = name
    this.#child = fork(new URL(script, import.meta.url), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  }

  do(request: Request): Promise<Measured> {
    return new Promise((resolve, reject) => {
      const ended = (code: number | null) => reject(new Error(`${this.name} ended with code ${code}`))
      this.#child.once('exit', ended)
      this.#child.once('message', (answer: { measured?: Measured; error?: string }) => {
        this.#child.off('exit', ended)
        if (answer.measured) resolve(answer.measured)
        else reject(new Error(`${this.name}: ${answer.error}`))
      })
      this.#child.send(request)
    })
  }

  end(): void {
    this.#child.kill()
  }
}
