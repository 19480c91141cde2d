// What the nodes derive their ticket keys from: a secret that lies at the servers, in one record that has the place of all before it.
// Whoever finds none makes it, and whoever finds it too old puts a newer one beside it; the append expects what was read, so of those
// who do it at the same time one is first, and the others read again.

import { bytesToHex, hexToBytes } from "@noble/hashes/utils.js"
import { decodeUtf8, encodeText } from "../packet/bytes.ts"
import type { Streams } from "./streams.ts"

export interface TicketSecret {
  readonly secret: Uint8Array
  /** Milliseconds since 1970: seals from then on. */
  readonly from: number
}

/** Where the record is: in partition 0. */
export const ticketsSubject = "k.tickets"
/** Told when it has changed, so that nobody has to wait for the time to look. */
const toldSubject = "tickets"
const version = 1

/** Bytes of a secret. */
const secretLength = 32
/** Milliseconds after which there is to be a newer one. */
const age = 24 * 3600 * 1000
/** Milliseconds until a newer one seals: all nodes know it by then. */
const lead = 2 * 60 * 1000
/** Milliseconds that clocks of nodes may differ. */
const skew = 60 * 1000
/** Milliseconds between two looks at the servers. */
const interval = 30 * 1000
/** Others may change it as well: each round somebody has done so. */
const mostRounds = 8
/** Seconds that a ticket is good for at most (RFC 9846 section 4.7.1). */
const longestLifetime = 604_800
const mostSecrets = 32

/** What that means, when the record cannot be had. */
const unknown = "tickets of other nodes are not known here"

export interface TicketSecretsNeeds {
  readonly streams: Streams
  /** What the machine's clock says, in milliseconds since 1970. */
  readonly now: () => number
  readonly random: (length: number) => Uint8Array
  /** Seconds that tickets of this node are good for at most. */
  readonly lifetime: number
  /** These are in use from now on, the newest first; one or more. */
  readonly changed: (secrets: readonly TicketSecret[]) => void
  /** One line. */
  readonly trouble: (line: string) => void
}

interface Kept {
  /** Seconds that tickets are good for at most, of all nodes: so long an old secret is kept. */
  readonly lifetime: number
  /** Newest first. */
  readonly secrets: readonly TicketSecret[]
}

/** What the operator wants. */
interface Wish {
  readonly forget: boolean
  readonly secret: TicketSecret
}

export class TicketSecrets {
  readonly #needs: TicketSecretsNeeds
  /** What this node has: at first one of its own, which becomes that of the cluster where there is none. */
  #kept: Kept
  /** Of the record that was read last. */
  #sequence = 0
  #wish: Wish | undefined
  #reading = false
  /** Somebody has said that there is something else, while it was read. */
  #again = false
  #looked = Number.NEGATIVE_INFINITY
  #ready: (() => void) | undefined

