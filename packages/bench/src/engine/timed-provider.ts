// A provider whose calls are counted and timed: what a handshake takes beside them is the stack's own cost.

import type { CryptoProvider, KeyExchange } from "@puremq/tls13"

export interface PrimitiveTime {
  /** Of the outermost ones: what a primitive calls itself is in its own time. */
  calls: number
  /** Milliseconds by the clock. */
  time: number
}

type AnyFunction = (...args: never[]) => unknown
type Wrap = <Call extends AnyFunction>(call: Call) => Call

/** `provider` with `tally` kept of all calls of its primitives, those of keys, states and key exchanges that it hands out included. */
export function timedProvider(provider: CryptoProvider, tally: PrimitiveTime): CryptoProvider {
  const timed = timer(tally)
  return {
    name: provider.name,
    random: timed(provider.random),
    cipherSuites: provider.cipherSuites.map((suite) => ({
      ...suite,
      hash: timedHash(suite.hash, timed),
      aead: timedAead(suite.aead, timed),
    })),
    keyExchanges: provider.keyExchanges.map((exchange) => timedExchange(exchange, timed)),
    signatures: provider.signatures.map((algorithm) => ({
      name: algorithm.name,
      sign: timed((key, message, random) => algorithm.sign(key, message, random)),
      verify: timed((key, message, signature) => algorithm.verify(key, message, signature)),
    })),
  }
}

function timer(tally: PrimitiveTime): Wrap {
  let depth = 0
  return (<Call extends (...args: unknown[]) => unknown>(call: Call) =>
    (...args: Parameters<Call>) => {
      if (depth > 0) return call(...args)
      depth++
      const from = performance.now()
      try {
        return call(...args)
      } finally {
        tally.time += performance.now() - from
        tally.calls++
        depth--
      }
    }) as Wrap
}

type Suite = CryptoProvider["cipherSuites"][number]

function timedHash(hash: Suite["hash"], timed: Wrap): Suite["hash"] {
  type State = ReturnType<typeof hash.start>
  const state = (inner: State): State => ({
    update: timed((bytes) => inner.update(bytes)),
    digest: timed(() => inner.digest()),
    clone: () => state(timed(() => inner.clone())()),
  })
  return {
    name: hash.name,
    length: hash.length,
    digest: timed((message) => hash.digest(message)),
    start: () => state(timed(() => hash.start())()),
    hmac: (key) => {
      const inner = timed(() => hash.hmac(key))()
      return { mac: timed((...parts) => inner.mac(...parts)), wipe: timed(() => inner.wipe()) }
    },
  }
}

function timedAead(aead: Suite["aead"], timed: Wrap): Suite["aead"] {
  const { name, keyLength, nonceLength, tagLength, confidentialityLimit } = aead
  return {
    ...{ name, keyLength, nonceLength, tagLength, confidentialityLimit },
    key(bytes) {
      const inner = timed(() => aead.key(bytes))()
      return {
        seal: timed((nonce, aad, plaintext, out, at) => inner.seal(nonce, aad, plaintext, out, at)),
        open: timed((nonce, aad, ciphertext, out, at) => inner.open(nonce, aad, ciphertext, out, at)),
        wipe: timed(() => inner.wipe()),
      }
    },
  }
}

/** Those of the providers here answer at once; one that pauses would not be timed to its end. */
function timedExchange(exchange: KeyExchange, timed: Wrap): KeyExchange {
  return {
    name: exchange.name,
    code: exchange.code,
    respond: timed((share, random) => exchange.respond(share, random)),
    start(random) {
      const inner = timed(() => exchange.start(random))()
      if (!("share" in inner)) throw new Error(`${exchange.name} does not answer at once`)
      return {
        share: inner.share,
        complete: timed((share) => inner.complete(share)),
        wipe: timed(() => inner.wipe()),
      }
    },
  }
}

/** What the timing of a call costs itself, in milliseconds: within what is timed, and in all. */
export interface Overhead {
  readonly within: number
  readonly whole: number
}

/** Of calls that do nothing; the least of some tries, as the machine only ever adds to it. */
export function timingOverhead(): Overhead {
  const calls = 20_000
  let [within, whole] = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]
  for (let attempt = 0; attempt < 15; attempt++) {
    const tally: PrimitiveTime = { calls: 0, time: 0 }
    const nothing = timer(tally)((a: Uint8Array, b: number) => a.length + b)
    const bytes = new Uint8Array(1)
    let sum = 0
    const from = performance.now()
    for (let i = 0; i < calls; i++) sum += nothing(bytes, i)
    const elapsed = performance.now() - from
    if (sum < 0) throw new Error("unreachable")
    within = Math.min(within, tally.time / calls)
    whole = Math.min(whole, elapsed / calls)
  }
  return { within, whole }
}

/**
 * Which share of the time was not within primitives, the cost of timing them taken out.
 * @param elapsed milliseconds by the clock in which `tally` was kept
 */
export function shareOutside(elapsed: number, tally: PrimitiveTime, overhead: Overhead): number {
  const whole = elapsed - tally.calls * overhead.whole
  const primitives = tally.time - tally.calls * overhead.within
  return 1 - primitives / whole
}
