// What a connection may keep: bytes of buffers, by stage. `memory.test.ts` measures each against it, and docs/limits.md shows it.
// Not counted: the engine's own objects, some kilobytes a connection, and what the application keeps of what it is given.

export interface MemoryBudget {
  readonly stage: string
  /** Bytes of buffers that one connection keeps at most. */
  readonly bytes: number
  readonly why: string
}

export const memoryBudget = {
  idleServer: { stage: "server, idle after the handshake", bytes: 256, why: "traffic secrets, keys, exporter secret" },
  idleClient: {
    stage: "client, idle after the handshake",
    bytes: 288,
    why: "the same, and the resumption secret; the server's certificates come on top",
  },
  askable: {
    stage: "server, idle, that may still ask for a certificate",
    bytes: 768,
    why: "a transcript hash and the resumption secret come on top; nothing of the ClientHello",
  },
  offered: { stage: "client that has sent its ClientHello", bytes: 1024, why: "the ClientHello and a key share" },
  flightSent: {
    stage: "server that has sent its flight",
    bytes: 1280,
    why: "the ClientHello, handshake and application secrets",
  },
  signing: { stage: "server that waits for a signature", bytes: 2304, why: "the same, and the flight so far" },
  retried: { stage: "server that has sent a HelloRetryRequest", bytes: 768, why: "the first ClientHello" },
  retriedStatelessly: { stage: "the same, stateless", bytes: 32, why: "nothing of the client" },
  unfinishedRecord: {
    stage: "any, with a record that does not end",
    bytes: 2 * 16_645 + 256,
    why: "the record of at most 16,645 bytes; a buffer that grows by doubling may be twice as long",
  },
  unfinishedMessage: {
    stage: "any, with a handshake message that does not end and may come now",
    bytes: 131_396 + 4 + 512,
    why: "limits.handshakeMessageSize, in a buffer that grows by doubling to where the message will end, and no further",
  },
  heldInput: {
    stage: "any, with a peer that sends while a decision is due",
    bytes: 2 * (65_536 + 16_645) + 2048,
    why: "limits.bufferedInput and a last record, in a buffer that grows by doubling",
  },
  heldAfterHello: {
    stage: "server that waits for a decision about the longest ClientHello, while the client sends",
    bytes: 131_400 + 2 * (65_536 + 16_645) + 2048,
    why: "the message and the input",
  },
  heldAfterRetry: {
    stage: "the same, about the longest second ClientHello",
    bytes: 2 * 131_400 + 2 * (65_536 + 16_645) + 2048,
    why: "both messages and the input: the most that a client can make a server keep that has proven nothing",
  },
  flooded: { stage: "any, after a flood of records that are within the limits", bytes: 256, why: "as idle" },
  failed: { stage: "any, after its end", bytes: 32, why: "keys and input are let go" },
} as const satisfies Record<string, MemoryBudget>
