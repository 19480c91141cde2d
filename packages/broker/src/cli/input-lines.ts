// The lines of an input that may be anything.

import { reasonOf, StoreError } from "../stores/folder.ts"

const lineEnd = 10

/**
 * Without their ends. Rejects with StoreError for what cannot be read, and for a line of more than `longest` bytes before it is
 * kept as a whole. @param where in words, which line comes next
 */
export async function* linesOf(
  input: AsyncIterable<Buffer>,
  longest: number,
  where: () => string,
): AsyncGenerator<string, void, undefined> {
  let parts: Buffer[] = []
  let length = 0
  try {
    for await (const chunk of input) {
      let from = 0
      for (let end = chunk.indexOf(lineEnd); end >= 0; end = chunk.indexOf(lineEnd, from)) {
        check(length + end - from, longest, where)
        yield Buffer.concat([...parts, chunk.subarray(from, end)]).toString()
        parts = []
        length = 0
        from = end + 1
      }
      parts.push(chunk.subarray(from))
      length += chunk.length - from
      check(length, longest, where)
    }
  } catch (error) {
    throw error instanceof StoreError ? error : new StoreError(`cannot read the input: ${reasonOf(error)}`)
  }
  if (length > 0) yield Buffer.concat(parts).toString()
}

function check(length: number, longest: number, where: () => string): void {
  if (length > longest) throw new StoreError(`${where()} has more than ${longest} bytes`)
}
