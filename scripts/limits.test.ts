// docs/limits.md is made from the limits of both packages and the memory budget: `npx vitest run scripts/limits.test.ts -u` writes it.

import { expect, it } from "vitest"
import { longestBody, longestHead, mostRequests, requestTimes } from "../packages/broker/src/admin/http/requests.ts"
import { mostConnections } from "../packages/broker/src/admin/http/server.ts"
import { mostReaders, mostWaiting } from "../packages/broker/src/admin/live.ts"
import { mostRemembered } from "../packages/broker/src/admin/watch.ts"
import { defaultLimits as clientLimits, maximumAsked, maximumOwed } from "../packages/broker/src/mqtt-client/limits.ts"
import { defaultLimits as brokerLimits } from "../packages/broker/src/session/limits.ts"
import { mostTraces } from "../packages/tls13/src/cli/recording.ts"
import { defaultLimits } from "../packages/tls13/src/handshake/limits.ts"
import { mostPackets } from "../packages/tls13/src/trace/capture-file.ts"
import { longestSavedTrace } from "../packages/tls13/src/trace/saved-trace.ts"
import { mostConnections as mostStreams } from "../packages/tls13/src/trace/tcp-streams.ts"
import { memoryBudget } from "../packages/tls13/tests/memory-budget.ts"
import { commentsOf } from "./configuration/comments.ts"

it("docs/limits.md says what the code says", async () => {
  await expect(`${page()}\n`).toMatchFileSnapshot("../docs/limits.md")
})

const number = (value: number) => value.toLocaleString("en-US")

