// The key schedule of one end (RFC 9846 section 7.1), every value computed again from its inputs: the key exchange's secret, the PSK and
// the messages. What the stack told of its own secrets stands beside it.

import { equalBytes, hkdfExpandLabel, hkdfExtract, hkdfLabel } from "@puremq/tls13/explore"
import type { SecretName } from "../run/names.ts"
import type { End, Timeline } from "../run/step.ts"
import { type Flow, flowOf, groupOf } from "./flow.ts"
import { onceForEnd } from "./memo.ts"
import { anyEnd, type OfferedPsk, offeredPsk, ticketsOf } from "./psk.ts"
import { type CommonOfNode, type ExpandNode, nodeOf, type Schedule, type ScheduleNode } from "./schedule-node.ts"
import type { Hash } from "./suites.ts"
import { type Place, placeOf, transcriptOf } from "./transcript.ts"

export const scheduleOf: (timeline: Timeline, connection: number, end: End) => Schedule = onceForEnd(
  (timeline, connection, end) => new Builder(timeline, flowOf(timeline, connection, end)).build(),
)

const nothing = new Uint8Array(0)

class Builder {
  readonly #timeline: Timeline
  readonly #flow: Flow
  readonly #hash: Hash
  readonly #nodes: ScheduleNode[] = []
  readonly #begin: number

  constructor(timeline: Timeline, flow: Flow) {
    this.#timeline = timeline
    this.#flow = flow
    this.#hash = flow.suite.hash
    this.#begin = flow.messages[0]?.step ?? 0
  }

  build(): Schedule {
    const { connection, end, suite } = this.#flow
    const psk = offeredPsk(this.#timeline, this.#flow)
    if (psk?.chosen === false) this.#early(psk, "declined ")
    this.#early(psk?.chosen === false ? undefined : psk, "")
    this.#handshake(psk)
    this.#main()
    const lacksExchange = this.#lacksExchange(psk)
    return { connection, end, hash: this.#hash, suite: suite.name, lacksExchange, nodes: this.#nodes }
  }

  /* ------------------------------------------------------------ the three stages */

  /** @param prefix of ids and names when the server did not choose this PSK */
  #early(psk: OfferedPsk | undefined, prefix: string): void {
    this.#zeros(`${prefix}salt`, "The first salt is a string of zeros, as long as the hash.")
    this.#psk(psk, `${prefix}psk`)
    this.#extract("early_secret", `${prefix}salt`, `${prefix}psk`, prefix)
    const early = `${prefix}early_secret`
    this.#derive("binder_key", early, this.#binderLabel(psk, early), undefined, prefix)
    if (psk) this.#finishedKey(`${prefix}binder_key`)
    const hello = this.#place("client_hello", "client")
    this.#derive("client_early_traffic_secret", early, "c e traffic", hello ?? "ClientHello", prefix)
    this.#trafficKeys(`${prefix}client_early_traffic_secret`, "client_early_traffic_secret", 0)
    this.#derive("early_exporter_secret", early, "e exp master", hello ?? "ClientHello", prefix)
  }

  /** Where nobody knows what kind of PSK it is, the one whose key was told; a ticket is what is usual. */
  #binderLabel(psk: OfferedPsk | undefined, early: string): string {
    const kind = psk?.origin?.kind
    if (kind !== undefined) return { external: "ext binder", imported: "imp binder", resumption: "res binder" }[kind]
    const secret = this.#value(early)
    const told = this.#flow.secrets.find(({ name }) => name === "binder_key")?.secret
    const context = this.#hash.digest(nothing)
    const gives = (label: string) =>
      told && secret && equalBytes(hkdfExpandLabel(this.#hash, secret, label, context, this.#hash.length), told)
    return ["ext binder", "imp binder"].find(gives) ?? "res binder"
  }

  #handshake(psk: OfferedPsk | undefined): void {
    this.#derived("derived_handshake", "early_secret")
    const { exchange } = this.#flow
    const none = psk?.chosen === true && groupOf(this.#flow) === false
    this.#push({
      ...this.#base("dhe", none ? "0" : "(EC)DHE", 0),
      kind: "input",
      value: exchange?.secret ?? (none ? new Uint8Array(this.#hash.length) : undefined),
      knownAt: exchange?.step ?? (none ? this.#begin : undefined),
      section: "7.4",
      about: exchange?.secret.every((byte) => byte === 0)
        ? "The shared secret of the key exchange: with a share of small order it is all zeros, and everybody knows it."
        : exchange
          ? `The shared secret of the key exchange (${exchange.group}): both have it, nobody who only listened does.`
          : "The shared secret of the key exchange; a string of zeros where there is none (psk_ke).",
    })
    this.#extract("handshake_secret", "derived_handshake", "dhe")
    const place = this.#place("server_hello", "server") ?? "ClientHello…ServerHello"
    for (const sender of ["client", "server"] as const) {
      const name = `${sender}_handshake_traffic_secret` as const
      this.#derive(name, "handshake_secret", `${sender[0]} hs traffic`, place)
      this.#trafficKeys(name, name, 0)
      this.#finishedKey(name)
    }
  }

  #main(): void {
    this.#derived("derived_main", "handshake_secret")
    this.#zeros("zero", "Nothing new comes in at the third stage: a string of zeros stands in its place.")
    this.#extract("main_secret", "derived_main", "zero")
    const finished = this.#place("finished", "server") ?? "ClientHello…server Finished"
    for (const sender of ["client", "server"] as const) {
      const name = `${sender}_application_traffic_secret` as const
      this.#derive(name, "main_secret", `${sender[0]} ap traffic`, finished)
      this.#trafficKeys(`${name}_0`, name, 0)
      this.#updates(name)
      if (sender === "client" && this.#isAskedLater()) this.#finishedKey(`${name}_${this.#lastGeneration(name)}`)
    }
    this.#derive("exporter_secret", "main_secret", "exp master", finished)
    const all = this.#place("finished", "client") ?? "ClientHello…client Finished"
    this.#derive("resumption_secret", "main_secret", "res master", all)
    ticketsOf(this.#flow).forEach(({ nonce, step }, at) => {
      this.#expand({
        ...this.#base(`ticket_psk_${at}`, `PSK of ticket ${at + 1}`, 2),
        parent: "resumption_secret",
        label: "resumption",
        context: nonce,
        contextText: "ticket_nonce",
        knownAt: step,
        section: "4.7.1",
        about: "The pre-shared key of a later connection that shows this ticket.",
      })
    })
  }

