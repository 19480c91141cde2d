// What becomes of secrets: "should be erased" (RFC 9846 section 7.1 and appendix C.1). A provider that watches itself notes
// every array of the key schedule and of the key exchange, and every keyed object; after a handshake that failed, was called
// off, timed out or was given up, in any state, all of them are zeros and wiped. After one that is complete, all but what the
// connection needs; after its end, all.

import { describe, expect, it } from "vitest"
import { ContentType } from "../src/bytes/code-points.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import type { Aead, AeadKey, CryptoProvider, Hash, HmacKey, KeyExchange } from "../src/crypto/provider.ts"
import type { Puppet } from "../src/testing/puppet.ts"
import { type Cast, clientCertificate, clientUnderTest, early, provider, resumed, serverUnderTest } from "./support.ts"

/** Labels of section 7.1 of what belongs to somebody else afterwards: the PSK of a ticket is the session's. */
const handedOn = ["resumption"]

class Watch {
  readonly #arrays: { readonly array: Uint8Array; readonly what: string }[] = []
  readonly #keys: Map<object, string> = new Map()
  /** Labels of the secrets that keys were made of. */
  readonly #labels = new WeakMap<Uint8Array, string>()

  /** What is not erased yet, each by its label. */
  get left(): string[] {
    const arrays = this.#arrays.filter(({ array }) => array.some((byte) => byte !== 0)).map(({ what }) => what)
    return [...arrays, ...this.#keys.values()].filter((what) => !handedOn.includes(what)).sort()
  }

  get seen(): number {
    return this.#arrays.length
  }

  provider(from: CryptoProvider): CryptoProvider {
    const cipherSuites = from.cipherSuites.map((suite) => ({
      ...suite,
      aead: this.#aead(suite.aead),
      hash: this.#hash(suite.hash),
    }))
    return { ...from, cipherSuites, keyExchanges: from.keyExchanges.map((each) => this.#keyExchange(each)) }
  }

  #note(array: Uint8Array, what: string): Uint8Array {
    this.#arrays.push({ array, what })
    this.#labels.set(array, what)
    return array
  }

  #hash(hash: Hash): Hash {
    return {
      ...hash,
      hmac: (key) => {
        const inner = hash.hmac(key)
        const of = this.#labels.get(key)
        const watched: HmacKey = {
          mac: (...parts) => {
            const result = inner.mac(...parts)
            // A Finished, or a binder, is sent: no secret.
            return of === "finished" ? result : this.#note(result, labelIn(parts) ?? "HKDF-Extract")
          },
          wipe: () => {
            inner.wipe()
            this.#keys.delete(watched)
          },
        }
        this.#keys.set(watched, `HMAC key of ${of}`)
        return watched
      },
    }
  }

  #aead(aead: Aead): Aead {
    return {
      ...aead,
      key: (key) => {
        const inner = aead.key(this.#note(key, "key"))
        const watched: AeadKey = {
          seal: (...all) => inner.seal(...all),
          open: (...all) => inner.open(...all),
          wipe: () => {
            inner.wipe()
            this.#keys.delete(watched)
          },
        }
        this.#keys.set(watched, "AEAD key")
        return watched
      },
    }
  }

  #keyExchange(group: KeyExchange): KeyExchange {
    return {
      ...group,
      start: (random) => {
        const inner = group.start(random)
        const watched = {
          share: inner.share,
          complete: (share: Uint8Array) => this.#note(inner.complete(share), "shared secret"),
          wipe: () => {
            inner.wipe()
            this.#keys.delete(watched)
          },
        }
        this.#keys.set(watched, "private value")
        return watched
      },
      respond: (share, random) => {
        const answer = group.respond(share, random)
        this.#note(answer.secret, "shared secret")
        return answer
      },
    }
  }
}

/** The label of HkdfLabel (section 7.1), without its prefix, when that is what is expanded. */
function labelIn(parts: readonly Uint8Array[]): string | undefined {
  const info = parts.at(-2)
  if (parts.at(-1)?.length !== 1 || info === undefined) return undefined
  return new TextDecoder().decode(info.subarray(3 + "tls13 ".length, 3 + info[2]!))
}

const retried = { server: { groups: ["secp256r1"] } } as const
const psk = resumed()
const zeroRtt = early()
const withTickets = { ...clientCertificate, server: { ...clientCertificate.server, ...psk.server } }

type Reach = (cast: (given: Cast) => Cast) => Puppet

