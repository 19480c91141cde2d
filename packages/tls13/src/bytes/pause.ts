import { Misuse } from "./errors.ts"

/**
 * What a callback of the configuration returns when it cannot answer at once: the connection then stands still, its
 * outcome says which decision it waits for, and `connection.answer(value, now)` goes on.
 * The core never looks at `work`; an adapter awaits it, as `await` does, and answers with its value: never within the call that
 * paused, so that what this wants sent has been written. Code that drives the connection
 * itself may leave it out.
 */
export class Pause<Answer> {
  readonly work: PromiseLike<Answer> | undefined

  constructor(work?: PromiseLike<Answer>) {
    this.work = work
  }
}

/** JavaScript lets a callback be async; what it returns would be taken for a yes wherever an object is one. */
export function isThenable(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "then" in answer && typeof answer.then === "function"
}

/** What `work` makes of an answer, now or later. A Pause needs its `work`. @throws Misuse */
export function afterwards<Answer, Value>(
  answer: Answer | Pause<Answer>,
  work: (answer: Answer) => Value,
): Value | Pause<Value> {
  if (!(answer instanceof Pause)) return work(answer)
  if (answer.work === undefined) throw new Misuse("a Pause whose answer is read here needs `work`")
  return new Pause(answer.work.then(work))
}

/** The answer of a callback that nobody waits for. @throws Misuse for a promise and for a Pause */
export function atOnce<Answer>(callback: string, answer: Answer): Answer {
  if (answer instanceof Pause) throw new Misuse(`${callback} returned a Pause; it must answer at once`)
  if (isThenable(answer))
    throw new Misuse(`${callback} returned a promise; it must answer at once, and cannot be async`)
  return answer
}
