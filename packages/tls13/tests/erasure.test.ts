// What becomes of secrets: "should be erased" (RFC 9846 section 7.1 and appendix C.1). A provider that watches itself notes
// every array of the key schedule and of the key exchange, and every keyed object; after a handshake that failed, was called
// off, timed out or was given up, in any state, all of them are zeros and wiped. After one that is complete, all but what the
// connection needs; after its end, all.

import { describe, expect, it } from "vitest"
import { ContentType } from "../src/bytes/code-points.ts"
import { Pause } from "../src/bytes/pause.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import type {
  Aead,
  AeadKey,
  Hash,
  HmacKey,
  ImmediateCryptoProvider,
  ImmediateKeyExchange,
  RandomSource,
} from "../src/crypto/provider.ts"
import { Pair } from "../src/testing/pair.ts"
import { Later } from "./later.ts"
import {
  type Cast,
  clientCertificate,
  clientUnderTest,
  early,
  provider,
  resumed,
  scene,
  serverUnderTest,
  start,
} from "./support.ts"
import type { Puppet } from "./tools/puppet.ts"

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

  provider(from: ImmediateCryptoProvider): ImmediateCryptoProvider {
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

  #keyExchange(group: ImmediateKeyExchange): ImmediateKeyExchange {
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

/** X25519 of zeros is zero. */
function answersZeros(group: ImmediateKeyExchange): ImmediateKeyExchange {
  return { ...group, respond: (_share, random) => ({ share: new Uint8Array(32), secret: random(32) }) }
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

  it("destroyed at any event of its trace, also in the step that completes the handshake, it leaves nothing behind", () => {
    for (let at = 0; ; at++) {
      const { watch, cast } = watched()
      const { client, server } = scene(cast(withTickets))
      let seen = 0
      const trace = () => {
        if (seen++ === at) subject.destroy()
      }
      const of = (side: typeof role) => (side === role ? { trace } : {})
      const pair = new Pair(
        new ClientConnection(createClientConfig({ ...client, ...of("client") }), start),
        new ServerConnection(createServerConfig({ ...server, ...of("server") }), start),
        start,
      )
      const subject = pair[role].connection
      pair.handshake()
      if (seen <= at) {
        expect(at).toBeGreaterThan(30)
        return
      }
      expect(watch.left, `event ${at}`).toEqual([])
      expect(subject.failure?.message, `event ${at}`).toBe("the connection was destroyed")
    }
  })
})

it("RFC 9846 7.1: a server keeps no secret of the early data but that of its exporter", () => {
  const watch = new Watch()
  const { server, ...given } = early()
  const puppet = serverUnderTest({ ...given, server: { ...server, provider: watch.provider(provider) } })
  puppet.deliver()
  expect(puppet.state).toBe("WAIT_EOED")
  expect(watch.left.filter((what) => ["c e traffic", "e exp master"].includes(what))).toEqual(["e exp master"])
})

describe.each(["client", "server"] as const)("what the trace sink of a %s throws", (role) => {
  // With ChaCha20-Poly1305 a key is as long as a hash: it is watched from where it is made.
  const suites = { cipherSuites: ["TLS_CHACHA20_POLY1305_SHA256"] }
  const chacha = early({ client: suites, server: suites })
  const casts: Readonly<Record<string, Cast>> = {
    "a full handshake": {},
    "client certificates": clientCertificate,
    "0-RTT data": chacha,
  }

  it.each(Object.entries(casts))("leaves nothing behind, whatever it was told: %s", (_name, cast) => {
    let events = 0
    for (let fatal = 0; fatal <= events; fatal++) {
      const watch = new Watch()
      let told = 0
      const trace = () => {
        if (told++ === fatal) throw new Error("the disk is full")
      }
      const watching = { provider: watch.provider(provider), trace }
      const { client, server } = scene({ ...cast, [role]: { ...cast[role], ...watching } })
      const pair = new Pair(
        new ClientConnection(createClientConfig(client), start),
        new ServerConnection(createServerConfig(server), start),
        start,
      )
      pair.take(pair.client, pair.client.connection.start())
      pair.run()
      const { connection } = pair[role]
      if (told > fatal) {
        events = told
        expect(connection.failure).toMatchObject({ alert: "internal_error" })
        expect({ fatal, left: watch.left }).toEqual({ fatal, left: [] })
      } else {
        expect(connection.info).toBeDefined()
        connection.destroy()
      }
    }
    expect(events).toBeGreaterThan(20)
  })
})

