import { Pause } from "../ports/pause.ts"

/** The answer that is there, or comes, as a promise. */
export function answerOf<Answer>(answer: Answer | Pause<Answer>): Promise<Answer> {
  return new Promise((resolve) => {
    if (answer instanceof Pause) answer.onAnswer(resolve)
    else resolve(answer)
  })
}
