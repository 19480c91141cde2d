import { describe, expect, it } from "vitest"
import { LiveEvents, mostEvents, mostReaders } from "./live.ts"
import type { LogEvent } from "./log.ts"

const warning = (text: string): LogEvent => ({ event: "warning", text })

/** What a reader has got so far, without waiting for more. */
async function texts(stream: ReadableStream<Uint8Array>, chunks: number): Promise<string> {
  const reader = stream.getReader()
  let text = ""
  for (let i = 0; i < chunks; i++) {
    const { value } = await reader.read()
    text += new TextDecoder().decode(value)
  }
  reader.releaseLock()
  return text
}

describe("live events", () => {
  it("come in the form of server-sent events, to who asked for them", async () => {
    const live = new LiveEvents()
    const [all, some] = [live.open()!, live.open(new Set(["error"]))!]
    live.take(warning("a\nb"), 1000)
    live.take({ event: "error", text: "c" }, 2000)
    expect(await texts(all, 3)).toBe(
      ": events of the broker\n\n" +
        'id: 1\nevent: warning\ndata: {"time":"1970-01-01T00:00:01.000Z","event":"warning","text":"a\\nb"}\n\n' +
        'id: 2\nevent: error\ndata: {"time":"1970-01-01T00:00:02.000Z","event":"error","text":"c"}\n\n',
    )
    expect(await texts(some, 2)).toMatch(/^: events of the broker\n\nid: 2\nevent: error\n/)
  })

  it("have so many readers at most, and a place is free again when one goes", async () => {
    const live = new LiveEvents()
    const streams = Array.from({ length: mostReaders }, () => live.open()!)
    expect(live.open()).toBeUndefined()
    await streams[0]!.cancel()
    expect(live.readers).toBe(mostReaders - 1)
    expect(live.open()).toBeDefined()
  })

  it("a reader that stops is cut, and the others go on", async () => {
    const live = new LiveEvents()
    const [stopped, going] = [live.open()!, live.open()!]
    const reader = going.getReader()
    for (let i = 0; i < 200; i++) {
      live.take(warning("x".repeat(10_000)), i * 1000)
      await reader.read()
    }
    expect(live.readers).toBe(1)
    await expect(texts(stopped, 200)).rejects.toThrow("does not keep up")
  })

  it("of more than so many in a second their number is told", async () => {
    const live = new LiveEvents()
    const stream = live.open()!
    for (let i = 0; i < mostEvents + 7; i++) live.take(warning("x"), 5000)
    live.take(warning("next"), 6000)
    const text = await texts(stream, mostEvents + 3)
    expect(text.match(/event: warning/g)).toHaveLength(mostEvents + 1)
    expect(text).toContain('event: omitted\ndata: {"time":"1970-01-01T00:00:06.000Z","event":"omitted","events":7}')
    expect(text).toContain(`id: ${mostEvents + 8}\n`)
  })

  it("beat, and end with the broker", async () => {
    const live = new LiveEvents()
    const stream = live.open()!
    live.beat(0)
    live.close()
    const reader = stream.getReader()
    await reader.read()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(": beat\n\n")
    expect((await reader.read()).done).toBe(true)
    expect(live.readers).toBe(0)
  })
})
