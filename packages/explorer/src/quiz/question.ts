// What a question is, and how an answer to it is judged. The right answer is never written down: it is what the stack does.

export const kinds = ["message", "nonce", "secret", "transcript", "alert"] as const
export type Kind = (typeof kinds)[number]

export interface Choice {
  readonly id: string
  readonly text: string
}

/** What the stack does. */
export interface Truth {
  /** The id of a choice, or bytes in lowercase hex. */
  readonly right: string
  readonly reason: string
  /** Where it can be seen; undefined: nowhere in the run that is shown. */
  readonly step: number | undefined
}

export interface Question {
  readonly kind: Kind
  readonly prompt: string
  /** What one has to know for it, each with its name. */
  readonly given: readonly (readonly [name: string, value: string])[]
  /** Empty: the answer is a number of bytes, in hex. */
  readonly choices: readonly Choice[]
  /** Bytes of the answer, when there are no choices. */
  readonly bytes?: number
  /** Where it is written: `RFC 9846 section 5.3`. */
  readonly section: string
  /** The break that has to be played before anybody knows; undefined: `truth` says it. */
  readonly breaks?: string
  readonly truth?: Truth
  /** Why a choice is wrong, where there is more to say than that it is. */
  readonly wrong: Readonly<Record<string, string>>
}

export interface Verdict extends Truth {
  readonly isRight: boolean
  /** Of this answer; "" when it is right. */
  readonly because: string
}

/** @returns undefined: that is no answer yet, such as hex of another length */
export function verdictOf(question: Question, truth: Truth, answer: string): Verdict | undefined {
  const said = question.choices.length > 0 ? chosen(question, answer) : hexOf(answer, question.bytes ?? 0)
  if (said === undefined) return undefined
  const isRight = said === truth.right
  return { ...truth, isRight, because: isRight ? "" : (question.wrong[said] ?? "") }
}

function chosen({ choices }: Question, answer: string): string | undefined {
  return choices.find(({ id }) => id === answer)?.id
}

/** Bytes as people write them: `0x`, spaces, colons and capitals are all the same. */
function hexOf(text: string, bytes: number): string | undefined {
  const digits = text
    .trim()
    .replace(/^0x/i, "")
    .replace(/[\s:,]/g, "")
    .toLowerCase()
  return /^[0-9a-f]*$/.test(digits) && digits.length === 2 * bytes ? digits : undefined
}
