// The key schedule and the proofs as the code has them: real handshakes run in memory over a provider that remembers terms
// (`terms.ts`), and what each secret, signature and MAC was made of is read from that. Nothing here knows what RFC 9846 wants.

import { HandshakeType } from "../src/bytes/code-points.ts"
import { toHex } from "../src/bytes/hex.ts"
import type { TraceEvent } from "../src/trace/events.ts"
import type { Terms } from "./terms.ts"

/** Messages by their place in a handshake: what a transcript can have in it. */
export const slots = [
  "client_hello_1",
  "hello_retry_request",
  "client_hello",
  "server_hello",
  "encrypted_extensions",
  "certificate_request",
  "server_certificate",
  "server_certificate_verify",
  "server_finished",
  "end_of_early_data",
  "client_certificate",
  "client_certificate_verify",
  "client_finished",
  "late_certificate_request",
  "late_certificate",
  "late_certificate_verify",
] as const
export type Slot = (typeof slots)[number]

export const proofs = [
  "binder",
  "server_certificate_verify",
  "server_finished",
  "client_certificate_verify",
  "client_finished",
  "late_certificate_verify",
  "late_finished",
] as const
export type Proof = (typeof proofs)[number]

/** What both ends of one run told of themselves. */
export interface Run {
  readonly terms: Terms
  readonly client: readonly TraceEvent[]
  readonly server: readonly TraceEvent[]
  /** The client offers one PSK, and the server takes it. */
  readonly hasPsk: boolean
  /** Those that the two share by the end. */
  psks(): readonly Uint8Array[]
}

/** What goes into a secret from outside of the schedule. */
export type Input = "psk" | "dhe"

/** A secret, or a proof. */
export interface Made {
  readonly name: string
  /** Which secret it is made with; undefined for signatures. */
  readonly base: string | undefined
  /** HKDF label, or the context string of a signature. */
  readonly label: string
  readonly inputs: ReadonlySet<Input>
  /** Messages that it is over, whenever they were sent before it. */
  readonly covers: ReadonlySet<Slot>
}

export interface Observed {
  readonly secrets: readonly Made[]
  readonly proofs: readonly Made[]
  /** Under which secret each message leaves; undefined: in the clear. */
  readonly keys: ReadonlyMap<string, string | undefined>
}

interface Making {
  readonly base: string | undefined
  readonly label: string
  readonly inputs: Set<Input>
  readonly missingInputs: Set<Input>
  readonly covered: Set<Slot>
  readonly missing: Set<Slot>
}

/** @throws Error where two runs, or the two sides of one, do not make it in the same way */
export function observe(runs: Iterable<Run>): Observed {
  const [secrets, proven] = [new Map<string, Making>(), new Map<string, Making>()]
  const keys = new Map<string, string | undefined>()
  for (const run of runs) new Reading(run, secrets, proven, keys).read()
  const made = (makings: ReadonlyMap<string, Making>): Made[] =>
    [...makings].map(([name, { base, label, inputs, missingInputs, covered, missing }]) => ({
      name,
      base,
      label,
      inputs: new Set([...inputs].filter((input) => !missingInputs.has(input))),
      covers: new Set(slots.filter((slot) => covered.has(slot) && !missing.has(slot))),
    }))
  return { secrets: made(secrets), proofs: made(proven), keys }
}

/** One run. */
class Reading {
  readonly #run: Run
  readonly #terms: Terms
  readonly #secrets: Map<string, Making>
  readonly #proofs: Map<string, Making>
  readonly #keys: Map<string, string | undefined>
  /** Handshake messages by their bytes. */
  readonly #slots = new Map<string, Slot>()
  /** Secrets of the schedule by their bytes. */
  readonly #names = new Map<string, string>()

  constructor(
    run: Run,
    secrets: Map<string, Making>,
    proven: Map<string, Making>,
    keys: Map<string, string | undefined>,
  ) {
    this.#run = run
    this.#terms = run.terms
    this.#secrets = secrets
    this.#proofs = proven
    this.#keys = keys
  }

