// The cells of TLS peers. A peer says how it connects or serves; what our side does, and what must then be seen, is here.

import { clientName, files, psk, textOf } from "./files.ts"
import { clientCertificate, connect, ourCertificate, serve, trust } from "./ours.ts"
import type { Program, Run } from "./program.ts"
import type { Cell, Row } from "./table.ts"

export const tlsFeatures = [
  "handshake",
  "HRR",
  "resumption",
  "client certificate",
  "KeyUpdate",
  "1 MiB echoed",
  "X25519MLKEM768",
  "0-RTT",
  "external PSK",
  "record size limit",
  "post-handshake certificate",
  "raw public keys",
  "certificate compression",
  "Encrypted Client Hello",
  "ECH, rejected",
  "ECH, made up",
] as const
export type TlsFeature = (typeof tlsFeatures)[number]

/** Why a peer cannot do it. */
export type Reasons = Readonly<Partial<Record<TlsFeature, string | undefined>>>

/** Of clients that hide nothing, or do not pretend to. */
export const noMadeUpEch: Reasons = { "ECH, made up": "sends no made-up Encrypted Client Hello" }

const mebibyte = 1 << 20
const short = 300
const recordLimit = 1000
const httpRequest = "GET / HTTP/1.0\r\n\r\n"
const earlyText = "early: may be replayed\n"

/* ------------------------------------------------------------ peers that are clients of `tls13 serve --echo` */

/** What a client is to do: connect, send `text`, and take nothing but the same text for an answer. */
export interface ClientRequest {
  readonly feature: TlsFeature
  readonly port: number
  readonly text: string
  /** One that the server does not take comes first, so that it asks for another. Openssl's names. */
  readonly groups?: string
  /** Connect again with the session of the first connection. */
  readonly resume?: boolean
  readonly certificate?: boolean
  /** Send `text` in parts, and renew keys between them when this client can. */
  readonly keyUpdate?: boolean
  /** Sent as early data on the second connection. */
  readonly early?: string
  readonly psk?: boolean
  /** Take no longer records, in bytes of RFC 8449. */
  readonly recordLimit?: number
  /** RFC 7250, both ways. */
  readonly rawKeys?: boolean
  /** Take a compressed certificate: RFC 8879, zlib. */
  readonly compression?: boolean
  /** Hide the name, by the configuration of `files.echKey`: RFC 9849. */
  readonly ech?: boolean
  /** By another one first, which the server rejects: the client learns what it has, and comes again by `files.echKey`. */
  readonly echRejected?: boolean
  /** Send a made-up one. */
  readonly echMadeUp?: boolean
  /** Makes the server, which then is no echo, send this text. */
  readonly serverSays?: (text: string) => Promise<void>
  /** The certificate is asked for after the handshake. */
  readonly postHandshake?: boolean
}

export interface ClientPeer {
  readonly name: string
  readonly version: () => Promise<string>
  readonly connect: (run: Run, request: ClientRequest) => Promise<void>
  /** Features for which it needs a server that closes the connection: --www, and requests as text. */
  readonly needsClose?: readonly TlsFeature[]
  /** More options of our server. */
  readonly serverArgs?: Partial<Readonly<Record<TlsFeature, readonly string[]>>>
  /** The first group that our server takes when it is to ask for another key share. Default: secp384r1. */
  readonly retryGroup?: string
  readonly not: Reasons
}

interface ClientCell {
  readonly server: readonly string[]
  readonly request: Partial<ClientRequest>
  /** In the log of `tls13 serve`, in any order. */
  readonly seen: readonly RegExp[]
  /** The server does not echo: `serverSays` sends. */
  readonly talks?: boolean
  /** What else must be right in it. @throws when it is not */
  readonly check?: (log: string) => void
}

