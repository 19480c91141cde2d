import { createFastProvider } from "@puremq/tls13/crypto/fast"
import { createHostProvider } from "@puremq/tls13/crypto/host"
import { createNobleProvider, generateEcKey, generateEd25519Key, publicKeyOf } from "@puremq/tls13/crypto/noble"
import { quartiles } from "./statistics.ts"

// The crypto providers side by side in one run: `node dist/crypto.js [WORD]` runs the operations whose name has WORD.
// Every round measures each provider once, one right after the other and in turning order, so that what else the
// machine does falls on all of them; the ratio is taken within a round. Median and spread (quartiles) over the rounds.

const ROUNDS = 15
/** Milliseconds of one measurement. */
const SLICE = 25

const providers = [createNobleProvider(), createFastProvider(), createHostProvider()]
type Provider = (typeof providers)[number]

interface Operation {
  readonly name: string
  /** Bytes that one run handles, when a throughput is of interest. */
  readonly bytes?: number
  /** Makes what one provider runs again and again; undefined when the provider has no such thing. */
  prepare(provider: Provider): (() => void) | undefined
}

function operations(): Operation[] {
  const list: Operation[] = []
  for (const suite of ["TLS_CHACHA20_POLY1305_SHA256", "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"]) {
    for (const bytes of [64, 1024, 16384]) {
      list.push({ name: `seal ${bytes} ${suite}`, bytes, prepare: (provider) => seal(provider, suite, bytes) })
    }
    list.push({ name: `open 16384 ${suite}`, bytes: 16384, prepare: (provider) => open(provider, suite, 16384) })
    list.push({ name: `new key and seal 64 ${suite}`, prepare: (provider) => sealOnce(provider, suite) })
  }
  for (const group of ["x25519", "secp256r1", "secp384r1"]) {
    list.push({ name: `key exchange ${group}`, prepare: (provider) => keyExchange(provider, group) })
  }
  for (const [name, key] of signingKeys) {
    list.push({ name: `sign ${name}`, prepare: (provider) => sign(provider, name, key) })
    list.push({ name: `verify ${name}`, prepare: (provider) => verify(provider, name, key) })
  }
  list.push({ name: "HMAC-SHA-256 of 50 bytes", prepare: (provider) => mac(provider) })
  list.push({ name: "SHA-256 of 16384 bytes", bytes: 16384, prepare: (provider) => digest(provider, 16384) })
  list.push({ name: "transcript: 5 x (update 100, clone, digest)", prepare: (provider) => transcript(provider) })
  return list
}

const random = providers[0]!.random
const signingKeys = [
  ["ecdsa_sha256", generateEcKey("P-256", random)],
  ["ecdsa_sha384", generateEcKey("P-384", random)],
  ["ed25519", generateEd25519Key(random)],
] as const
type SigningKey = (typeof signingKeys)[number][1]

function suiteOf(provider: Provider, name: string): Provider["cipherSuites"][number] | undefined {
  return provider.cipherSuites.find((suite) => suite.name === name)
}

function seal(provider: Provider, name: string, bytes: number): (() => void) | undefined {
  const aead = suiteOf(provider, name)?.aead
  if (!aead) return undefined
  const key = aead.key(random(aead.keyLength))
  const [nonce, aad, record] = [random(12), random(5), new Uint8Array(5 + bytes + 16)]
  return () => key.seal(nonce, aad, record.subarray(5, 5 + bytes), record, 5)
}

function open(provider: Provider, name: string, bytes: number): (() => void) | undefined {
  const aead = suiteOf(provider, name)?.aead
  if (!aead) return undefined
  const key = aead.key(random(aead.keyLength))
  const [nonce, aad, record] = [random(12), random(5), new Uint8Array(bytes + 16)]
  key.seal(nonce, aad, record.subarray(0, bytes), record, 0)
  const out = new Uint8Array(bytes)
  return () => {
    if (key.open(nonce, aad, record, out, 0) !== bytes) throw new Error("the record does not open")
  }
}