  read(): void {
    const { client, server } = this.#run
    const hellos = client.filter((event) => event.type === "message" && event.name === "client_hello")
    for (const events of [client, server])
      for (const event of events) if (event.type === "secret") this.#names.set(toHex(event.secret), nameOf(event))
    for (const [role, events] of [
      ["client", client],
      ["server", server],
    ] as const) {
      let late = false
      for (const event of events) {
        if (event.type === "state" && event.to === "CONNECTED") late = true
        if (event.type !== "message" || event.direction !== "sent") continue
        const slot = slotOf(role, event, late, hellos.indexOf(event) === 0 && hellos.length > 1)
        if (slot !== undefined) this.#slots.set(toHex(event.message), slot)
      }
    }
    this.#walk("client", client)
    this.#walk("server", server)
  }

  /** Goes through what one end did, in order. */
  #walk(role: "client" | "server", events: readonly TraceEvent[]): void {
    const seen = new Set<Slot>()
    let sealedWith: string | undefined
    let late = false
    for (const event of events) {
      if (event.type === "state" && event.to === "CONNECTED") late = true
      if (event.type === "keys" && event.direction === "sent") sealedWith = this.#secretOfKey(event.key)
      if (event.type === "secret") this.#secret(event, seen)
      if (event.type !== "message") continue
      const slot = this.#slots.get(toHex(event.message))
      if (event.direction === "sent") {
        // A trace does not say that 0-RTT keys are put away for a second ClientHello.
        if (event.name === "client_hello") sealedWith = undefined
        const key = `${role} ${late ? "late " : ""}${event.name}`
        const known = this.#keys.get(key)
        if (this.#keys.has(key) && known !== sealedWith)
          throw new Error(`${key} leaves under ${sealedWith} here, and under ${known} elsewhere`)
        this.#keys.set(key, sealedWith)
        this.#proof(role, event, late, seen)
      }
      if (slot !== undefined) seen.add(slot)
    }
  }

  #secret(event: Extract<TraceEvent, { type: "secret" }>, seen: ReadonlySet<Slot>): void {
    const name = nameOf(event)
    const inputs = this.#inputs(event.secret)
    const expanded = this.#terms.expanded(event.secret)
    const base = expanded && this.#names.get(toHex(expanded.key))?.replace(/_next$/, "")
    if (expanded === undefined || base === undefined) {
      // What the schedule extracts has no label, and is known by its inputs alone.
      this.#note(this.#secrets, { name, base: undefined, label: "", inputs, covers: new Set() }, new Set())
      return
    }
    const { label, context } = expanded
    const hasTranscript = !name.endsWith("_next") && name !== "binder_key"
    // By design binder keys differ with where the PSK is from.
    const whole = name === "binder_key" && label !== "res binder" ? `external_${name}` : name
    const made = { name: whole, base, label, inputs, covers: this.#covered(context) }
    this.#note(this.#secrets, made, hasTranscript ? seen : new Set())
  }