export function clientRow(peer: ClientPeer): Row {
  const retry = peer.retryGroup ?? "secp384r1"
  const plans: Readonly<Record<TlsFeature, ClientCell>> = {
    handshake: { server: ourCertificate, request: {}, seen: [/TLSv1\.3 TLS_\w+ \w+ new/] },
    HRR: {
      server: [...ourCertificate, "--groups", retry, "--trace"],
      request: { groups: "X25519:P-384" },
      seen: [/sent HelloRetryRequest/, new RegExp(`TLSv1\\.3 TLS_\\w+ ${retry} new`)],
    },
    resumption: { server: ourCertificate, request: { resume: true }, seen: [/ new /, /TLSv1\.3 TLS_\w+ \w+ resumed/] },
    "client certificate": {
      server: [...ourCertificate, "--verify", "require", ...trust],
      request: { certificate: true },
      seen: [new RegExp(` client CN=${clientName} \\d+ ms`)],
    },
    KeyUpdate: {
      server: [...ourCertificate, "--key-update", "5000", "--key-update-peer", "--trace"],
      request: { keyUpdate: true, text: textOf(20_000) },
      seen: [/sent KeyUpdate/, /received KeyUpdate/],
    },
    "1 MiB echoed": { server: ourCertificate, request: { text: textOf(mebibyte) }, seen: [/ new /] },
    X25519MLKEM768: {
      server: [...ourCertificate, "--groups", "X25519MLKEM768"],
      request: { groups: "X25519MLKEM768" },
      seen: [/TLSv1\.3 TLS_\w+ X25519MLKEM768 new/],
    },
    "0-RTT": {
      server: [...ourCertificate, "--early-data", "4096", "--trace"],
      request: { resume: true, early: earlyText },
      seen: [/resumed/, /received EndOfEarlyData/],
    },
    "external PSK": {
      server: ["--psk", `${psk.identity}:${psk.hex}`, "--trace"],
      request: { psk: true },
      seen: [/derived early_secret/, /TLSv1\.3 TLS_\w+ \w+ /],
    },
    "record size limit": {
      server: [...ourCertificate, "--record-size-limit", `${recordLimit}`, "--trace"],
      request: { recordLimit, text: textOf(4000) },
      seen: [/received protected record: application_data/],
      talks: true,
      check: limitsKept,
    },
    "post-handshake certificate": {
      server: [...ourCertificate, "--verify", "post-handshake", ...trust],
      request: { certificate: true, postHandshake: true },
      seen: [new RegExp(`client CN=${clientName}, .* verified yes`)],
    },
    "raw public keys": {
      server: ["--raw-public-key", "--key", files.key, "--verify", "require", "--peer-key", files.clientPublicKey],
      request: { rawKeys: true },
      seen: [/TLSv1\.3 TLS_\w+ \w+ new .*client .*\d+ ms/],
    },
    "certificate compression": {
      server: [...ourCertificate, "--cert-compression", "--trace"],
      request: { compression: true },
      seen: [/sent CompressedCertificate/],
    },
    "Encrypted Client Hello": {
      server: [...ourCertificate, "--ech-key", files.echKey],
      request: { ech: true },
      seen: [/TLSv1\.3 TLS_\w+ \w+ new for localhost encrypted hello/],
    },
    "ECH, rejected": {
      server: [...ourCertificate, "--ech-key", files.echKey],
      request: { echRejected: true },
      seen: [/ new for public\.test \d+ ms/, / new for localhost encrypted hello/],
    },
    "ECH, made up": {
      server: [...ourCertificate, "--ech-key", files.echKey, "--trace"],
      request: { echMadeUp: true },
      seen: [/encrypted_client_hello/, /TLSv1\.3 TLS_\w+ \w+ new for localhost \d+ ms/],
    },
  }
  const cell = (feature: TlsFeature): Cell => {
    const not = peer.not[feature]
    if (not !== undefined) return { not }
    const { server, request, seen, talks, check } = plans[feature]
    return async (run) => {
      const close = peer.needsClose?.includes(feature)
      const mode = talks ? [] : close ? ["--www"] : ["--echo"]
      const { port, program } = await serve(run, [...mode, ...server, ...(peer.serverArgs?.[feature] ?? [])])
      const serverSays = talks ? { serverSays: saying(program) } : {}
      const get = close ? { text: httpRequest, ...(request.early && { early: httpRequest }) } : {}
      await peer.connect(run, { feature, port, text: textOf(short), ...request, ...serverSays, ...get })
      for (const pattern of seen) await program.prints(pattern)
      check?.(program.log)
      if (/ failed: /.test(program.log)) throw new Error(`our server: ${program.tail()}`)
    }
  }
  return { name: peer.name, version: peer.version, cells: cellsOf(cell) }
}

function saying(server: Program): (text: string) => Promise<void> {
  return async (text) => {
    await server.prints(/TLSv1\.3 .* \d+ ms/)
    server.write(text)
  }
}

/** RFC 8449 section 4: each side keeps the other's limit, which counts the content type; the trace does not. */
function limitsKept(log: string): void {
  const numbers = (pattern: RegExp) => [...log.matchAll(pattern)].map(([, n]) => Number(n))
  const [theirs = 0] = numbers(/record size limit: (\d+) bytes/g).filter((limit) => limit !== recordLimit)
  const limits = { received: recordLimit, sent: theirs || recordLimit }
  for (const [way, limit] of Object.entries(limits)) {
    const most = Math.max(...numbers(new RegExp(`${way} protected record: application_data, (\\d+) bytes`, "g")))
    if (most >= limit)
      throw new Error(`a record that was ${way} had ${most} bytes of content, over ${limit} with its type`)
  }
}

/* ------------------------------------------------------------ peers that are servers of `tls13 connect` */