  /** A key log and a trace have what is made of it alone (RFC 9850 section 2.1). */
  #lacksExchange(psk: OfferedPsk | undefined): boolean {
    const { exchange, secrets } = this.#flow
    const isUsed = psk?.chosen !== true || groupOf(this.#flow) !== false
    return isUsed && exchange === undefined && secrets.some(({ name }) => name === "client_handshake_traffic_secret")
  }

  /* ------------------------------------------------------------ nodes */

  #psk(psk: OfferedPsk | undefined, id: string): void {
    const told = this.#flow.secrets.filter(({ name }) => name === "early_secret")
    const knownAt = told[0]?.step ?? (psk === undefined ? this.#certainSince() : undefined)
    if (psk === undefined) {
      const about = "There is no pre-shared key: a string of zeros stands in its place."
      this.#push({
        ...this.#base(id, "0", 0),
        kind: "input",
        value: new Uint8Array(this.#hash.length),
        knownAt,
        section: "7.1",
        about,
      })
      return
    }
    const { origin } = psk
    if (origin?.kind === "resumption") {
      const secret = this.#resumptionSecret(origin.connection)
      this.#expand({
        ...this.#base(id, "PSK", 0),
        parent: "resumption_secret",
        parentConnection: origin.connection,
        secretValue: secret,
        label: "resumption",
        context: origin.nonce,
        contextText: "ticket_nonce",
        knownAt,
        section: "4.7.1",
        about: `The pre-shared key of a ticket that connection ${origin.connection + 1} gave.`,
      })
      return
    }
    const zeros = new Uint8Array(this.#hash.length)
    const fits = (key: Uint8Array) => told.some(({ secret }) => equalBytes(hkdfExtract(this.#hash, zeros, key), secret))
    this.#push({
      ...this.#base(id, "PSK", 0),
      kind: "input",
      value: origin?.keys.find(fits),
      knownAt,
      section: "4.3.11",
      about:
        origin === undefined
          ? "A key that both ends have from before: of a ticket, or given outside of TLS. What was brought does not tell."
          : "A key that both ends were given outside of TLS.",
    })
  }

  #resumptionSecret(connection: number): Uint8Array | undefined {
    for (const end of anyEnd) {
      const node = nodeOf(scheduleOf(this.#timeline, connection, end), "resumption_secret")
      if (node?.value) return node.value
    }
    return undefined
  }

  #zeros(id: string, about: string): void {
    const value = new Uint8Array(this.#hash.length)
    this.#push({ ...this.#base(id, "0", 0), kind: "input", value, knownAt: this.#begin, section: "7.1", about })
  }

  #extract(name: SecretName, salt: string, ikm: string, prefix = ""): void {
    const saltValue = this.#value(salt)
    const ikmValue = this.#value(ikm)
    const value = saltValue && ikmValue && hkdfExtract(this.#hash, saltValue, ikmValue)
    const base = this.#base(prefix + name, prefix + name, 0)
    const about = abouts[name]
    const told = this.#told(name, 0, value)
    // Zeros are known to everybody.
    const isCertain =
      name === "early_secret" && prefix === "" && this.#nodes.some((node) => node.id === ikm && node.name === "0")
    this.#push({
      ...base,
      ...told,
      knownAt: told.knownAt ?? (isCertain ? this.#certainSince() : undefined),
      kind: "extract",
      salt,
      ikm,
      saltValue,
      ikmValue,
      value,
      about,
    })
  }

  /** Derive-Secret(parent, label, messages). @param place undefined: of no messages; a text: messages that have not come */
  #derive(name: SecretName, parent: string, label: string, place: Place | string | undefined, prefix = ""): void {
    const isApplication = name.includes("application")
    const id = prefix + name + (isApplication ? "_0" : "")
    const at = typeof place === "object" ? place : undefined
    const context = place === undefined ? this.#hash.digest(nothing) : at?.hash
    const contextText = place === undefined ? '""' : typeof place === "string" ? place : place.messages
    const secretValue = this.#value(parent)
    const value = secretValue && context && hkdfExpandLabel(this.#hash, secretValue, label, context, this.#hash.length)
    this.#expand({
      ...this.#base(id, id, 1),
      ...this.#told(name, 0, value),
      parent,
      label,
      context,
      contextText,
      place: at,
      about: abouts[name],
    })
  }

  #derived(id: string, parent: string): void {
    this.#expand({
      ...this.#base(id, "derived", 0),
      knownAt: this.#nodes.find((node) => node.id === parent)?.knownAt,
      parent,
      label: "derived",
      context: this.#hash.digest(nothing),
      contextText: '""',
      about: "The salt of the next HKDF-Extract: what comes in there adds to what is known, and replaces nothing.",
    })
  }

  /** Section 7.3. */
  #trafficKeys(parent: string, secretName: SecretName, generation: number): void {
    const told = this.#flow.keys.find((keys) => keys.secretName === secretName && keys.generation === generation)
    const { aead } = this.#flow.suite
    // Who only looks on is told of secrets, and not of keys.
    const derivedAt = this.#flow.keys.length === 0 ? this.#nodes.find(({ id }) => id === parent)?.knownAt : undefined
    for (const [label, length] of [
      ["key", aead.keyLength],
      ["iv", aead.nonceLength],
    ] as const) {
      this.#expand({
        ...this.#base(`${parent}.${label}`, label, 2),
        parent,
        label,
        context: nothing,
        contextText: '""',
        length,
        knownAt: told?.step ?? derivedAt,
        told: told?.[label],
        section: "7.3",
        about: label === "key" ? `The key of ${aead.name}.` : "Each record's nonce is this, exclusive-or its number.",
      })
    }
  }

  /** Section 4.5.3. */
  #finishedKey(parent: string): void {
    this.#expand({
      ...this.#base(`${parent}.finished_key`, "finished_key", 2),
      parent,
      label: "finished",
      context: nothing,
      contextText: '""',
      knownAt: this.#nodes.find(({ id }) => id === parent)?.knownAt,
      section: "4.5.3",
      about: parent.endsWith("binder_key") ? "The key of the binder's MAC." : "The key of the MAC in Finished.",
    })
  }

  /** Section 7.2. */
  #updates(name: SecretName): void {
    const last = this.#lastGeneration(name)
    for (let generation = 1; generation <= last; generation++) {
      const told = this.#flow.secrets.find((secret) => secret.name === name && secret.generation === generation)
      const id = `${name}_${generation}`
      this.#expand({
        ...this.#base(id, id, 1),
        parent: `${name}_${generation - 1}`,
        label: "traffic upd",
        context: nothing,
        contextText: '""',
        knownAt: told?.step,
        told: told?.secret,
        section: "7.2",
        about: "What a KeyUpdate puts in the place of the one before, which nobody can compute from it.",
      })
      this.#trafficKeys(id, name, generation)
    }
  }

  #lastGeneration(name: SecretName): number {
    return Math.max(0, ...this.#flow.secrets.filter((told) => told.name === name).map(({ generation }) => generation))
  }

  #isAskedLater(): boolean {
    return this.#flow.messages.some(({ name, afterHandshake }) => afterHandshake && name === "certificate_request")
  }

  /* ------------------------------------------------------------ helpers */

  #expand(
    node: Omit<ExpandNode, "kind" | "length" | "parentConnection" | "place" | "secretValue" | "value" | "hkdfLabel"> &
      Partial<ExpandNode>,
  ): void {
    const { label, context, length = this.#hash.length, parentConnection = this.#flow.connection } = node
    const secretValue = parentConnection === this.#flow.connection ? this.#value(node.parent) : node.secretValue
    const value = secretValue && context && hkdfExpandLabel(this.#hash, secretValue, label, context, length)
    const info = context && hkdfLabel(label, context, length)
    this.#push({
      ...node,
      kind: "expand",
      length,
      parentConnection,
      place: node.place,
      secretValue,
      value,
      hkdfLabel: info,
    })
  }

  #base(id: string, name: string, depth: CommonOfNode["depth"]): CommonOfNode {
    return {
      ...{ id, name, depth, section: "7.1", about: "" },
      ...{ knownAt: undefined, untold: false, value: undefined, told: undefined },
    }
  }

  /** When the stack had it: one that was told with this value, else the first of its name. */
  #told(
    name: SecretName,
    generation: number,
    value: Uint8Array | undefined,
  ): { readonly knownAt: number | undefined; readonly told: Uint8Array | undefined } {
    const all = this.#flow.secrets.filter((told) => told.name === name && told.generation === generation)
    const told = all.find(({ secret }) => value && equalBytes(secret, value)) ?? all[0]
    return { knownAt: told?.step, told: told?.secret }
  }

  #place(name: string, from: End): Place | undefined {
    return placeOf(transcriptOf(this.#timeline, this.#flow.connection, this.#flow.end), name, from)
  }

  #value(id: string): Uint8Array | undefined {
    return this.#nodes.find((node) => node.id === id)?.value
  }

  #push(node: ScheduleNode): void {
    const untold = node.knownAt === undefined && this.#mayHave(node)
    this.#nodes.push({ ...node, untold, value: node.value ?? node.told })
  }

  /** Who looks on from outside is told of few secrets, and a trace of its own end does not tell what comes into the schedule. */
  #mayHave({ id, kind }: ScheduleNode): boolean {
    const { witness, seenFromOutside } = this.#timeline
    if (!seenFromOutside && (witness === undefined || (witness === this.#flow.end && kind !== "input"))) return false
    // Without a PSK there is no binder, and no 0-RTT data (sections 4.3.10 and 4.3.11).
    const isOfPsk = /^(binder_key|client_early_traffic_secret|early_exporter_secret)/.test(id)
    return !isOfPsk || this.#nodes.some((node) => node.id === "psk" && node.name === "PSK")
  }

  /** Since when it is certain that no PSK is used, though nobody told of it: of a connection that is looked at from outside. */
  #certainSince(): number | undefined {
    if (!this.#timeline.seenFromOutside) return undefined
    return this.#flow.messages.find(({ name }) => name === "server_hello")?.step
  }
}

const abouts: Readonly<Record<SecretName, string>> = {
  early_secret: "The first stage: all that comes of the pre-shared key.",
  binder_key: "Shows that the client has the PSK that it names: the base of the binder's MAC.",
  client_early_traffic_secret: "Protects 0-RTT data: the server has said nothing yet that could go into it.",
  early_exporter_secret: "Keys for the application that go with 0-RTT data.",
  handshake_secret: "The second stage: the secret of the key exchange comes in, or zeros where there is none (psk_ke).",
  client_handshake_traffic_secret: "Protects what the client sends up to its Finished.",
  server_handshake_traffic_secret: "Protects what the server sends from EncryptedExtensions to its Finished.",
  main_secret: "The third stage: nothing comes in any more, and all that the application uses comes of it.",
  client_application_traffic_secret: "Protects the client's application data.",
  server_application_traffic_secret: "Protects the server's application data.",
  exporter_secret: "Keys for the application: what both ends, and nobody else, can compute from a label.",
  resumption_secret: "What the PSK of every ticket is made of.",
}