  #proof(
    role: "client" | "server",
    { name, message }: Extract<TraceEvent, { type: "message" }>,
    late: boolean,
    seen: ReadonlySet<Slot>,
  ): void {
    const who = late ? "late" : role
    if (name === "certificate_verify") {
      const content = this.#terms.signatures.get(toHex(message.subarray(8)))
      if (content === undefined) throw new Error(`nobody has made the signature of ${role}'s certificate_verify`)
      const end = content.indexOf(0, 64)
      const label = new TextDecoder().decode(content.subarray(64, end))
      const covers = this.#covered(content.subarray(end + 1))
      this.#note(this.#proofs, { name: `${who}_${name}`, base: undefined, label, inputs: new Set(), covers }, seen)
    }
    if (name === "finished") this.#mac(`${who}_finished`, message.subarray(4), seen)
    if (name === "client_hello" && this.#run.hasPsk) {
      const earlier = new Set<Slot>([...seen, this.#slots.get(toHex(message))!])
      // The last 32 bytes: one PSK, of a suite with SHA-256.
      this.#mac("binder", message.subarray(message.length - 32), earlier)
    }
  }

  #mac(name: string, value: Uint8Array, wanted: ReadonlySet<Slot>): void {
    const mac = this.#terms.macs.get(toHex(value))
    const finishedKey = mac && this.#terms.expanded(mac.key)
    const base = finishedKey && this.#names.get(toHex(finishedKey.key))
    if (mac === undefined || finishedKey === undefined || base === undefined)
      throw new Error(`${name} is a MAC under no key of the schedule`)
    const { label } = finishedKey
    const made = { name, base, label, inputs: this.#inputs(mac.key), covers: this.#covered(mac.message) }
    this.#note(this.#proofs, made, wanted)
  }

  /** Adds what this run shows. @param wanted what it would cover if it covered all that was there */
  #note(makings: Map<string, Making>, made: Made, wanted: ReadonlySet<Slot>): void {
    const { name, base, label, inputs, covers } = made
    const nothing = { inputs: new Set<Input>(), missingInputs: new Set<Input>() }
    const making = makings.get(name) ?? { base, label, ...nothing, covered: new Set(), missing: new Set() }
    if (making.base !== base || making.label !== label)
      throw new Error(`${name} is "${label}" of ${base} here, and "${making.label}" of ${making.base} elsewhere`)
    makings.set(name, making)
    // Each run has a key exchange, and those with a PSK take it: what one of them does without has it in no run.
    const expected: readonly Input[] = this.#run.hasPsk ? ["dhe", "psk"] : ["dhe"]
    for (const input of expected) (inputs.has(input) ? making.inputs : making.missingInputs).add(input)
    for (const slot of covers) making.covered.add(slot)
    for (const slot of wanted) if (!covers.has(slot)) making.missing.add(slot)
  }

  /** The name of the traffic secret that a record key is of. */
  #secretOfKey(key: Uint8Array): string | undefined {
    for (const [value, { key: secret, message }] of this.#terms.macs)
      if (value.startsWith(toHex(key)) && message.length > 0)
        return this.#names.get(toHex(secret))?.replace(/_next$/, "")
    return undefined
  }

  /** What a value depends on. */
  #inputs(value: Uint8Array, found: Set<Input> = new Set()): Set<Input> {
    if (this.#terms.exchanged.has(toHex(value))) found.add("dhe")
    if (this.#run.psks().some((psk) => toHex(psk) === toHex(value))) return found.add("psk")
    const mac = this.#terms.macs.get(toHex(value))
    if (mac === undefined) return found
    this.#inputs(mac.key, found)
    // The message is input keying material where it is a secret, and a label otherwise.
    return this.#inputs(mac.message, found)
  }

  /** Which messages a transcript hash is over. */
  #covered(hash: Uint8Array): Set<Slot> {
    const covered = new Set<Slot>()
    const bytes = this.#terms.digests.get(toHex(hash))
    for (let at = 0; bytes !== undefined && at < bytes.length; ) {
      const end = at + 4 + ((bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!)
      const message = bytes.subarray(at, end)
      const first = message[0] === HandshakeType.message_hash && this.#terms.digests.get(toHex(message.subarray(4)))
      const slot = first ? this.#slots.get(toHex(first)) : this.#slotOfPart(message, end > bytes.length)
      if (slot !== undefined) covered.add(slot)
      at = end
    }
    return covered
  }

  #slotOfPart(message: Uint8Array, isPart: boolean): Slot | undefined {
    const hex = toHex(message)
    if (!isPart) return this.#slots.get(hex)
    for (const [whole, slot] of this.#slots) if (whole.startsWith(hex)) return slot
    return undefined
  }
}

/** application_traffic_secret_N+1 has the name of its first, with `_next`. */
function nameOf({ name, generation }: Extract<TraceEvent, { type: "secret" }>): string {
  return generation === 0 ? name : `${name}_next`
}

function slotOf(
  role: "client" | "server",
  { name }: Extract<TraceEvent, { type: "message" }>,
  late: boolean,
  isFirst: boolean,
): Slot | undefined {
  const own = slots.find((slot) => slot === name)
  if (name === "client_hello" && isFirst) return "client_hello_1"
  if (late && name === "certificate_request") return "late_certificate_request"
  return own ?? slots.find((slot) => slot === `${late ? "late" : role}_${name}`)
}
