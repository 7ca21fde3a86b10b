/**
 * For what changes faster than it can be answered: at most one question is under way; of those asked meanwhile the newest
 * is asked next, and the others never.
 */
export class Newest<Question, Answer> {
  readonly #ask: (question: Question) => Promise<Answer>
  readonly #onAnswer: (answer: Answer, question: Question) => void
  readonly #onFailure: (error: unknown) => void
  #busy = false
  #next: { readonly question: Question } | null = null

  constructor(options: {
    ask: (question: Question) => Promise<Answer>
    onAnswer: (answer: Answer, question: Question) => void
    onFailure: (error: unknown) => void
  }) {
    this.#ask = options.ask
    this.#onAnswer = options.onAnswer
    this.#onFailure = options.onFailure
  }

  ask(question: Question): void {
    this.#next = { question }
    if (!this.#busy) void this.#work()
  }

  async #work(): Promise<void> {
    this.#busy = true
    for (let next = this.#take(); next; next = this.#take()) {
      try {
        this.#onAnswer(await this.#ask(next.question), next.question)
      } catch (error) {
        this.#onFailure(error)
      }
    }
    this.#busy = false
  }

  #take(): { readonly question: Question } | null {
    const next = this.#next
    this.#next = null
    return next
  }
}