/** What a server is to do: take one connection after the other and echo what comes. */
export interface ServerRequest {
  readonly feature: TlsFeature
  /** Take only this group. OpenSSL's name. */
  readonly group?: string
  /** Require a client certificate of our authority. */
  readonly certificate?: boolean
  readonly early?: boolean
  readonly psk?: boolean
  readonly recordLimit?: number
  /** RFC 7250, both ways. */
  readonly rawKeys?: boolean
  /** Compress the certificate: RFC 8879, zlib. */
  readonly compression?: boolean
  /** Take hidden names, with `files.echKey`: RFC 9849. */
  readonly ech?: boolean
  /** Ask for the client's certificate after the handshake; see `PeerServer.askForCertificate`. */
  readonly postHandshake?: boolean
}

export interface PeerServer {
  readonly port: number
  readonly program: Program
  /** Makes it renew its keys and ask for ours; undefined: it cannot. */
  readonly renewKeys?: () => void
  /** Makes it ask for a client certificate now; default: it asks when data comes. */
  readonly askForCertificate?: (client: Program) => void
  /** In its log once it has the client's certificate. */
  readonly gotCertificate?: RegExp
  /** Sends text by itself. */
  readonly say?: (text: string) => void
}

export interface ServerPeer {
  readonly name: string
  readonly version: () => Promise<string>
  readonly serve: (run: Run, request: ServerRequest) => Promise<PeerServer>
  /** What it answers to a text; default: the same. */
  readonly answer?: (text: string) => string
  /** What it does with early data other than to echo it. */
  readonly earlySeen?: RegExp
  /** A server that answers one request with this text, in whatever else, and ends. */
  readonly requestFor?: (text: string) => string
  /** The longest text that it takes. */
  readonly longest?: number
  readonly not: Reasons
}

type SpecialServerFeature = "KeyUpdate" | "0-RTT" | "post-handshake certificate" | "ECH, rejected"

interface ServerCell {
  readonly request: Partial<ServerRequest>
  readonly client: readonly string[]
  readonly text?: string
  /** In what `tls13 connect` says. */
  readonly seen: readonly RegExp[]
  readonly check?: (log: string) => void
}

export function serverRow(peer: ServerPeer): Row {
  const plans: Readonly<Record<Exclude<TlsFeature, SpecialServerFeature>, ServerCell>> = {
    handshake: { request: {}, client: trust, seen: [/protocol +TLSv1\.3$/m, /verified +yes/] },
    HRR: { request: { group: "P-384" }, client: trust, seen: [/after a HelloRetryRequest/, /key exchange secp384r1/] },
    resumption: { request: {}, client: [...trust, "--reconnect", "1"], seen: [/TLSv1\.3$/m, /session resumed/] },
    "client certificate": {
      request: { certificate: true },
      client: [...trust, ...clientCertificate],
      seen: [/protocol +TLSv1\.3/],
    },
    "1 MiB echoed": { request: {}, client: trust, text: textOf(mebibyte), seen: [/verified +yes/] },
    X25519MLKEM768: {
      request: { group: "X25519MLKEM768" },
      client: [...trust, "--groups", "X25519MLKEM768"],
      seen: [/key exchange X25519MLKEM768/],
    },
    "external PSK": {
      request: { psk: true },
      client: ["--psk", `${psk.identity}:${psk.hex}`, ...trust, "--trace"],
      seen: [new RegExp(`has the pre-shared key "?${psk.identity}`)],
    },
    "record size limit": {
      request: { recordLimit },
      client: [...trust, "--record-size-limit", `${recordLimit}`, "--trace"],
      text: textOf(20_000),
      seen: [/verified +yes/],
      check: limitsKept,
    },
    "raw public keys": {
      request: { rawKeys: true, certificate: true },
      client: ["--raw-public-key", "--key", files.clientKey, "--peer-key", files.serverPublicKey],
      seen: [/server +raw public key/],
    },
    "certificate compression": {
      request: { compression: true },
      client: [...trust, "--cert-compression", "--trace"],
      seen: [/received CompressedCertificate[\s\S]*verified +yes/],
    },
    "Encrypted Client Hello": {
      request: { ech: true },
      client: [...trust, "--ech", files.echKey],
      seen: [/hello +encrypted, accepted[\s\S]*verified +yes/],
    },
    "ECH, made up": { request: {}, client: [...trust, "--ech-grease"], seen: [/verified +yes/] },
  }
  const cell = (feature: TlsFeature): Cell => {
    const not = peer.not[feature]
    if (not !== undefined) return { not }
    if (feature === "KeyUpdate") return (run) => keyUpdate(run, peer)
    if (feature === "0-RTT") return (run) => earlyData(run, peer)
    if (feature === "post-handshake certificate") return (run) => postHandshake(run, peer)
    if (feature === "ECH, rejected") return (run) => echRejected(run, peer)
    const { request, client, text: wanted = textOf(short), seen, check } = plans[feature]
    const text = wanted.slice(0, peer.longest)
    return async (run) => {
      const server = await peer.serve(run, { feature, ...request })
      const program = connect(run, server.port, client)
      for (const pattern of seen) await program.prints(pattern)
      program.write(peer.requestFor?.(text) ?? text)
      await answered(program, peer, text)
      check?.(program.log)
      program.endInput()
      await program.succeeds()
    }
  }
  return { name: peer.name, version: peer.version, cells: cellsOf(cell) }
}

