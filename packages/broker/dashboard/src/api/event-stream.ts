// Server-sent events (HTML standard, section 9.2.6) out of the bytes of an answer: EventSource cannot send a token.

/** Characters of one event: what is longer is left out. */
const longestEvent = 262_144
/** Milliseconds: the broker says something each ten seconds, or the connection has died without a word, as in a sleep. */
const longestSilence = 30_000

/** Yields the data of each event; ends with the stream, or when nothing comes through it any more. @param patience milliseconds */
export async function* eventsIn(
  stream: ReadableStream<Uint8Array>,
  patience: number = longestSilence,
): AsyncGenerator<string, void, undefined> {
  const reader = stream.getReader()
  const decoder = new TextDecoder()
  let rest = ""
  let data: string[] = []
  try {
    for (;;) {
      const next = await within(patience, reader.read())
      if (next === undefined || next.done) return
      const { value } = next
      rest += decoder.decode(value, { stream: true })
      if (rest.length > longestEvent) rest = ""
      const lines = rest.split(/\r\n|\n|\r/)
      rest = lines.pop() ?? ""
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0) yield data.join("\n")
          data = []
        } else if (line.startsWith("data:")) data.push(line.slice(line.startsWith("data: ") ? 6 : 5))
      }
    }
  } finally {
    // Of a connection that has died nobody knows when it ends.
    void reader.cancel().catch(() => undefined)
  }
}

/** Undefined: it was not there in time. */
function within<Result>(milliseconds: number, work: Promise<Result>): Promise<Result | undefined> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds, undefined)
    work.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