it.each([
  ["a label that is no ASCII", "EXPORTER-é", 32],
  ["an empty label", "", 32],
  ["more bytes than HKDF gives", "EXPORTER-test", 255 * 32 + 1],
])("RFC 9846 7.5: what is exported in vain leaves nothing behind: %s", (_name, label, length) => {
  const watch = new Watch()
  const { subject } = clientUnderTest({ client: { provider: watch.provider(provider) } }).run()
  const before = watch.left
  expect(() => subject.exportKeyingMaterial(label, new Uint8Array(0), length)).toThrow()
  expect(watch.left).toEqual(before)
})

describe("a private value that cannot be erased, of a key exchange in a device, say", () => {
  const broken = (watch: Watch): Cast => {
    const watched = watch.provider(provider)
    const keyExchanges = watched.keyExchanges.map((group) => ({
      ...group,
      start: (random: RandomSource) => {
        const started = group.start(random)
        const wipe = () => {
          started.wipe()
          throw new Error("the device is away")
        }
        return { share: started.share, complete: (share: Uint8Array) => started.complete(share), wipe }
      },
    }))
    return { ...psk, client: { ...psk.client, provider: { ...watched, keyExchanges } } }
  }

  it.each(Object.entries(endings))("keeps nothing else from it, and throws nowhere: when it %s", (_name, end) => {
    const watch = new Watch()
    const puppet = clientUnderTest(broken(watch))
    expect(puppet.subject.failure).toBeUndefined()
    expect(() => end(puppet)).not.toThrow()
    expect(puppet.subject.failure).toBeDefined()
    expect(puppet.subject.failure?.message).not.toContain("device")
    expect(watch.left).toEqual([])
  })

  const completesLater: typeof endings = {
    ...endings,
    fails: ({ subject, now }) => void subject.abandon("given up", now),
    "loses its transport": ({ subject, now }) => {
      subject.receiveEnd(now)
      subject.destroy()
    },
  }
  it.each(Object.entries(completesLater))("nor while the secret is still to come: when it %s", (_name, end) => {
    const watch = new Watch()
    const { client } = broken(watch)
    const keyExchanges = client!.provider!.keyExchanges.map((group) => ({
      ...group,
      start: (random: RandomSource) => ({ ...(group.start(random) as object), complete: () => new Pause() }) as never,
    }))
    const puppet = clientUnderTest({ ...psk, client: { ...client, provider: { ...client!.provider!, keyExchanges } } })
    puppet.deliver()
    expect(puppet.outcome?.waitsFor).toMatchObject({ name: "CompleteKeyExchange" })
    expect(() => end(puppet)).not.toThrow()
    expect(puppet.subject.failure?.message).not.toContain("device")
    expect(watch.left).toEqual([])
  })

  it("nor does it take the place of a key share that cannot be used", () => {
    const watch = new Watch()
    const zeros = { ...provider, keyExchanges: provider.keyExchanges.map(answersZeros) }
    const puppet = clientUnderTest({ ...broken(watch), server: { provider: zeros } }).run()
    expect(puppet.subject.failure).toMatchObject({ alert: "illegal_parameter", kind: "PeerMisbehaved" })
    expect(watch.left).toEqual([])
  })

  it("nor does it take the place of what the peer did wrong", () => {
    const watch = new Watch()
    const puppet = clientUnderTest(broken(watch))
    puppet.send(ContentType.handshake, Uint8Array.of(2, 0, 0, 1, 0))
    expect(puppet.subject.failure).toMatchObject({ alert: "decode_error", kind: "InvalidMessage" })
    expect(watch.left).toEqual([])
  })

  it("ends a handshake that goes on as a defect of the callback", () => {
    const watch = new Watch()
    const { subject } = clientUnderTest(broken(watch)).run()
    expect(subject.failure).toMatchObject({ alert: "internal_error", cause: { message: "the device is away" } })
    expect(watch.left).toEqual([])
  })
})

