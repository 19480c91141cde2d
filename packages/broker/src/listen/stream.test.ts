import { Duplex } from "node:stream"
import { setTimeout } from "node:timers/promises"
import { expect, it, vi } from "vitest"
import { publishBytes, TestBroker } from "../../tests/harness.ts"
import { writeConnect, writeSubscribe } from "../codecs/mqtt-packet.ts"
import { attachStream } from "./stream.ts"

/** Two ends that hand on the very bytes that they are given, and have then taken them. */
function pair(): readonly [Duplex, Duplex] {
  const end = (other: () => Duplex): Duplex =>
    new Duplex({
      read: () => undefined,
      write(chunk, _encoding, done) {
        other().push(chunk)
        done()
      },
    })
  const near: Duplex = end(() => far)
  const far: Duplex = end(() => near)
  return [near, far]
}

it("what any other stream may still refer to is not written over", async () => {
  const test = new TestBroker()
  const [ours, theirs] = pair()
  attachStream(test.broker, ours, { transport: "stream", address: "embedded" }, (error) => {
    throw error
  })
  theirs.write(writeConnect({ protocolVersion: 4, clientId: "s", cleanStart: true, keepAlive: 0 }))
  const subscription = { filter: "t", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const
  theirs.write(writeSubscribe(1, [subscription], 4))
  await setTimeout(20)
  test.settle()
  const publisher = test.connect({ clientId: "p" })
  const letters = ["A", "B", "C"]
  for (const letter of letters) {
    publisher.connection!.receive(publishBytes(publisher.version, "t", letter.repeat(3000)), test.now)
    test.settle()
  }
  const received: Buffer[] = []
  for (let chunk = theirs.read() as Buffer | null; chunk !== null; chunk = theirs.read() as Buffer | null)
    received.push(chunk)
  const text = Buffer.concat(received).toString("latin1")
  expect(letters.map((letter) => text.split(letter).length - 1)).toEqual([3000, 3000, 3000])
})

it("one that has ended of itself is not ended again, and no timer waits for it", async () => {
  const test = new TestBroker()
  const [ours, theirs] = pair()
  attachStream(test.broker, ours, { transport: "stream", address: "embedded" }, (error) => {
    throw error
  })
  theirs.write(writeConnect({ protocolVersion: 5, clientId: "s", cleanStart: true, keepAlive: 0 }))
  await setTimeout(20)
  const [end, timer] = [vi.spyOn(ours, "end"), vi.spyOn(globalThis, "setTimeout")]
  ours.destroy()
  await new Promise((resolve) => setImmediate(resolve))
  test.settle()
  expect(end).not.toHaveBeenCalled()
  expect(timer).not.toHaveBeenCalled()
  vi.restoreAllMocks()
})
