// A configuration file as it was read: its value, and where in the text each part of that stands.

/** Both from 1; a column counts characters. */
export interface Place {
  readonly line: number
  readonly column: number
}

export interface Document {
  readonly value: unknown
  /** By the place in the value, such as `limits.maximumConnections` and `listeners[0]`. */
  readonly places: ReadonlyMap<string, Place>
}

/** A text that is not what it should be; the message is a clause. */
export class SyntaxProblem extends Error {
  readonly place: Place

  constructor(message: string, place: Place) {
    super(message)
    this.name = "SyntaxProblem"
    this.place = place
  }
}

/** Values within values: a text with more is refused, as each takes some of the stack. */
export const deepest = 64

/** Tells the places of offsets in a text; those that are asked for come in any order. */
export class Lines {
  /** The offset at which each line begins. */
  readonly #starts: number[] = [0]

  constructor(text: string) {
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.#starts.push(at + 1)
  }

  placeOf(offset: number): Place {
    let [low, high] = [0, this.#starts.length - 1]
    while (low < high) {
      const middle = Math.ceil((low + high) / 2)
      if (this.#starts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - this.#starts[low]! + 1 }
  }
}
