/** An answer that comes later, once: who has the work calls `answer`, and who waits is told. */
export class Pause<Answer> {
  #answered: { readonly value: Answer } | undefined
  #listener: ((value: Answer) => void) | undefined

  /** Ends the pause. Only the first answer counts. */
  answer(value: Answer): void {
    if (this.#answered !== undefined) return
    this.#answered = { value }
    this.#listener?.(value)
  }

  /** Tells the one who waits; at once when the answer is there already. */
  onAnswer(listener: (value: Answer) => void): void {
    if (this.#answered === undefined) this.#listener = listener
    else listener(this.#answered.value)
  }
}
