// RFC 8449: how long records may be, for a peer that has little room.

import { describe, expect, it } from "vitest"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import type { ServerOptions } from "../src/handshake/options.ts"
import { Pair, received } from "../src/testing/pair.ts"
import { clientOptions, serverOptions, start } from "./support.ts"

/** @returns length fields of the records that each end sends 2,000 bytes in */
function lengths(recordSizeLimit: number | undefined, server: Partial<ServerOptions> = {}): number[][] {
  const client = new ClientConnection(createClientConfig({ ...clientOptions, recordSizeLimit }), start)
  const pair = new Pair(client, new ServerConnection(createServerConfig({ ...serverOptions, ...server }), start), start)
  pair.handshake()
  return [pair.server, pair.client].map((side) => {
    const { output } = side.connection.send(new Uint8Array(2000))
    pair.take(side, { output, events: [], waitsFor: "bytes" })
    pair.run()
    const other = side === pair.server ? pair.client : pair.server
    expect(received(other).length).toBe(2000)
    const all: number[] = []
    for (let at = 0; at < output.length; at += 5 + all.at(-1)!) all.push(output[at + 3]! * 256 + output[at + 4]!)
    return all
  })
}

describe("record_size_limit", () => {
  it("RFC 8449 4: a server keeps to a client's limit without being configured for it, and has none of its own", () => {
    // The limit counts the content type, the record's length also the tag of 16 bytes.
    expect(lengths(512)).toEqual([[528, 528, 528, 484], [2017]])
    expect(lengths(64)[0]).toHaveLength(Math.ceil(2000 / 63))
  })

  it("RFC 8449 4: a server's own limit counts for a client that sends one", () => {
    expect(lengths(16_385, { recordSizeLimit: 1024 })).toEqual([[2017], [1040, 994]])
    expect(lengths(undefined, { recordSizeLimit: 1024 })).toEqual([[2017], [2017]])
  })
})