function sealOnce(provider: Provider, name: string): (() => void) | undefined {
  const aead = suiteOf(provider, name)?.aead
  if (!aead) return undefined
  const secret = random(aead.keyLength)
  const [nonce, aad, record] = [random(12), random(5), new Uint8Array(80)]
  return () => {
    const key = aead.key(secret)
    key.seal(nonce, aad, record.subarray(0, 64), record, 0)
    key.wipe()
  }
}

function keyExchange(provider: Provider, name: string): (() => void) | undefined {
  const group = provider.keyExchanges.find((row) => row.name === name)
  if (!group) return undefined
  const peer = group.start(random).share
  return () => void group.respond(peer, random)
}

function sign(provider: Provider, name: string, key: SigningKey): () => void {
  const algorithm = provider.signatures.find((row) => row.name === name)!
  const message = random(130)
  return () => void algorithm.sign(key, message, random)
}

function verify(provider: Provider, name: string, key: SigningKey): () => void {
  const algorithm = provider.signatures.find((row) => row.name === name)!
  const message = random(130)
  const signature = algorithm.sign(key, message, random)
  const own = publicKeyOf(key)
  return () => {
    if (!algorithm.verify(own, message, signature)) throw new Error("the signature does not verify")
  }
}

function mac(provider: Provider): () => void {
  const key = suiteOf(provider, "TLS_AES_128_GCM_SHA256")!.hash.hmac(random(32))
  const message = random(50)
  return () => void key.mac(message)
}

function digest(provider: Provider, bytes: number): () => void {
  const { hash } = suiteOf(provider, "TLS_AES_128_GCM_SHA256")!
  const message = random(bytes)
  return () => void hash.digest(message)
}

function transcript(provider: Provider): () => void {
  const { hash } = suiteOf(provider, "TLS_AES_128_GCM_SHA256")!
  const message = random(100)
  return () => {
    const state = hash.start()
    for (let i = 0; i < 5; i++) {
      state.update(message)
      state.clone().digest()
    }
  }
}

/** Microseconds of one run, over a slice of time. */
function measure(run: () => void, times: number): number {
  const start = performance.now()
  for (let i = 0; i < times; i++) run()
  return ((performance.now() - start) * 1000) / times
}

function compare(operation: Operation): void {
  const runs = providers.map((provider) => operation.prepare(provider))
  const times = runs.map((run) => {
    if (!run) return 0
    let count = 1
    while (measure(run, count) * count < SLICE * 500) count *= 2
    return Math.max(1, Math.round((SLICE * 1000) / measure(run, count)))
  })
  const samples = providers.map((): number[] => [])
  for (let round = 0; round < ROUNDS; round++) {
    for (let turn = 0; turn < providers.length; turn++) {
      const which = (round + turn) % providers.length
      const run = runs[which]
      if (run) samples[which]!.push(measure(run, times[which]!))
    }
  }
  console.log(operation.name)
  for (const [which, provider] of providers.entries()) {
    const own = samples[which]!
    if (own.length === 0) {
      console.log(`  ${provider.name.padEnd(6)} does not have it`)
      continue
    }
    const [, median] = quartiles(own)
    const [low, ratio, high] = quartiles(own.map((value, round) => samples[0]![round]! / value))
    const throughput = operation.bytes ? `${(operation.bytes / median).toFixed(1).padStart(8)} MB/s` : " ".repeat(13)
    const spread = which === 0 ? "" : `${ratio.toFixed(2)} x noble (${low.toFixed(2)} to ${high.toFixed(2)})`
    console.log(`  ${provider.name.padEnd(6)} ${median.toFixed(2).padStart(10)} us ${throughput}  ${spread}`)
  }
}

const word = process.argv[2] ?? ""
for (const operation of operations()) if (operation.name.includes(word)) compare(operation)
