// Files that people bring: captures of tcpdump and Wireshark, traces that our own commands save, and text to paste.

import type { CryptoProvider } from "@puremq/tls13"
import { RecordingError, replay } from "@puremq/tls13/recording"
import { type CapturedConnection, readCaptureFile, readSavedTrace, TraceFileError } from "@puremq/tls13/trace"
import type { Timeline } from "../run/step.ts"
import { type Chunk, observe } from "./observer.ts"
import { NotReadable, readPasted } from "./pasted.ts"
import { savedTimeline } from "./saved.ts"
import { type KnownSecrets, readKeyLog } from "./secrets.ts"

/** A connection of a file: what it is in a line, and its steps when somebody wants to see them. */
export interface Brought {
  readonly title: string
  timeline(): Timeline
}

export interface BroughtFile {
  readonly connections: readonly Brought[]
  /** What could not be read of it, a sentence each. */
  readonly notes: readonly string[]
}

/**
 * @param keyLog lines of RFC 9850, beside those that the file has itself
 * @throws NotReadable, whatever is in it
 */
export function readBrought(file: Uint8Array, keyLog: string, provider: CryptoProvider): BroughtFile {
  try {
    const text = textOf(file)
    if (text === undefined) return captured(file, keyLog, provider)
    if (text.startsWith('{"format":"tls13-recording')) return recorded(text, provider)
    if (text.trimStart().startsWith('{"format":')) {
      const trace = readSavedTrace(text)
      const title = `what the ${trace.role} has seen, ${new Date(trace.started).toISOString()}`
      const notes = trace.omitted > 0 ? [`${trace.omitted} events more came than the file has`] : []
      return { connections: [{ title, timeline: () => savedTimeline(trace) }], notes }
    }
    const { chunks, known } = readPasted(text)
    const both: KnownSecrets = known.inputs === undefined ? readKeyLog(keyLog) : known
    return { connections: [{ title: "what was pasted", timeline: () => observe(chunks, both, provider) }], notes: [] }
  } catch (error) {
    if (error instanceof TraceFileError || error instanceof RecordingError) throw new NotReadable(error.message)
    throw error
  }
}

/** What `--record` has written, run again: the trace of it is that of the end that was recorded. */
function recorded(text: string, provider: CryptoProvider): BroughtFile {
  const { role, started, steps, difference, cut } = replay(text, { provider })
  let at = 0
  const events = steps.flatMap(({ now, traced }) => {
    at = now === undefined ? at : Math.max(at, now - started)
    return traced.map((event) => ({ at, event }))
  })
  const title = `what the ${role} has done, ${new Date(started).toISOString()}, run again`
  const other = difference && `it is another from line ${difference.line} on: ${difference.message}`
  const notes = [other, cut].filter((note) => note !== undefined)
  return { connections: [{ title, timeline: () => savedTimeline({ role, started, events, omitted: 0 }) }], notes }
}

/** undefined: it has bytes that no text has. */
function textOf(file: Uint8Array): string | undefined {
  // A capture, or whatever else is no text, has control characters in its beginning.
  const beginning = file.subarray(0, 64)
  if (beginning.some((byte) => byte < 0x20 && ![9, 10, 12, 13].includes(byte))) return undefined
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(file)
  } catch {
    return undefined
  }
}

/** Whether a file is a key log, which is read beside another file and not by itself. */
export function isKeyLog(file: Uint8Array): boolean {
  const lines = (textOf(file) ?? "").split(/\r?\n/).filter((line) => line.trim() !== "" && !line.startsWith("#"))
  const isSecret = (line: string) => /^[A-Z0-9_]+ [0-9a-fA-F]{64} [0-9a-fA-F]+\s*$/.test(line)
  return lines.length > 0 && lines.every((line) => isSecret(line) || /^[A-Z0-9_]+ /.test(line)) && lines.some(isSecret)
}

function captured(file: Uint8Array, keyLog: string, provider: CryptoProvider): BroughtFile {
  const { connections, keyLog: own, notes } = readCaptureFile(file)
  const secrets = readKeyLog(`${own}\n${keyLog}`)
  const withTls = connections.filter(looksLikeTls)
  if (withTls.length === 0) {
    const what =
      connections.length === 0 ? "no TCP connection" : `${connections.length} TCP connections, none of them TLS`
    throw new NotReadable(`the file has ${what}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`)
  }
  return {
    connections: withTls.map((connection) => ({
      title: titleOf(connection),
      timeline: () => observe(chunksOf(connection), secrets, provider),
    })),
    notes,
  }
}

function looksLikeTls({ fromClient }: CapturedConnection): boolean {
  const first = fromClient.pieces[0]?.bytes
  return first !== undefined && first[0] === 22 && first[1] === 3
}

function titleOf({ client, server, fromClient, fromServer }: CapturedConnection): string {
  const bytes = (stream: typeof fromClient) => stream.pieces.reduce((sum, piece) => sum + piece.bytes.length, 0)
  const missing = fromClient.missing.length + fromServer.missing.length > 0 ? "; some of it is missing" : ""
  return `${client.address}:${client.port} to ${server.address}:${server.port}, ${bytes(fromClient)} and ${bytes(fromServer)} bytes${missing}`
}

/** Both streams in the order in which their pieces came, up to where bytes are missing. */
function chunksOf({ fromClient, fromServer }: CapturedConnection): readonly Chunk[] {
  const of = (from: "client" | "server", { pieces, missing }: typeof fromClient) => {
    const end = missing[0]?.offset ?? Number.POSITIVE_INFINITY
    return pieces.filter(({ offset }) => offset < end).map(({ bytes, packet }) => ({ from, bytes, packet }))
  }
  return [...of("client", fromClient), ...of("server", fromServer)].sort((a, b) => a.packet - b.packet)
}