describe.each(["client", "server"] as const)("a traffic key of a %s that cannot be erased", (role) => {
  const later = (watch: Watch) => {
    let isAway = false
    const watched = watch.provider(provider)
    const cipherSuites = watched.cipherSuites.map((suite) => {
      const key = (bytes: Uint8Array): AeadKey => {
        const inner = suite.aead.key(bytes)
        const wipe = () => {
          inner.wipe()
          if (isAway) throw new Error("the accelerator is away")
        }
        return { seal: (...all) => inner.seal(...all), open: (...all) => inner.open(...all), wipe }
      }
      return { ...suite, aead: { ...suite.aead, key } }
    })
    const goAway = () => {
      isAway = true
    }
    return { goAway, cast: { [role]: { provider: { ...watched, cipherSuites } } } as Cast }
  }

  it.each(Object.entries(endings))("keeps nothing else from it, and throws nowhere: when it %s", (_name, end) => {
    const watch = new Watch()
    const { goAway, cast } = later(watch)
    const puppet = (role === "client" ? clientUnderTest : serverUnderTest)(cast).run()
    expect(puppet.subject.info).toBeDefined()
    goAway()
    expect(() => end(puppet)).not.toThrow()
    expect(puppet.subject.failure?.message).not.toContain("accelerator")
    expect(watch.left).toEqual([])
  })

  it("ends a connection that goes on as a defect of the provider", () => {
    const watch = new Watch()
    const { goAway, cast } = later(watch)
    const puppet = (role === "client" ? clientUnderTest : serverUnderTest)(cast).run()
    goAway()
    puppet.take(puppet.subject.updateKeys())
    expect(puppet.subject.failure).toMatchObject({ alert: "internal_error" })
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

describe("a key exchange that is answered after the end", () => {
  const reach = {
    StartKeyExchange: (watch: Watch, later: Later) =>
      clientUnderTest({ client: { provider: later.keyExchanges(watch.provider(provider), ["start"]) } }),
    CompleteKeyExchange: (watch: Watch, later: Later) => {
      const puppet = clientUnderTest({
        client: { provider: later.keyExchanges(watch.provider(provider), ["complete"]) },
      })
      puppet.deliver()
      return puppet
    },
    RespondToKeyShare: (watch: Watch, later: Later) => {
      const puppet = serverUnderTest({
        server: { provider: later.keyExchanges(watch.provider(provider), ["respond"]) },
      })
      puppet.deliver()
      return puppet
    },
  }
  const cases = Object.keys(reach).flatMap((name) => Object.keys(endings).map((how) => [name, how] as const))
  const ends: Readonly<Record<string, (puppet: Puppet) => void>> = {
    ...endings,
    // What comes in is not read while a decision is due.
    fails: ({ subject, now }) => void subject.abandon("given up", now),
    "loses its transport": (puppet) => {
      puppet.take(puppet.subject.receiveEnd(puppet.now))
      expect(puppet.subject.failure).toBeUndefined()
      puppet.subject.destroy()
    },
  }

  it.each(cases)("%s: its secret is erased when the connection %s", (name, how) => {
    const [watch, later] = [new Watch(), new Later()]
    const puppet = reach[name as keyof typeof reach](watch, later)
    const { waitsFor } = puppet.outcome!
    if (typeof waitsFor === "string") throw new Error("it does not wait")
    expect(waitsFor.name).toBe(name)
    ends[how]!(puppet)
    expect(puppet.subject.failure).toBeDefined()
    // The answer itself is all that is left.
    expect(watch.left).toEqual([name === "StartKeyExchange" ? "private value" : "shared secret"])
    puppet.subject.answer(later.answerTo(waitsFor.pause), puppet.now)
    expect(watch.left).toEqual([])
  })

  it.each(Object.keys(reach))("%s: its secret is erased when the answer itself comes too late", (name) => {
    const [watch, later] = [new Watch(), new Later()]
    const { subject, outcome } = reach[name as keyof typeof reach](watch, later)
    const { waitsFor } = outcome!
    if (typeof waitsFor === "string") throw new Error("it does not wait")
    subject.answer(later.answerTo(waitsFor.pause), subject.deadline!)
    expect(subject.failure).toMatchObject({ limit: "handshakeTime" })
    expect(watch.left).toEqual([])
  })

  it("no answer at all is nothing to erase", () => {
    const puppet = reach.RespondToKeyShare(new Watch(), new Later())
    puppet.subject.destroy()
    expect(puppet.subject.answer(undefined, puppet.now)).toMatchObject({ events: [] })
  })
})
