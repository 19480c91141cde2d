// docs/limits.md is made from connection/limits.ts and the memory budget: `npx vitest run scripts/limits.test.ts -u` writes it.

import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { defaultLimits } from "../packages/tls13/src/connection/limits.ts"
import { memoryBudget } from "../packages/tls13/tests/memory-budget.ts"

it("docs/limits.md says what the code says", async () => {
  await expect(`${page()}\n`).toMatchFileSnapshot("../docs/limits.md")
})

function page(): string {
  return [
    "# Limits",
    "",
    "Every bound on what a peer can make a connection of `@puremq/tls13` do. Change one with `limits` in the options of a client or a server.",
    "",
    "| limit | default | what it bounds |",
    "|---|---|---|",
    ...limits().map(({ name, value, text }) => `| \`${name}\` | ${value} | ${text} |`),
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
    "A buffer grows with what has come, never with what a length announces, and a handshake message that may not come now is refused by its header. So during a handshake a peer can make a connection hold about 170 KB, for `limits.handshakeTime` at most; a client that is connected can make a server hold an unfinished record, 33 KB; a server can make its client hold an unfinished ticket too. Smaller values of `handshakeMessageSize` and `bufferedInput` make it less. A listener bounds the handshakes that are under way; a server under load can ask for cookies first (`statelessRetry`) and then keeps nothing of a client that does not come back.",
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
  ].join("\n")
}

/** The fields of the interface `Limits`, each with its comment. */
function limits(): { name: string; value: string; text: string }[] {
  const source = readFileSync(new URL("../packages/tls13/src/connection/limits.ts", import.meta.url), "utf8")
  const fields = [...source.matchAll(/\/\*\* (.*?) \*\/\s+readonly (\w+):/g)]
  const rows = fields.map(([, text = "", name = ""]) => {
    const value = defaultLimits[name as keyof typeof defaultLimits]
    return { name, value: value === undefined ? "the AEAD\u2019s" : value.toLocaleString("en-US"), text }
  })
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(defaultLimits))
  return rows
}
