import { expect, it } from "vitest"
import { type Incoming, Reception } from "./stream-listener.ts"
import type { TlsStreamSocket } from "./streams.ts"

/** A connection whose handshake ends when it is told to. */
function incoming(address = "192.0.2.1") {
  const story: string[] = []
  let open: () => void = () => undefined
  const opened = new Promise<never>((_, reject) => {
    open = () => reject(new Error("over"))
  })
  opened.catch(() => undefined)
  const own: Incoming = {
    address,
    accept() {
      story.push("begins")
      return { opened } as unknown as TlsStreamSocket
    },
    drop: () => story.push("dropped"),
  }
  return { own, story, open }
}

it("begins as many handshakes as it may, and the next one when a place is free", async () => {
  const reception = new Reception({ handshakes: { maxPendingHandshakes: 1, maxWaitingHandshakes: 1 } })
  const [a, b, c] = [incoming(), incoming(), incoming()]
  for (const { own } of [a, b, c]) reception.take(own)
  expect([a.story, b.story, c.story]).toEqual([["begins"], [], ["dropped"]])
  expect(reception.handshakes).toEqual({ pending: 1, waiting: 1, refused: 1 })
  a.open()
  await new Promise((resolve) => setTimeout(resolve))
  expect(b.story).toEqual(["begins"])
  expect(reception.handshakes).toEqual({ pending: 1, waiting: 0, refused: 1 })
})

it("one that leaves frees its place, and close drops those that wait", () => {
  const reception = new Reception({ handshakes: { maxPendingHandshakes: 1, maxWaitingHandshakes: 2 } })
  const [a, b, c] = [incoming(), incoming(), incoming()]
  const [, gone] = [a, b, c].map(({ own }) => reception.take(own))
  gone!()
  expect(reception.handshakes.waiting).toBe(1)
  reception.close()
  expect([a.story, b.story, c.story]).toEqual([["begins"], [], ["dropped"]])
})

it("one that throws is dropped and told, and gives its place back", async () => {
  const faults: unknown[] = []
  const reception = new Reception({
    handshakes: { maxPendingHandshakes: 1 },
    onFault: (error) => faults.push(error),
  })
  const [bad, good] = [incoming(), incoming()]
  const defect = new Error("a defect")
  reception.take({
    ...bad.own,
    accept() {
      throw defect
    },
  })
  reception.take(good.own)
  await Promise.resolve()
  expect(faults).toEqual([defect])
  expect([bad.story, good.story]).toEqual([["dropped"], ["begins"]])
})