/** RFC 9846 section 4.7.2: the server asks once the connection is there. */
async function postHandshake(run: Run, peer: ServerPeer): Promise<void> {
  const request = { feature: "post-handshake certificate", certificate: true, postHandshake: true } as const
  const server = await peer.serve(run, request)
  const program = connect(run, server.port, [...trust, ...clientCertificate, "--trace"])
  await program.prints(/verified +yes/)
  if (server.askForCertificate) server.askForCertificate(program)
  else program.write(peer.requestFor?.("afterwards\n") ?? "please ask\n")
  await program.prints(/verified +yes[\s\S]*received CertificateRequest[\s\S]*sent Finished/)
  if (peer.requestFor) await program.shows("afterwards")
  else await talk(program, peer, server, "afterwards\n")
  if (server.gotCertificate) await server.program.prints(server.gotCertificate)
}

/** RFC 9849 section 6.1.6: by a key that the server does not have, and then by what it says of its own. */
async function echRejected(run: Run, peer: ServerPeer): Promise<void> {
  const server = await peer.serve(run, { feature: "ECH, rejected", ech: true })
  const first = connect(run, server.port, [...trust, "--ech", files.otherEchKey])
  const [, configs = ""] = await first.prints(/does not take the configuration .* --ech (\S+)/)
  const again = connect(run, server.port, [...trust, "--ech", configs])
  await again.prints(/hello +encrypted, accepted[\s\S]*verified +yes/)
  await talk(again, peer, server, "in hiding\n")
}

/** Ours renews and asks for the peer's renewal; then the peer renews, if it can by itself; data flows after each. */
async function keyUpdate(run: Run, peer: ServerPeer): Promise<void> {
  const server = await peer.serve(run, { feature: "KeyUpdate" })
  const program = connect(run, server.port, [...trust, "--commands", "--trace"])
  await program.prints(/verified +yes/)
  if (!peer.requestFor) await talk(program, peer, server, "one before\n")
  program.write("B\n")
  await program.prints(/sent KeyUpdate/)
  await talk(program, peer, server, "two between\n")
  await program.prints(/received KeyUpdate/)
  if (server.renewKeys === undefined) return
  server.renewKeys()
  await program.prints(/received KeyUpdate[\s\S]*received KeyUpdate/)
  await talk(program, peer, server, "three after\n")
}

/** One message each way. */
async function talk(program: Program, peer: ServerPeer, server: PeerServer, text: string): Promise<void> {
  if (peer.requestFor) {
    program.write(peer.requestFor(text))
    await program.shows(text.trimEnd())
  } else if (server.say) {
    program.write(text)
    await server.program.prints(new RegExp(text.trim()))
    server.say(text)
    await program.prints(new RegExp(text.trim()))
  } else {
    program.write(text)
    await program.prints(new RegExp((peer.answer?.(text) ?? text).trim()))
  }
}

async function earlyData(run: Run, peer: ServerPeer): Promise<void> {
  const server = await peer.serve(run, { feature: "0-RTT", early: true })
  const early = (peer.requestFor?.(earlyText) ?? earlyText).replaceAll("\r", "\\r").replaceAll("\n", "\\n")
  const program = connect(run, server.port, [...trust, "--reconnect", "1", "--early-data", early])
  await program.prints(/session resumed[\s\S]*early data +accepted/)
  if (peer.earlySeen) await server.program.prints(peer.earlySeen)
  else if (server.say) await server.program.prints(new RegExp(earlyText.trim()))
  else await answered(program, peer, earlyText, true)
  program.endInput()
}

async function answered(program: Program, peer: ServerPeer, text: string, within = false): Promise<void> {
  if (peer.requestFor) {
    return program.shows(text.trimEnd())
  }
  const wanted = Buffer.from(peer.answer?.(text) ?? text)
  if (within) return program.shows(wanted.toString())
  const given = await program.gives(wanted.length)
  if (given.equals(wanted)) return
  throw new Error(`it did not answer with what was sent: ${JSON.stringify(given.subarray(0, 200).toString())}`)
}

function cellsOf(cell: (feature: TlsFeature) => Cell): Row["cells"] {
  return Object.fromEntries(tlsFeatures.map((feature) => [feature, cell(feature)]))
}
