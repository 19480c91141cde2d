// docs/limits.md is made from the limits of both packages and the memory budget: `npx vitest run scripts/limits.test.ts -u` writes it.

import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { defaultLimits as brokerLimits } from "../packages/broker/src/session/limits.ts"
import { defaultLimits } from "../packages/tls13/src/connection/limits.ts"
import { memoryBudget } from "../packages/tls13/tests/memory-budget.ts"

it("docs/limits.md says what the code says", async () => {
  await expect(`${page()}\n`).toMatchFileSnapshot("../docs/limits.md")
})

function page(): string {
  return [
    "# Limits",
    "",
    "Every bound on what a peer can make a connection of `@puremq/tls13` do, and [a client the broker](#the-broker). Change one of the first with `limits` in the options of a client or a server.",
    "",
    ...table("tls13/src/connection/limits.ts", defaultLimits),
    "",
    "A peer that passes a limit is told so with an alert, and the connection ends with the error `LimitExceeded`, which names the limit. Each is tested at its value and one past it (`packages/tls13/tests/limits.test.ts`).",
    "",
    "## What does not fit",
    "",
    "What an application configures must fit the length fields of the protocol, or it is refused when the configuration is made:",
    "",
    "- A client\u2019s ALPN names and PSK identities take 16,384 bytes of its ClientHello at most, each with its lengths and binder. A server name has 255 bytes at most.",
    "- The names of `authorities` are left out when they take more than 16,384 bytes of a ClientHello, or when CertificateRequest would have more than 65,535 bytes with them. A ticket of more than 16,384 bytes is not offered.",
    "- An OCSP response that is stapled has 65,527 bytes at most, and a chain fits a Certificate message of 16,777,215.",
    "",
    "Each is tested at its value and one past it (`packages/tls13/tests/length-fields.test.ts`).",
    "",
    "## Memory",
    "",
    "Bytes of buffers that one connection keeps at most, with the default limits and the provider `noble`. `packages/tls13/tests/memory.test.ts` measures each stage: it counts every array that the connection still refers to, to the byte. JavaScript's own objects are not counted; they are some kilobytes a connection.",
    "",
    "| stage | bytes | what it is |",
    "|---|---|---|",
    ...Object.values(memoryBudget).map(
      ({ stage, bytes, why }) => `| ${stage} | ${bytes.toLocaleString("en-US")} | ${why} |`,
    ),
    "",
    `A buffer grows with what has come, never with what a length announces, and a handshake message that may not come now, or not with that length, is refused by its header. So a client that has proven nothing can make a server hold ${kilobytes(memoryBudget.unfinishedMessage.bytes)} by one message and twice that after a HelloRetryRequest, ${kilobytes(memoryBudget.heldAfterRetry.bytes)} when the application takes its time for decisions, for \`limits.handshakeTime\` at most: 270 MB and 440 MB of buffers with the 1,024 handshakes that a listener has under way by default. While such a decision is due there is also what a ClientHello decodes to, for ten thousand key shares 1.6 MB of objects; while the client is awaited it is not kept. A client that is connected can make a server hold an unfinished record, 33 KB; a server can make its client hold an unfinished ticket too. Smaller values of \`handshakeMessageSize\` and \`bufferedInput\` make it less, and fewer handshakes under way. A server under load can ask for cookies first (\`statelessRetry\`) and then keeps nothing of a client that does not come back.`,
    "",
    "```ts",
    'import { createServer } from "@puremq/tls13/node"',
    'import { CookieKeyRing } from "@puremq/tls13/session"',
    "",
    "const cookies = new CookieKeyRing({ aead: provider.cipherSuites[0].aead, random: provider.random })",
    "const requireCookie = () => server.handshakes.pending > 200",
    "const server = createServer({ cert, key, core: { statelessRetry: { cookies, requireCookie } } })",
    "```",
    "",
    "What the stores keep is bounded by themselves: `MemorySessionStore` by servers and tickets, `MemoryTicketStore` by bytes, `MemoryReplayGuard` by entries.",
    "",
    "`tls13 serve --www` takes a request's head of 16,384 bytes at most (else it answers 431) within 10 seconds of the handshake (`--request-time`; else 408), and gives a client 5 seconds to take the answer and close.",
    "",
    "## The broker",
    "",
    "What a client can make the broker keep or do, beyond its TLS connection. Change one with `limits` in the configuration file or in `createBroker`. Defaults that depend on memory are those of a heap of 512 MiB.",
    "",
    ...table("broker/src/session/limits.ts", brokerLimits),
    "",
    "Each is tested at its value and one past it. What a client is told is the Reason Code that its sentence names, in MQTT 5.0; an MQTT 3.1.1 client gets the return code of CONNACK that is nearest, 0x80 in SUBACK, or is disconnected.",
    "",
    "No option changes how much of what one client sends is done before the others have their turn: 2,048 packets, or 20,000 nodes of the subscription tree and copies made, whichever comes first, where each 512 bytes of a copy count as one more. Connections that go on after that have 16,384 packets and 40,000 of those together, and then the next turn begins with those that have waited longest.",
  ].join("\n")
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000)} KB`
}

/** The fields of the interface `Limits` of that file, each with its default and its comment. */
function table(file: string, defaults: object): string[] {
  const source = readFileSync(new URL(`../packages/${file}`, import.meta.url), "utf8")
  const start = source.indexOf("export interface Limits")
  const body = source.slice(start, source.indexOf("\n}\n", start))
  const fields = [...body.matchAll(/\/\*\*\s+([\s\S]*?)\s*\*\/\s+readonly (\w+):/g)]
  const values = new Map<string, unknown>(Object.entries(defaults))
  expect(fields.map(([, , name]) => name)).toEqual([...values.keys()])
  const rows = fields.map(([, comment = "", name = ""]) => {
    const text = comment.replace(/^\* /, "").replaceAll(/\s*\n\s*\* ?/g, " ")
    const value = values.get(name)
    return `| \`${name}\` | ${typeof value === "number" ? value.toLocaleString("en-US") : "the AEAD\u2019s"} | ${text} |`
  })
  return ["| limit | default | what it bounds |", "|---|---|---|", ...rows]
}
