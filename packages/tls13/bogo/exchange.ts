// One connection with the runner: DoConnection and DoExchange of bssl_shim.cc over our sans-I/O connection.
// What is read is written back with every bit turned over.

import { decodeClientHello } from "../src/codec/client-hello.ts"
import { handshakeMessage } from "../src/codec/message.ts"
import type { ClientConnection } from "../src/connection/client-connection.ts"
import type { ServerConnection } from "../src/connection/server-connection.ts"
import type { Offer } from "../src/handshake/info.ts"
import type { TraceEvent } from "../src/trace/events.ts"
import { checkComplete } from "./checks.ts"
import type { Memory, Setup } from "./configuration.ts"
import { Driver, type Read } from "./driver.ts"
import { checkEchRejection } from "./ech.ts"
import type { ConnectionFlags } from "./flags.ts"
import { Failure, Unimplemented } from "./outcomes.ts"
import { Wire } from "./wire.ts"

export interface Exchange {
  readonly flags: ConnectionFlags
  /** From the moment that early data is known to be rejected. */
  readonly retryFlags: ConnectionFlags
  readonly isResume: boolean
  readonly setup: Setup
  readonly memory: Memory
  readonly gone: AbortSignal
}

/** @throws Failure, Unimplemented */
export async function exchange(run: Exchange): Promise<void> {
  const { flags, gone } = run
  const wire = await Wire.open(flags.number("-port")!, flags.has("-ipv6"), flags.text("-shim-id")!, gone)
  try {
    await new Conversation(run, wire).run()
  } finally {
    await wire.close()
  }
}

class Conversation {
  readonly #run: Exchange
  readonly #driver: Driver
  readonly #connection: ClientConnection | ServerConnection
  readonly #secrets = new Map<string, Uint8Array>()
  #flags: ConnectionFlags
  #lastMessage = 0
  #offer: Offer | undefined
  #complete = false
  /** The version was settled before ServerHello. */
  #committed = false

  constructor(run: Exchange, wire: Wire) {
    this.#run = run
    this.#flags = run.flags
    this.#connection = run.setup.open((event) => this.#trace(event))
    this.#driver = new Driver(this.#connection, wire, () => run.memory.now(), run.flags.has("-async"))
  }

