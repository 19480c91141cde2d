/**
 * What a callback of the configuration returns when it cannot answer at once: the connection then stands still, its
 * outcome says which decision it waits for, and `connection.answer(value, now)` goes on.
 * The core never looks at `work`; an adapter awaits it and answers with its value. Code that drives the connection
 * itself may leave it out.
 */
export class Pause<Answer> {
  readonly work: PromiseLike<Answer> | undefined

  constructor(work?: PromiseLike<Answer>) {
    this.work = work
  }
}