  constructor(needs: TicketSecretsNeeds) {
    this.#needs = needs
    const { lifetime, now } = needs
    this.#kept = { lifetime, secrets: [this.#fresh(now())] }
    needs.changed(this.#kept.secrets)
    needs.streams.listen(toldSubject, () => this.#look())
  }

  /** @param ready called once it is known what the cluster has, or that it cannot be known now */
  open(ready: () => void): void {
    this.#ready = ready
    this.#look()
  }

  /** About once a second. While the servers are away the node goes on with what it has. */
  tick(): void {
    const { now, streams } = this.#needs
    // A clock may go back.
    if (streams.reachable && Math.abs(now() - this.#looked) >= interval) this.#look()
  }

  /**
   * There is to be a newer secret. With `forget` no ticket is worth anything that was given before: at once on this node, on others
   * when they hear of it.
   */
  rotate(forget: boolean): void {
    const { changed, now, streams, trouble } = this.#needs
    const secret = this.#fresh(forget ? now() : now() + lead)
    this.#wish = { forget: forget || this.#wish?.forget === true, secret }
    if (forget) {
      this.#kept = { ...this.#kept, secrets: [secret] }
      changed(this.#kept.secrets)
    }
    if (!streams.reachable)
      trouble("no server of the cluster can be reached: the other nodes get the new secret of tickets when one can be")
    this.#look()
  }

  #look(): void {
    if (this.#reading) {
      this.#again = true
      return
    }
    this.#reading = true
    this.#again = false
    this.#looked = this.#needs.now()
    this.#round(1)
  }

  #done(): void {
    this.#reading = false
    this.#ready?.()
    this.#ready = undefined
    if (this.#again) this.#look()
  }

  #round(number: number): void {
    const { streams, trouble } = this.#needs
    if (number > mostRounds || !streams.reachable) {
      this.#done()
      return
    }
    streams.last(0, ticketsSubject).onAnswer((message) => {
      if (message === undefined) {
        // What this node has, whatever became of the record.
        this.#put(this.#next(this.#kept) ?? this.#kept, 0, number)
        return
      }
      if ("failed" in message) {
        // A node that has the cluster's goes on with that, and looks again.
        if (this.#ready !== undefined) trouble(`${message.failed}: ${unknown} until it can be read`)
        this.#done()
        return
      }
      const { data, sequence } = message
      const kept = readRecord(data)
      if (typeof kept === "string") {
        if (sequence !== this.#sequence) trouble(`${kept}: ${unknown}`)
        this.#sequence = sequence
        this.#done()
        return
      }
      if (sequence !== this.#sequence) this.#take(kept, sequence)
      const next = this.#next(kept)
      if (next === undefined) this.#done()
      else this.#put(next, sequence, number)
    })
  }

  #put(kept: Kept, expected: number, round: number): void {
    const { streams } = this.#needs
    const record = { subject: ticketsSubject, headers: {}, data: writeRecord(kept), rollup: true, expected }
    streams.append(0, [record]).onAnswer((answer) => {
      if ("last" in answer) {
        this.#take(kept, answer.last)
        streams.tell(toldSubject, {}, new Uint8Array(0))
        this.#done()
      } else if ("refused" in answer) this.#round(round + 1)
      // Whether it is there will be seen.
      else this.#done()
    })
  }

  #take(kept: Kept, sequence: number): void {
    // An append of before that nobody has answered may have been made.
    if (this.#wish !== undefined && has(kept, this.#wish.secret)) this.#wish = undefined
    this.#sequence = sequence
    if (this.#wish?.forget === true) return
    this.#kept = kept
    this.#needs.changed(kept.secrets)
  }

  /** What the record should be; undefined: it is. */
  #next(kept: Kept): Kept | undefined {
    const now = this.#needs.now()
    const lifetime = Math.max(kept.lifetime, this.#needs.lifetime)
    const wish = this.#wish
    const isOld = now - (kept.secrets[0]?.from ?? 0) >= age
    const newer = wish?.secret ?? (isOld ? this.#fresh(now + lead) : undefined)
    const all = [...(newer === undefined ? [] : [newer]), ...(wish?.forget === true ? [] : kept.secrets)]
    all.sort((a, b) => b.from - a.from)
    const over = now - lifetime * 1000 - 2 * skew
    // One seals until the next does.
    const secrets = all.filter((_, at) => at === 0 || (all[at - 1]?.from ?? 0) > over).slice(0, mostSecrets)
    const same = newer === undefined && lifetime === kept.lifetime && secrets.length === kept.secrets.length
    return same ? undefined : { lifetime, secrets }
  }

  #fresh(from: number): TicketSecret {
    return { secret: new Uint8Array(this.#needs.random(secretLength)), from: Math.floor(from) }
  }
}

function has({ secrets }: Kept, { secret }: TicketSecret): boolean {
  const name = bytesToHex(secret)
  return secrets.some((one) => bytesToHex(one.secret) === name)
}

function writeRecord({ lifetime, secrets }: Kept): Uint8Array {
  const written = secrets.map(({ secret, from }) => ({ secret: bytesToHex(secret), from }))
  return encodeText(JSON.stringify({ version, lifetime, secrets: written }))
}

/** In one line why it cannot be read. */
function readRecord(data: Uint8Array): Kept | string {
  const damaged = "the record of the cluster's ticket secrets is damaged"
  let value: Record<string, unknown>
  try {
    value = JSON.parse(decodeUtf8(data, 0, data.length))
  } catch {
    return damaged
  }
  if (typeof value !== "object" || value === null) return damaged
  if (value["version"] !== version)
    return `the record of the cluster's ticket secrets is of version ${String(value["version"])}, and this broker reads ${version}`
  const { lifetime, secrets: list } = value
  if (!isWhole(lifetime, longestLifetime) || !Array.isArray(list)) return damaged
  const secrets = list.flatMap((one) => secretOf(one) ?? [])
  if (secrets.length !== list.length || list.length === 0 || list.length > mostSecrets) return damaged
  return { lifetime, secrets: secrets.sort((a, b) => b.from - a.from) }
}

function secretOf(value: unknown): TicketSecret | undefined {
  if (typeof value !== "object" || value === null || !("secret" in value) || !("from" in value)) return undefined
  const { secret, from } = value
  if (typeof secret !== "string" || !/^(?:[0-9a-f]{2}){32,256}$/.test(secret)) return undefined
  return isWhole(from, Number.MAX_SAFE_INTEGER) ? { secret: hexToBytes(secret), from } : undefined
}

function isWhole(value: unknown, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most
}