function page(): string {
  return [
    "# Limits",
    "",
    "Every bound on what a peer can make a connection of `@puremq/tls13` do, [a client the broker](#the-broker), and [a broker the MQTT client](#the-mqtt-client). Change one of the first with `limits` in the options of a client or a server.",
    "",
    ...table("tls13/src/handshake/limits.ts", defaultLimits),
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
    'import { readFileSync } from "node:fs"',
    'import { createFastProvider } from "@puremq/tls13/crypto/fast"',
    'import { createServer } from "@puremq/tls13/node"',
    'import { CookieKeyRing } from "@puremq/tls13/session"',
    "",
    'const cert = readFileSync(".puremq/server.pem")',
    'const key = readFileSync(".puremq/server-key.pem")',
    "const provider = createFastProvider()",
    "const cookies = new CookieKeyRing({ aead: provider.cipherSuites[0].aead, random: provider.random })",
    "const requireCookie = (): boolean => server.handshakes.pending > 200",
    "const server = createServer({ cert, key, core: { statelessRetry: { cookies, requireCookie } } })",
    'server.listen(8443, "127.0.0.1")',
    "```",
    "<!-- snippet: then",
    'import { once } from "node:events"',
    'import { connect } from "@puremq/tls13/node"',
    'await once(connect({ host: "localhost", port: 8443, ca: readFileSync(".puremq/ca.pem") }), "secureConnect")',
    "-->",
    "",
    "Plaintext that the application does not take waits in the `TLSSocket` of `@puremq/tls13/node`: `highWaterMark` bytes, 65,536 by default, or 256 records, whichever is less, and what of one read is behind that; then the stream below is not read until some of it is taken.",
    "",
    "What the stores keep is bounded by themselves: `MemorySessionStore` by servers and tickets, `MemoryTicketStore` by bytes, `MemoryReplayGuard` by entries.",
    "",
    "`tls13 serve --www` takes a request's head of 16,384 bytes at most (else it answers 431) within 10 seconds of the handshake (`--request-time`; else 408), and gives a client 5 seconds to take the answer and close. `tls13 serve` has 1,000 connections at a time (`--max-connections`): one that reads nothing of what is echoed makes it hold half a megabyte. What is typed goes to all clients as fast as one of them takes it, and one that is 1,048,576 bytes behind is ended. " +
      `\`--explore\` writes ${number(mostTraces)} files of ${number(longestSavedTrace)} bytes at most; \`--pcap\` and \`--keylog\` grow with the connections.`,
    "",
    `\`readCaptureFile\` of \`@puremq/tls13/trace\` takes a file of ${number(mostPackets)} packets and ${number(mostStreams)} connections at most, and what it gives are views of the file; \`readSavedTrace\` takes ${number(longestSavedTrace)} characters.`,
    "",
    "## The broker",
    "",
    "What a client can make the broker keep or do, beyond its TLS connection. Change one with `limits` in the configuration file or in `createBroker`. Defaults that depend on memory are those of a heap of 512 MiB.",
    "",
    ...table("broker/src/session/limits.ts", brokerLimits),
    "",
    "The heap that these are shares of is what the JavaScript engine lets live long, without 16 MiB for the program itself and one semi-space, which the engine wants free: with `--max-old-space-size=512` 480 MiB, with 96 MiB 64. What the broker works with beside them is a share of it, too, an eighth in all: routes that it remembers, topics that it recognises, Changes that wait for the store, places of walks over retained messages. With a store in files three eighths are left for that and for folding it. The broker starts where the heap leaves 16 MiB, that is with `--max-old-space-size=48` or more; what does not fit is refused, and the process goes on. A small heap does better with small semi-spaces, of which there are three of 16 MiB where nothing else is said: with `--max-semi-space-size=4` a heap of 64 MiB leaves 44 for clients, not 32, and the process takes 36 MiB less beside it.",
    "",
    "Each is tested at its value and one past it. What a client is told is the Reason Code that its sentence names, in MQTT 5.0; an MQTT 3.1.1 client gets the return code of CONNACK that is nearest, 0x80 in SUBACK, or is disconnected.",
    "",
    `Over HTTP a connection has one answer. Of a WebSocket listener and of the metrics endpoint a request's head has 16,384 bytes at most, and what comes behind it is not worked on; a connection has \`connectTimeout\`, and 5 seconds at the metrics endpoint, to become a WebSocket, or to ask, take its answer and close. The metrics endpoint has 256 connections at a time, of which the oldest is closed for one more. With TLS it has 32 handshakes under way and 64 that wait, 8 and 16 of one address, each for 5 seconds; and a file of its tokens has 65,536 bytes and 16 tokens at most. The [admin API](admin.md) has ${number(mostConnections)}, of which the oldest without a right token gives way to one more, with one request at a time and ${number(mostRequests)} in all: a head of ${number(longestHead)} bytes and a body of ${number(longestBody)} at most, ${requestTimes.request / 1000} seconds for it to come, ${requestTimes.idle / 1000} between two and ${requestTimes.answer / 1000} for its answer; pages of 1,000 items and 1,048,576 characters; 32 MiB of answers that wait for those who asked, and 8 of the page's files; ${number(mostReaders)} readers of events, for each of whom ${number(mostWaiting)} bytes may wait, and ${number(mostRemembered)} failed handshakes, as many refused logins and as many other refusals that are remembered. A WebSocket client that has begun to close, by a Close frame or by the end of its half, has a second to take what waits for it.`,
    "",
    "When a session ends, the messages that came to it by Shared Subscriptions, and that it has not acknowledged, go to others of the same subscription, in turns; a client that comes again with its Client Identifier has its CONNACK after that. They count against the limits of who gets them, as any message does: one for which nobody has room is dropped, though it was acknowledged, and counted as such; of one that is at an end without anybody left to have it `session ended` is the count. Either is a line `shared messages lost` in the log, with the Client Identifier, the filter and how many there were. Give the sessions that share more room (`maximumQueuedMessages`, `maximumQueuedBytes`) than what one of them may leave behind.",
    "",
    "No option changes how much of what one client sends is done before the others have their turn: 2,048 packets, or 20,000 nodes of the subscription tree and copies made, whichever comes first, where each 512 bytes of a copy count as one more, and each node of the access control list that is looked at, for whatever is judged: a publish, a filter, a will, what new rules come to. Connections that go on after that have 16,384 packets and 40,000 of those together, and then the next turn begins with those that have waited longest. None changes either that a message of SCRAM has 4,096 bytes at most; a longer one is refused with 0x87.",
    "",
    "## The MQTT client",
    "",
    "What a broker can make `@puremq/broker/client` keep or do. Each is an option of `MqttClient`.",
    "",
    ...table("broker/src/mqtt-client/limits.ts", clientLimits),
    "",
    `No option changes these: ${maximumAsked} SUBSCRIBE and UNSUBSCRIBE without an answer; ${number(maximumOwed)} bytes of acknowledgements that wait for \`take\`, four for each Packet Identifier of both sides, past which the connection ends as \`malformed\`; 64 topics of 512 bytes, which are recognised. Topic Aliases come beside them where \`properties\` allow some (Topic Alias Maximum): a topic of 65,535 bytes at most for each. While a packet is told of, its properties are there as values, of 65,536 bytes of User Properties about 2 MB.`,
    "",
    "`puremq pub`, `sub` and `rr` take packets of any length, and read no more of a broker that does not take what they send.",
  ].join("\n")
}

function kilobytes(bytes: number): string {
  return `${Math.round(bytes / 1000)} KB`
}

/** The fields of the interface `Limits` of that file, each with its default and its comment. */
function table(file: string, defaults: object): string[] {
  const fields = commentsOf(file, "Limits")
  const values = new Map<string, unknown>(Object.entries(defaults))
  expect([...fields.keys()]).toEqual([...values.keys()])
  const rows = [...fields].map(([name, text]) => {
    const value = values.get(name)
    return `| \`${name}\` | ${typeof value === "number" ? value.toLocaleString("en-US") : "the AEAD\u2019s"} | ${text} |`
  })
  return ["| limit | default | what it bounds |", "|---|---|---|", ...rows]
}