const states: Readonly<Record<"client" | "server", Readonly<Record<string, Reach>>>> = {
  client: {
    WAIT_SH: (cast) => clientUnderTest(cast(psk)),
    "WAIT_SH with 0-RTT data": (cast) => clientUnderTest(cast(zeroRtt)),
    "WAIT_SH after HelloRetryRequest": (cast) => {
      const puppet = clientUnderTest(cast({ ...psk, server: { ...psk.server, ...retried.server } }))
      puppet.deliver()
      return puppet
    },
    WAIT_EE: (cast) => clientUnderTest(cast({})).deliverUntil("encrypted_extensions"),
    "WAIT_EE with 0-RTT data": (cast) => clientUnderTest(cast(zeroRtt)).deliverUntil("encrypted_extensions"),
    WAIT_CERT_CR: (cast) => clientUnderTest(cast(clientCertificate)).deliverUntil("certificate_request"),
    WAIT_CERT: (cast) => clientUnderTest(cast(clientCertificate)).deliverUntil("certificate"),
    WAIT_CV: (cast) => clientUnderTest(cast({})).deliverUntil("certificate_verify"),
    WAIT_FINISHED: (cast) => clientUnderTest(cast({})).deliverUntil("finished"),
    "WAIT_FINISHED with a PSK": (cast) => clientUnderTest(cast(psk)).deliverUntil("finished"),
    CONNECTED: (cast) => clientUnderTest(cast(withTickets)).run(),
    "CONNECTED with 0-RTT data": (cast) => clientUnderTest(cast(zeroRtt)).run(),
  },
  server: {
    START: (cast) => serverUnderTest(cast({})),
    "START after HelloRetryRequest": (cast) => {
      const puppet = serverUnderTest(cast({ ...psk, server: { ...psk.server, ...retried.server } }))
      puppet.deliver()
      return puppet
    },
    WAIT_EOED: (cast) => {
      const puppet = serverUnderTest(cast(zeroRtt))
      puppet.deliver()
      return puppet
    },
    WAIT_CERT: (cast) => serverUnderTest(cast(clientCertificate)).deliverUntil("certificate"),
    WAIT_CV: (cast) => serverUnderTest(cast(clientCertificate)).deliverUntil("certificate_verify"),
    WAIT_FINISHED: (cast) => serverUnderTest(cast({})).deliverUntil("finished"),
    "WAIT_FINISHED with a PSK": (cast) => serverUnderTest(cast(psk)).deliverUntil("finished"),
    CONNECTED: (cast) => serverUnderTest(cast(withTickets)).run(),
    "CONNECTED with 0-RTT data": (cast) => serverUnderTest(cast(zeroRtt)).run(),
    "CONNECTED, may ask for a certificate": (cast) =>
      serverUnderTest(
        cast({
          client: { postHandshakeAuth: true },
          server: {
            ...psk.server,
            clientAuthentication: { ...clientCertificate.server.clientAuthentication, mode: "post-handshake" },
          },
        }),
      ).run(),
  },
}

const endings: Readonly<Record<string, (puppet: Puppet) => void>> = {
  fails: (puppet) => void puppet.send(ContentType.handshake, Uint8Array.of(99, 0, 0, 0)),
  "is destroyed": ({ subject }) => subject.destroy(),
  "is called off": (puppet) => {
    puppet.take(puppet.subject.close())
    // Once it is connected, a connection that was closed still reads.
    if (puppet.subject.failure === undefined) puppet.subject.destroy()
  },
  "times out": (puppet) => {
    const { subject, now } = puppet
    if (subject.deadline === undefined) puppet.take(subject.abandon("time is up", now))
    else puppet.take(subject.tick(subject.deadline))
  },
  "loses its transport": (puppet) => void puppet.take(puppet.subject.receiveEnd(puppet.now)),
}

/** What a connection needs: the keys of both directions, and what later keys, tickets and exports are made of. */
const needed = ["AEAD key", "AEAD key", "c ap traffic", "exp master", "s ap traffic"]

describe.each(["client", "server"] as const)("the secrets of a %s", (role) => {
  const watched = () => {
    const watch = new Watch()
    const cast = (given: Cast): Cast => {
      const watching = { provider: watch.provider(provider) }
      return role === "client"
        ? { ...given, client: { ...given.client, ...watching } }
        : { ...given, server: { ...given.server, ...watching } }
    }
    return { watch, cast }
  }

  for (const [state, reach] of Object.entries(states[role])) {
    it.each(Object.entries(endings))(`in ${state}: all are erased when it %s`, (_name, end) => {
      const { watch, cast } = watched()
      const puppet = reach(cast)
      expect(puppet.subject.failure).toBeUndefined()
      // Between two ClientHellos a server has none.
      if (!state.startsWith("START")) expect(watch.left).not.toEqual([])
      end(puppet)
      expect(watch.left).toEqual([])
      if (state.startsWith("CONNECTED")) expect(watch.seen).toBeGreaterThan(10)
    })

    if (!state.startsWith("CONNECTED")) continue
    it(`in ${state}: what stays is what the connection needs`, () => {
      const { watch, cast } = watched()
      reach(cast)
      const more = role === "client" || state.includes("may ask") ? ["res master"] : []
      const early = state.includes("0-RTT") ? ["e exp master"] : []
      expect(watch.left).toEqual([...needed, ...more, ...early].sort())
    })
  }

  it("new keys take the place of the old ones", () => {
    const { watch, cast } = watched()
    const puppet = (role === "client" ? clientUnderTest : serverUnderTest)(cast({})).run()
    const before = watch.left
    for (let i = 0; i < 3; i++) puppet.take(puppet.subject.updateKeys())
    expect(watch.left).toEqual(
      before.map((what) => (what === `${role === "client" ? "c" : "s"} ap traffic` ? "traffic upd" : what)).sort(),
    )
    puppet.subject.destroy()
    expect(watch.left).toEqual([])
  })

  it("a callback that destroys the connection leaves nothing behind", () => {
    const { watch, cast } = watched()
    let puppet: Puppet | undefined
    const destroy = () => {
      puppet?.subject.destroy()
      throw new Error("given up")
    }
    const verifier = { verify: destroy }
    const given: Cast =
      role === "client"
        ? { client: { verifier } }
        : { ...clientCertificate, server: { clientAuthentication: { mode: "require", verifier } } }
    puppet = (role === "client" ? clientUnderTest : serverUnderTest)(cast(given))
    puppet.run()
    expect(puppet.subject.failure).toBeDefined()
    expect(watch.left).toEqual([])
  })
})

it("a server that waits for a decision for ever is erased when it is given up", () => {
  const watch = new Watch()
  const puppet = serverUnderTest({ server: { provider: watch.provider(provider) } }).deliverUntil("finished")
  expect(puppet.subject).toBeInstanceOf(ServerConnection)
  puppet.subject.destroy()
  expect(watch.left).toEqual([])
})
