// What `puremq start` makes of a command line: the configuration that a file would have.

import { readArguments, UsageError } from "@puremq/tls13/command-line"
import { expect, it } from "vitest"
import { startCommand } from "./start-command.ts"
import { startConfigOf } from "./start-config.ts"

const configOf = (...args: string[]) =>
  startConfigOf({
    given: readArguments(startCommand, args),
    environment: {},
    own: { cert: "own.pem", key: "own-key.pem" },
  }).file

it("options of any object stand where the file has them", () => {
  expect(configOf("--data", "/var/lib/puremq", "--durability", "power")).toMatchObject({
    listeners: [{ type: "tls", port: 8883, cert: "own.pem", key: "own-key.pem" }],
    store: { directory: "/var/lib/puremq", durability: "power" },
  })
  expect(configOf("--store", "memory", "--max-queued", "5")).toMatchObject({
    store: { type: "memory" },
    limits: { maximumQueuedMessages: 5 },
  })
})

it("what means nothing without another option is told in the words of the command line, wherever it stands", () => {
  for (const [args, message] of [
    [["--store", "memory", "--data", "x"], "--data means nothing with --store memory"],
    [["--durability", "power", "--store", "memory"], "--durability means nothing with --store memory"],
    [["--server-reference-when", "always"], "--server-reference-when needs --server-reference"],
    [["--identity", "subject"], "--identity is about client certificates, which nobody asks for: add --ca FILE"],
  ] as const) {
    expect(() => configOf(...args)).toThrow(new UsageError(message))
  }
  expect(() => configOf("--store", "disk")).toThrow(UsageError)
})
