import { expect, it } from "vitest"
import { Message } from "../packet/message.ts"
import { TopicTable } from "../packet/topic.ts"
import { Counters } from "./counters.ts"
import { defaultLimits } from "./limits.ts"
import { QueuedMemory } from "./memory.ts"
import { Session } from "./session.ts"

it("in a cluster what there is no memory for comes again, and is not counted as dropped", () => {
  const counters = new Counters()
  const owner = { user: undefined, account: "a", certificate: undefined } as unknown as Session["owner"]
  const session = new Session("c", owner, defaultLimits, counters, new QueuedMemory(10))
  const message = Message.of(new TopicTable(10).of("t"), new Uint8Array(100), 1, false)
  message.position = { partition: 0, sequence: 1 }
  const full = () => counters.dropped["memory full"]
  const fallen: number[] = []
  session.fallBehind = ({ sequence }) => void fallen.push(sequence)
  expect(session.deliver(message, 1, false, [], 0, undefined)).toBe(true)
  expect(session.deliverBehind(message, 1, false, [], 0, undefined)).toBe(false)
  expect(session.deliverShared(message, 1, false, [], 0, "$share/g/t")).toBe(false)
  expect([fallen, full()]).toEqual([[1], 0])
  // Of a broker alone it is lost.
  session.fallBehind = undefined
  expect(session.deliver(message, 1, false, [], 0, undefined)).toBe(false)
  expect(full()).toBe(1)
})
