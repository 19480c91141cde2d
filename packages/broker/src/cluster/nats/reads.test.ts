import type { Msg } from "@nats-io/nats-core"
import { expect, it, vi } from "vitest"
import type { Link } from "./link.ts"
import { Reads } from "./reads.ts"

it("a connection that is closed while a consumer is waited for fails the range, and nothing else", async () => {
  let [pulls, told] = [0, (_error: Error | null, _message: Msg) => {}]
  const nats = {
    subscribe(_subject: string, { callback }: { readonly callback: typeof told }) {
      told = callback
      return { unsubscribe: () => undefined }
    },
    publish(subject: string) {
      if (!subject.includes(".MSG.NEXT.")) return
      if (++pulls > 1) throw new Error("closed connection")
      // Nobody has heard of the consumer yet.
      const nobody = { headers: { code: 503 }, subject, data: new Uint8Array(0) } as unknown as Msg
      queueMicrotask(() => told(null, nobody))
    },
    isClosed: () => pulls > 1,
  }
  const api = async () => ({ state: { last_seq: 9 }, cluster: { replicas: [{}] } })
  const reads = new Reads({ api, nats, reachable: true } as unknown as Link, "s", "", () => 1_000_000)
  await expect(reads.fetch(["m.>"], 0, 10)).rejects.toThrow("no answer")
  expect(pulls).toBe(2)
})

it.each(["subscribe", "publish"])(
  "one that is closed while a subject is asked for fails that, and leaves no timer (%s)",
  async (what) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    try {
      const closed = () => {
        throw new Error("closed connection")
      }
      const subscribe = what === "subscribe" ? closed : () => ({ unsubscribe: () => undefined })
      const nats = { subscribe, publish: closed, isClosed: () => true }
      const api = async () => ({ message: { subject: "s.c", seq: 9, data: "" } })
      const reads = new Reads({ api, nats, reachable: true } as unknown as Link, "s", "", () => 1_000_000)
      await expect(reads.all("s.c")).rejects.toThrow("closed connection")
      expect(vi.getTimerCount()).toBe(0)
    } finally {
      vi.useRealTimers()
    }
  },
)
