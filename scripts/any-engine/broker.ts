// A broker and two clients, whose packets are bytes as they stand in the standard, on an engine that has nothing but the language.

import { Acl, type ByteLink, createSimpleAccess, EmbeddedBroker, type Host, Pause, parseAcl } from "@puremq/broker/core"

let passed = 0
const host: Host = {
  passed: () => passed,
  random: (length) => new Uint8Array(length).fill(7),
}

export const told: string[] = []

const broker = new EmbeddedBroker(host, {
  access: createSimpleAccess({
    anonymous: true,
    passwords: { sensor: "secret" },
    rules: new Acl(parseAcl("user sensor write t/#\nanonymous read t/#")),
  }),
  limits: { maximumPacketSize: 4096 },
  events: (event) => told.push(event.event),
})

function turns(): void {
  for (let i = 0; i < 100 && broker.turn() === 0; i++);
}

function open(): ByteLink {
  const link = broker.open({ address: "here" })
  if (link === undefined) throw new Error("refused")
  return link
}

/** What the link has to send after it was given that, in hexadecimal. */
export function say(link: ByteLink, ...bytes: number[]): string {
  link.receive(Uint8Array.from(bytes))
  turns()
  return Array.from(link.take(), (byte) => byte.toString(16).padStart(2, "0")).join(" ")
}

const text = (word: string): number[] => [0, word.length, ...Array.from(word, (letter) => letter.charCodeAt(0))]
const packet = (first: number, ...body: number[]): number[] => [first, body.length, ...body]
const connect = (flags: number, ...rest: number[]): number[] => packet(0x10, ...text("MQTT"), 4, flags, 0, 0, ...rest)

/** What three clients get: one that subscribes, one that publishes, one with a wrong password. */
export function run(): readonly string[] {
  const [subscriber, publisher, stranger] = [open(), open(), open()]
  const answers = [
    say(subscriber, ...connect(0x02, ...text("s"))),
    say(subscriber, ...packet(0x82, 0, 1, ...text("t/#"), 1)),
    say(publisher, ...connect(0xc2, ...text("p"), ...text("sensor"), ...text("secret"))),
    say(publisher, ...packet(0x32, ...text("t/1"), 0, 9, 0x21)),
    say(subscriber),
    say(stranger, ...connect(0xc2, ...text("x"), ...text("sensor"), ...text("guess"))),
    stranger.state,
  ]
  passed += 5000
  turns()
  const closed = broker.close()
  if (closed instanceof Pause) throw new Error("a store that keeps nothing does not wait")
  return [...answers, subscriber.state]
}
