// What docs/architecture.md says of a new extension, done in a scratch copy of the stack: one file, one row, and both roles read
// and write it in the messages that it names, and in no others.

import { execFileSync } from "node:child_process"
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { expect, it } from "vitest"

const root = fileURLToPath(new URL("..", import.meta.url))

const file = `// made_up: no RFC.

import { type ExtensionCodec, type ExtensionRow, flag } from "./codec.ts"

const wish: ExtensionCodec<number> = {
  decode: (data) => data.uint8(),
  encode: (value, data) => data.uint8(value),
}

export const madeUp: ExtensionRow<{ CH: number; EE: true }> = { type: 0xfe01, CH: wish, EE: flag }
`

const use = `import { decodeClientHello, encodeClientHello } from "../src/codec/client-hello.ts"
import { decodeEncryptedExtensions, encodeEncryptedExtensions } from "../src/codec/encrypted-extensions.ts"
import { handshakeMessage } from "../src/codec/message.ts"
import { decodeServerHello, encodeServerHello } from "../src/codec/server-hello.ts"
import { expect, it } from "vitest"

const none = new Uint8Array(0)
it("both roles read and write it", () => {
  const hello = {
    legacyVersion: 0x0303,
    random: new Uint8Array(32),
    legacySessionId: none,
    cipherSuites: [0x1301],
    legacyCompressionMethods: Uint8Array.of(0),
    extensions: { supported_versions: [0x0304], made_up: 7 },
  }
  expect(decodeClientHello(handshakeMessage(encodeClientHello(hello))).extensions).toEqual(hello.extensions)
  const answer = handshakeMessage(encodeEncryptedExtensions({ made_up: true }))
  expect(decodeEncryptedExtensions(answer)).toEqual({ values: { made_up: true }, types: [0xfe01] })
})

it("and a message that may not have it is refused", () => {
  const hello = { random: new Uint8Array(32), legacySessionIdEcho: none, cipherSuite: 0x1301, extensions: { supported_versions: 0x0304 } }
  const bytes = [...encodeServerHello(hello)]
  bytes.splice(-6, 0, 0xfe, 1, 0, 0)
  bytes[3]! += 4
  bytes[bytes.length - 11]! += 4
  expect(() => decodeServerHello(handshakeMessage(Uint8Array.from(bytes)))).toThrow(/ServerHello may not have the extension made_up/)
})
`

it("an extension is one file and one row", () => {
  const scratch = mkdtempSync(join(tmpdir(), "made-up-"))
  try {
    const stack = join(scratch, "packages/tls13")
    for (const path of [
      ...["tsconfig.base.json", "vitest.config.ts", "package.json"],
      ...["scripts/types", "scripts/steps", "scripts/kernels.mjs"],
    ]) {
      cpSync(join(root, path), join(scratch, path), { recursive: true })
    }
    for (const path of ["src", "tests", "assembly", "package.json", "tsconfig.json", "tsconfig.core.json"]) {
      cpSync(join(root, "packages/tls13", path), join(stack, path), { recursive: true })
    }
    symlinkSync(join(root, "node_modules"), join(scratch, "node_modules"))
    const table = join(stack, "src/codec/extensions/table.ts")
    const before = readFileSync(table, "utf8")
    const type = before.replace("  readonly server_name:", "  readonly made_up: typeof madeUp\n  readonly server_name:")
    const row = type.replace("  server_name: serverName,", "  made_up: madeUp,\n  server_name: serverName,")
    expect([type === before, row === type]).toEqual([false, false])
    writeFileSync(table, `import { madeUp } from "./made-up.ts"\n${row}`)
    writeFileSync(join(stack, "src/codec/extensions/made-up.ts"), file)
    writeFileSync(join(stack, "tests/made-up.test.ts"), use)
    const run = (command: string, ...args: string[]) =>
      execFileSync(process.execPath, [join(root, "node_modules", command), ...args], {
        cwd: scratch,
        encoding: "utf8",
        stdio: "pipe",
      })
    run("typescript/bin/tsc", "-p", "packages/tls13/tsconfig.core.json", "--noEmit")
    const suite = ["made-up", "state-machine", "erasure"].map((name) => `packages/tls13/tests/${name}.test.ts`)
    run("vitest/vitest.mjs", "run", "--root", scratch, ...suite)
  } finally {
    rmSync(scratch, { recursive: true })
  }
}, 240_000)
