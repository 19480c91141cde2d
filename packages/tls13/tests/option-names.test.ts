// A setting has one name, from what an application writes to where a handshake reads it. Adapters have those of their platform
// beside it (node:tls), and a few of their own. `npm run check` compiles this; the names that are given here are all exceptions.

import type { TcpNetConnectOpts } from "node:net"
import type { ConnectionOptions, TLSSocketOptions, TlsOptions } from "node:tls"
import { describe, expect, expectTypeOf, it } from "vitest"
import type { HandshakeLimitOptions } from "../src/adapters/handshake-gate.ts"
import { type ConnectOptions, connect } from "../src/adapters/node/connect.ts"
import { placesInConnect, placesInCreateServer } from "../src/adapters/node/misplaced-options.ts"
import { createServer, type TlsServerOptions } from "../src/adapters/node/server.ts"
import {
  type ConnectStreamOptions,
  type ListenStreamOptions,
  streamServerConfig,
} from "../src/adapters/stream-config.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import type {
  ClientAuthenticationOptions,
  ClientOptions,
  CommonOptions,
  ServerOptions,
} from "../src/handshake/options.ts"
import {
  type ClientSettings,
  clientAuthenticationDefaults,
  clientDefaults,
  commonDefaults,
  type ServerSettings,
  serverDefaults,
} from "../src/handshake/settings.ts"
import type { VerifierOptions } from "../src/x509/path/verifier.ts"
import { clientCertificate, clientOptions, serverOptions } from "./support.ts"

/** What a handshake reads beside the options. */
type Made = "role" | "scratch" | "signatureSchemesCert" | "rewriteMessage" | "explanations"

type NamesOf<Options, Known> = Exclude<keyof Options, keyof Known>

describe("a configuration", () => {
  it("has the options of a client by their names", () => {
    expectTypeOf<NamesOf<ClientSettings, ClientOptions>>().toEqualTypeOf<Made>()
    expectTypeOf<NamesOf<ClientOptions, ClientSettings>>().toEqualTypeOf<never>()
    const options = { ...clientOptions, grease: true, requestOcspResponse: true, keyShares: [], maxFragment: 64 }
    const config = createClientConfig(options)
    expect(Object.keys(config)).toEqual(expect.arrayContaining(Object.keys(options)))
    const { grease, requestOcspResponse, keyShares, maxFragment } = config
    expect({ ...clientOptions, grease, requestOcspResponse, keyShares, maxFragment }).toEqual(options)
  })

  it("has the options of a server by their names", () => {
    type Authentication = NonNullable<ServerSettings["clientAuthentication"]>
    expectTypeOf<NamesOf<ServerSettings, ServerOptions>>().toEqualTypeOf<Made>()
    expectTypeOf<NamesOf<ServerOptions, ServerSettings>>().toEqualTypeOf<never>()
    expectTypeOf<keyof Authentication>().toEqualTypeOf<keyof ClientAuthenticationOptions>()
    const clientAuthentication = { ...clientCertificate.server.clientAuthentication, reverifyOnResumption: true }
    const config = createServerConfig({ ...serverOptions, clientAuthentication, tickets: 7 })
    expect(config.tickets).toBe(7)
    expect(config.clientAuthentication?.reverifyOnResumption).toBe(true)
  })
})

describe("a default", () => {
  it("is that of an option", () => {
    expectTypeOf<NamesOf<typeof commonDefaults, CommonOptions>>().toEqualTypeOf<never>()
    expectTypeOf<NamesOf<typeof clientDefaults, ClientOptions>>().toEqualTypeOf<never>()
    expectTypeOf<NamesOf<typeof serverDefaults, ServerOptions>>().toEqualTypeOf<never>()
    expectTypeOf(commonDefaults).toExtend<Partial<CommonOptions>>()
    expectTypeOf(clientDefaults).toExtend<Partial<ClientOptions>>()
    expectTypeOf(serverDefaults).toExtend<Partial<ServerOptions>>()
    expectTypeOf(clientAuthenticationDefaults).toExtend<Partial<ClientAuthenticationOptions>>()
    expect(createClientConfig(clientOptions)).toMatchObject({ ...commonDefaults, ...clientDefaults })
    expect(createServerConfig(serverOptions)).toMatchObject({ ...commonDefaults, ...serverDefaults })
  })
})

describe("an adapter has no names of its own but these", () => {
  it("that of Node", () => {
    type Judging = "trust" | "profile" | "revocation" | "pins" | "rawPublicKeys" | "identity"
    expectTypeOf<Judging extends keyof VerifierOptions ? true : false>().toEqualTypeOf<true>()
    type Own =
      | Exclude<Judging, "identity">
      | "ocspResponse"
      | "rawPublicKey"
      | "keylog"
      | "recorder"
      | "core"
      | "extendVerifier"
    type Node = ConnectionOptions & TLSSocketOptions & TcpNetConnectOpts
    expectTypeOf<NamesOf<ConnectOptions, ClientOptions & Node>>().toEqualTypeOf<
      Own | "handshakeTimeout" | "highWaterMark"
    >()
    expectTypeOf<NamesOf<TlsServerOptions, ServerOptions & TlsOptions & HandshakeLimitOptions>>().toEqualTypeOf<
      Own | "identity" | "lendsData" | "verifier" | "workers"
    >()
  })

  it("that of Node says where each other name of the core goes, and each of an older version", () => {
    type Old = "psks"
    type Places<Here> = Readonly<Record<string, keyof Here>>
    expectTypeOf(placesInConnect).toExtend<Places<ConnectOptions>>()
    expectTypeOf(placesInCreateServer).toExtend<Places<TlsServerOptions>>()
    expectTypeOf<keyof typeof placesInConnect>().toEqualTypeOf<NamesOf<ClientOptions, ConnectOptions> | Old>()
    expectTypeOf<keyof typeof placesInCreateServer>().toEqualTypeOf<NamesOf<ServerOptions, TlsServerOptions> | Old>()
    for (const [name, place] of Object.entries(placesInConnect)) {
      const hint = place === "core" ? `give it as \`core: { ${name} }\`` : `did you mean \`${place}\`?`
      expect(() => connect({ port: 1, [name]: [] })).toThrow(`\`${name}\` is no option of connect: ${hint}`)
    }
    for (const name of Object.keys(placesInCreateServer)) {
      expect(() => createServer({ [name]: [] })).toThrow(`\`${name}\` is no option of createServer: `)
      // As nobody's.
      expect(() => createServer({ [name]: undefined })).toThrow("a TLS server needs `cert` and `key`")
    }
  })

  it("those of a listener say what an older name is", () => {
    const options: ListenStreamOptions = { port: 0, ...{ clientCertificates: "require" } }
    expect(() => streamServerConfig(options)).toThrow("did you mean `clientAuthentication`?")
  })

  it("those of the other runtimes", () => {
    type Common = "cert" | "key" | "ca" | "hostname" | "port" | "allowHalfOpen" | "recorder" | "core"
    expectTypeOf<NamesOf<ConnectStreamOptions, ClientOptions>>().toEqualTypeOf<Common | "secureTransport">()
    expectTypeOf<NamesOf<ListenStreamOptions, ServerOptions>>().toEqualTypeOf<
      Common | "verifier" | "handshakes" | "onFault"
    >()
  })
})
