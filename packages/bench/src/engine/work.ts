// What is measured in memory, without sockets: values that name it, in one line of text and as plain data, as the process that
// does it is another one.

export type HandshakeKind = "full" | "resumed" | "0-rtt"
export const signatures = ["p256", "p384", "ed25519", "rsa", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87"] as const
export type Signature = (typeof signatures)[number]

/** One handshake, both sides, tickets included. */
export interface HandshakeWork {
  readonly type: "handshake"
  readonly kind: HandshakeKind
  readonly group: string
  readonly suite: string
  /** The key of the server's leaf, and of the client's. */
  readonly signature: Signature
  /** Certificates that the server sends: 1 to 4, the root not among them. */
  readonly chain: number
  /** The client has no share that the server takes, and is asked for another. */
  readonly retry: boolean
  /** The client has a certificate, too. */
  readonly mutual: boolean
}

/** One record's protection with a key that is there. */
export interface RecordWork {
  readonly type: "seal" | "open"
  readonly suite: string
  /** Of plaintext. */
  readonly bytes: number
}

export interface HashWork {
  readonly type: "hash"
  readonly hash: "sha256" | "sha384"
  readonly bytes: number
}

/** One full handshake of a client over a socket, with node:tls in another process; by the client's processor time. */
export interface ClientWork {
  readonly type: "client"
  readonly port: number
  /** PEM. */
  readonly ca: string
}

/** What has a name for the command line. */
export type NamedWork = HandshakeWork | RecordWork | HashWork
export type Work = NamedWork | ClientWork

export const suites = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"] as const

/** X25519, ECDSA P-256, AES-128-GCM, one leaf. */
export const usualHandshake: HandshakeWork = {
  type: "handshake",
  kind: "full",
  group: "x25519",
  suite: "TLS_AES_128_GCM_SHA256",
  signature: "p256",
  chain: 1,
  retry: false,
  mutual: false,
}

/** As on the command line: what differs from the usual handshake; `seal 64 TLS_AES_128_GCM_SHA256`; `hash 64 sha256`. */
export function nameOf(work: NamedWork): string {
  if (work.type === "hash") return `hash ${work.bytes} ${work.hash}`
  if (work.type !== "handshake") return `${work.type} ${work.bytes} ${work.suite}`
  const { kind, group, suite, signature, chain, retry, mutual } = work
  const other = (name: "group" | "suite" | "signature" | "chain"): string[] =>
    work[name] === usualHandshake[name] ? [] : [`${name}=${{ group, suite, signature, chain }[name]}`]
  const words = [kind, ...other("group"), ...other("suite"), ...other("signature"), ...other("chain")]
  return [...words, ...(retry ? ["hrr"] : []), ...(mutual ? ["mtls"] : [])].join(",")
}

const kindWords = { full: "Full handshake", resumed: "Resumed handshake", "0-rtt": "0-RTT handshake" } as const
const signatureWords = {
  ...{ p256: "ECDSA P-256", p384: "ECDSA P-384", ed25519: "Ed25519", rsa: "RSA" },
  ...{ "ml-dsa-44": "ML-DSA-44", "ml-dsa-65": "ML-DSA-65", "ml-dsa-87": "ML-DSA-87" },
} as const

/** For people: `Full handshake in memory, group secp256r1, 2 certificates`. */
export function wordsOf(work: NamedWork): string {
  if (work.type === "hash") return `${work.hash === "sha256" ? "SHA-256" : "SHA-384"} of ${work.bytes} bytes`
  if (work.type !== "handshake") {
    return `${work.type === "seal" ? "Seal" : "Open"} a record of ${work.bytes} bytes, ${work.suite}`
  }
  const { kind, group, suite, signature, chain, retry, mutual } = work
  const differs = (name: "group" | "suite" | "signature" | "chain") => work[name] !== usualHandshake[name]
  return [
    `${kindWords[kind]} in memory`,
    ...(differs("group") ? [`group ${group}`] : []),
    ...(differs("suite") ? [suite] : []),
    ...(differs("signature") ? [signatureWords[signature]] : []),
    ...(differs("chain") ? [`${chain} certificates`] : []),
    ...(retry ? ["after a HelloRetryRequest"] : []),
    ...(mutual ? ["with a client certificate"] : []),
  ].join(", ")
}

/** The reverse of `nameOf`. @throws RangeError with a line that says which word is wrong */
export function parseWork(text: string): NamedWork {
  const [type = "", size, algorithm = ""] = text.split(" ")
  if (type === "hash") {
    if (algorithm !== "sha256" && algorithm !== "sha384") throw wrong(text, "the hash is sha256 or sha384")
    return { type, hash: algorithm, bytes: byteCount(text, size) }
  }
  if (type === "seal" || type === "open")
    return { type, suite: knownSuite(text, algorithm), bytes: byteCount(text, size) }
  return parseHandshake(text)
}

function parseHandshake(text: string): HandshakeWork {
  let work = usualHandshake
  for (const word of text.split(",")) {
    const [name, value = ""] = word.split("=")
    if (word === "full" || word === "resumed" || word === "0-rtt") work = { ...work, kind: word }
    else if (word === "hrr") work = { ...work, retry: true }
    else if (word === "mtls") work = { ...work, mutual: true }
    else if (name === "group" && value !== "") work = { ...work, group: value }
    else if (name === "suite") work = { ...work, suite: knownSuite(text, value) }
    else if (name === "signature") work = { ...work, signature: knownSignature(text, value) }
    else if (name === "chain" && /^[1-4]$/.test(value)) work = { ...work, chain: Number(value) }
    else
      throw wrong(
        text,
        `${JSON.stringify(word)} is none of full, resumed, 0-rtt, hrr, mtls, group=, suite=, signature=, chain=1..4`,
      )
  }
  return work
}

function knownSuite(text: string, suite: string): string {
  if (!suites.some((known) => known === suite)) throw wrong(text, `the suite is one of ${suites.join(", ")}`)
  return suite
}

function knownSignature(text: string, value: string): Signature {
  const found = signatures.find((known) => known === value)
  if (found === undefined) throw wrong(text, `the signature is one of ${signatures.join(", ")}`)
  return found
}

function byteCount(text: string, size: string | undefined): number {
  const bytes = Number(size)
  if (size === undefined || !Number.isInteger(bytes) || bytes < 0 || bytes > 16_384) {
    throw wrong(text, "the size is 0 to 16384 bytes")
  }
  return bytes
}

function wrong(text: string, why: string): RangeError {
  return new RangeError(`no scenario ${JSON.stringify(text)}: ${why}`)
}