  async run(): Promise<void> {
    const { setup, memory, isResume } = this.#run
    if ("start" in this.#connection) {
      await this.#driver.take(this.#connection.start())
      await this.#noteEvents()
      const offersEarlyData = this.#connection.earlyDataWritable > 0
      this.#committed = offersEarlyData
      if (isResume && this.#flags.has("-expect-no-offer-early-data") && offersEarlyData) {
        throw new Failure("Client unexpectedly offered early data.")
      }
      await this.#readUntilMessage(this.#flags.number("-early-write-after-message"))
    }
    await this.#untilWritable()
    await this.#writeFirst()
    if (!this.#flags.has("-shim-shuts-down")) await this.#answer()
    this.#checkSession()
    memory.session = setup.newSession()
    await this.#shutDown()
  }

  /* ------------------------------------------------------------ before application data */

  /** Early data may be written at once, by a client, and answered at once, by a server; all else waits for CONNECTED. */
  async #untilWritable(): Promise<void> {
    while (!this.#driver.canWrite) await this.#next()
  }

  async #readUntilMessage(type: number | undefined): Promise<void> {
    while (type !== undefined && this.#lastMessage !== type && this.#connection.failure === undefined) {
      if (!(await this.#driver.readMore())) return
    }
  }

  async #writeFirst(): Promise<void> {
    const flags = this.#flags
    const exported = flags.number("-export-keying-material")
    if (exported !== undefined) await this.#write(this.#export(exported))
    if (flags.has("-export-traffic-secrets")) await this.#writeTrafficSecrets()
    const text = flags.text("-shim-initial-write") ?? "hello"
    const initial = Uint8Array.from(text, (octet) => octet.charCodeAt(0))
    if (flags.has("-write-different-record-sizes")) {
      for (const size of [0, 1, 255, 256, 257, 16383, 16384, 16385, 32767, 32768, 32769]) {
        await this.#write(new Uint8Array(size).fill(0x42))
      }
    } else if (flags.has("-read-with-unfinished-write")) {
      this.#driver.holdBack(initial)
    } else if (flags.has("-shim-writes-first")) {
      const times = flags.number("-repeat-shim-initial-write") ?? 1
      for (let i = 0; i < times; i++) await this.#write(initial)
    }
  }

  #export(length: number): Uint8Array {
    const mayExport = this.#complete || this.#connection.halfRttWritable
    if (!mayExport) throw new Failure("keying material can be exported once the handshake is complete")
    const octets = (text: string) => Uint8Array.from(text, (octet) => octet.charCodeAt(0))
    const label = this.#flags.text("-export-label") ?? ""
    const context = octets(this.#flags.text("-export-context") ?? "")
    return this.#connection.exportKeyingMaterial(label, context, length)
  }

  async #writeTrafficSecrets(): Promise<void> {
    while (!this.#complete) await this.#next()
    const [client, server] = ["client", "server"].map(
      (who) => this.#secrets.get(`${who}_application_traffic_secret`) ?? new Uint8Array(0),
    ) as [Uint8Array, Uint8Array]
    const [read, write] = this.#flags.has("-server") ? [client, server] : [server, client]
    await this.#write(Uint8Array.of(read.length & 0xff, read.length >> 8))
    await this.#write(read)
    await this.#write(write)
  }

  /* ------------------------------------------------------------ application data */

  async #answer(): Promise<void> {
    const size = this.#flags.number("-read-size") ?? 512
    for (;;) {
      if (this.#flags.has("-key-update-before-read") && this.#connection.writable) {
        await this.#driver.take(this.#connection.updateKeys())
      }
      const event = await this.#next()
      if (event.type === "end" || event.type === "eof") return
      if (event.type !== "data" && event.type !== "early-data") continue
      this.#driver.release()
      for (let at = 0; at < event.data.length; at += size) {
        if (this.#flags.has("-use-exporter-between-reads")) this.#export(1)
        if (this.#flags.has("-key-update") && this.#connection.writable) {
          await this.#driver.take(this.#connection.updateKeys())
        }
        await this.#write(event.data.slice(at, at + size).map((octet) => octet ^ 0xff))
      }
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    await this.#driver.write(bytes)
    // A failure that the write found is told before anything is read.
    await this.#noteEvents()
  }

  /** The next event, after what it means for the test was done. @throws Failure when the connection failed */
  async #next(): Promise<Read> {
    const event = await this.#driver.next()
    switch (event.type) {
      case "offered":
        this.#offer = event.offer
        break
      case "connected":
        this.#complete = true
        checkComplete(this.#flags, {
          info: event.info,
          offer: this.#offer!,
          seen: this.#run.setup.seen,
          isResume: this.#run.isResume,
          memory: this.#run.memory,
        })
        break
      case "early-data-decided":
        if (event.accepted) break
        // BoringSSL's client begins the exchange anew, with the flags for that.
        if (!this.#flags.has("-expect-reject-early-data")) throw new Failure("early data was rejected")
        this.#flags = this.#run.retryFlags
        await this.#untilWritable()
        await this.#writeFirst()
        break
      case "eof":
        if (!this.#complete) throw new Failure("the runner closed the connection during the handshake")
        break
      case "failed":
        throw this.#failure(event)
    }
    return event
  }

  #failure({ error }: Extract<Read, { type: "failed" }>): Error {
    checkEchRejection(this.#flags, error)
    if (error.cause instanceof Error)
      return error.cause instanceof Failure ? error.cause : new Failure(`${error.cause.stack}`)
    if (this.#isOfOlderVersion(error.code)) return new Unimplemented("TLS 1.2 and below, by the runner's choice")
    const word = error.alert === undefined ? error.code : `ERR_TLS_${error.alert.toUpperCase()}`
    return new Failure(`${word}: ${error.kind}: ${error.message}`)
  }

  /** The test is of an older version, though no flag says so: BoringSSL would have negotiated it. */
  #isOfOlderVersion(code: string): boolean {
    const flags = this.#flags
    if ((flags.number("-min-version") ?? 0) >= 0x0304 || flags.has("-no-tls12")) return false
    if (!flags.has("-server")) {
      // Who has said TLS 1.3 already, by a HelloRetryRequest or with early data, is not of an older version.
      if (this.#committed) return false
      const refused = code === "ERR_TLS_PEER_PROTOCOL_VERSION" && this.#lastMessage === 0
      return refused || (code === "ERR_TLS_PROTOCOL_VERSION" && this.#connection.failure?.kind === "PeerIncompatible")
    }
    if (code !== "ERR_TLS_PROTOCOL_VERSION") return false
    const versions = this.#offer?.versions ?? []
    // A legacy_version, however high, is an offer of TLS 1.2 at most (RFC 9846 section 4.3.1).
    const older = (version: number) => version >= 0x0300 && version !== 0x0304 && version < 0x0500
    return !this.#offersByExtension || (!versions.includes(0x0304) && versions.some(older))
  }

  get #offersByExtension(): boolean {
    const { clientHello } = this.#run.setup.seen
    if (clientHello === undefined) return true
    return decodeClientHello(handshakeMessage(clientHello)).extensions.supported_versions !== undefined
  }

  async #noteEvents(): Promise<void> {
    if (this.#driver.hasEvent("offered") || this.#connection.failure !== undefined) await this.#next()
  }

  /* ------------------------------------------------------------ the end */

  #checkSession(): void {
    const flags = this.#flags
    if (flags.has("-server")) return
    const session = this.#run.setup.newSession()
    const expected = !flags.has("-expect-no-session") && !flags.has("-shim-shuts-down")
    if (expected !== (session !== undefined)) throw new Failure(`new session was${session ? "" : " not"} cached`)
    if (session === undefined) return
    if (flags.has("-expect-ticket-supports-early-data") !== session.maxEarlyDataSize > 0) {
      throw new Failure(`new session allows ${session.maxEarlyDataSize} bytes of early data`)
    }
  }

  /** Without -check-close-notify nothing more is said (SSL_set_quiet_shutdown). */
  async #shutDown(): Promise<void> {
    if (!this.#flags.has("-check-close-notify")) return
    await this.#driver.take(this.#connection.close())
    if (!this.#flags.has("-shim-shuts-down")) {
      if (!this.#driver.ended) throw new Failure("the runner closed the stream without close_notify")
      return
    }
    for (;;) {
      const event = await this.#next()
      if (event.type === "end") return
      if (event.type === "eof") throw new Failure("Unexpected SSL_shutdown result: -1 != 1")
      if (event.type === "data") throw new Failure("application data on shutdown")
    }
  }

  #trace(event: TraceEvent): void {
    if (event.type === "secret") this.#secrets.set(event.name, event.secret.slice())
    if (event.type !== "message" || event.direction !== "received") return
    this.#lastMessage = event.message[0]!
    if (event.name === "hello_retry_request") this.#committed = true
    if (event.name === "client_hello") this.#run.setup.seen.clientHello = event.message.slice()
  }
}
