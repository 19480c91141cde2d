// The lines of a list that may be long: whoever serves clients meanwhile reads it step by step.

/** Work that may be left and gone on with after each step. */
export type Steps<T> = Generator<void, T, void>

/** All of it at once. */
export function finish<T>(steps: Steps<T>): T {
  for (;;) {
    const { done, value } = steps.next()
    if (done === true) return value
  }
}

/** Calls `each` with every line, without its end, and its number from 1 on; a step has a hundred lines. */
export function* lineByLine(text: string, each: (line: string, number: number) => void): Steps<void> {
  let number = 0
  for (let at = 0; at <= text.length; ) {
    const end = text.indexOf("\n", at)
    const next = end < 0 ? text.length : end
    each(text.slice(at, next > at && text[next - 1] === "\r" && end >= 0 ? next - 1 : next), ++number)
    at = next + 1
    if (number % 100 === 0) yield
  }
}
