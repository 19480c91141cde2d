// Plays rows of the table against a broker, which may be any: here the core in this process, or one behind a socket.

import { type Bytes, joining } from "./bytes.ts"
import type { Row, Step } from "./row.ts"
import { writeBytes } from "./text.ts"
import { type Wanted, wantedBy, withoutWords } from "./words.ts"

/** One network connection. */
export interface Line {
  send(bytes: Uint8Array): void | Promise<void>
  /** The next packet that comes; "end" when the broker has ended it, "nothing" when nothing comes. */
  next(): Promise<Uint8Array | "end" | "nothing">
  /** The same when nothing should come. `served`: it may be asked with a PINGREQ, whose answer is not told. */
  rest(served: boolean): Promise<Uint8Array | "end" | "nothing">
  cut(): void | Promise<void>
}

/** A broker of its own for one row. */
export interface Stage {
  open(): Line | Promise<Line>
  wait(seconds: number): void | Promise<void>
}

interface Player {
  readonly line: Line
  /** What its CONNECT says about what it is sent. */
  wanted: Wanted
  /** It has been accepted. */
  served: boolean
  /** What it has sent of a packet that is not whole. */
  partial: Bytes
  over: boolean
}

/** What is wrong; undefined: everything comes as the row says. */
export async function play(row: Row, stage: Stage): Promise<string | undefined> {
  const players = new Map<string, Player>()
  for (const step of row.steps) {
    const wrong = await playStep(row, step, stage, players)
    if (wrong !== undefined) return `[${row.version}] ${row.rule} ${row.name}: ${wrong}`
  }
  for (const [name, player] of players) {
    if (player.over) continue
    const rest = await player.line.rest(player.served && player.partial.length === 0)
    if (rest === "nothing") continue
    const what = rest === "end" ? "the end" : writeBytes([...rest])
    return `[${row.version}] ${row.rule} ${row.name}: ${name} was to get no more; got ${what}`
  }
  return undefined
}

async function playStep(row: Row, step: Step, stage: Stage, players: Map<string, Player>): Promise<string | undefined> {
  if (step.does === "waits") {
    await stage.wait(step.seconds)
    return undefined
  }
  let player = players.get(step.line)
  if (player === undefined) {
    player = {
      line: await stage.open(),
      wanted: { version: row.version, words: true, size: Number.POSITIVE_INFINITY },
      served: false,
      partial: [],
      over: false,
    }
    players.set(step.line, player)
  }
  switch (step.does) {
    case "joins": {
      const sent = joining(step.version ?? row.version, step.line)
      player.wanted = wantedBy(sent) ?? player.wanted
      await player.line.send(Uint8Array.from(sent))
      const got = await player.line.next()
      player.served = true
      const accepted = typeof got !== "string" && got[0] === 0x20 && got[2] === 0 && got[3] === 0
      return accepted ? undefined : `${step.line} was to be accepted; got ${told(got)}`
    }
    case "sends":
      // A second CONNECT changes nothing of it.
      if (!player.served) player.wanted = wantedBy(step.bytes) ?? player.wanted
      player.partial = partOf([...player.partial, ...step.bytes])
      await player.line.send(Uint8Array.from(step.bytes))
      return undefined
    case "gets":
      return gets(step.line, player, step.bytes)
    case "ends": {
      player.over = true
      const got = await player.line.next()
      return got === "end" ? undefined : `${step.line} was to end; got ${told(got)}`
    }
    case "opens":
      return undefined
    case "cuts":
      player.over = true
      await player.line.cut()
      return undefined
  }
}

async function gets(name: string, player: Player, wanted: Bytes): Promise<string | undefined> {
  const got: string[] = []
  for (const one of packetsOf(wanted)) {
    const next = await player.line.next()
    if (typeof next !== "string" && next.length > player.wanted.size) {
      // [MQTT-3.1.2-24]
      return `${name} takes ${player.wanted.size} bytes; got ${writeBytes([...next])}`
    }
    const bytes = typeof next === "string" ? next : writeBytes(withoutWords([...next], player.wanted))
    got.push(bytes)
    if (bytes !== writeBytes(one)) return `${name} was to get ${writeBytes(wanted)}; got ${got.join(" ")}`
    if (one[0] === 0x20 && one[3] === 0) player.served = true
  }
  return undefined
}

function told(got: Uint8Array | string): string {
  return typeof got === "string" ? got : writeBytes([...got])
}

/** Where the packet that begins at `start` ends; undefined when it is not whole. */
export function packetEnd(bytes: ArrayLike<number>, start: number): number | undefined {
  let length = 0
  for (let i = 1; i <= 4; i++) {
    const byte = bytes[start + i]
    if (byte === undefined) return undefined
    length |= (byte & 0x7f) << (7 * (i - 1))
    if ((byte & 0x80) !== 0) continue
    const end = start + 1 + i + length
    return end <= bytes.length ? end : undefined
  }
  return undefined
}

/** What is left behind the last whole packet. */
function partOf(bytes: Bytes): Bytes {
  let at = 0
  for (let end = packetEnd(bytes, at); end !== undefined && at < bytes.length; end = packetEnd(bytes, at)) at = end
  return bytes.slice(at)
}

function packetsOf(bytes: Bytes): Bytes[] {
  const packets: Bytes[] = []
  for (let at = 0; at < bytes.length; ) {
    const end = packetEnd(bytes, at) ?? bytes.length
    packets.push(bytes.slice(at, end))
    at = end
  }
  return packets
}
