// Over streams, too, a session is resumed only under the rules that it was made under.

import { describe, expect, it } from "vitest"
import { streamClientConfig, streamServerConfig } from "../src/adapters/stream-config.ts"
import { acceptAnyCertificate } from "../src/dangerous/index.ts"
import { createDevelopmentCertificates } from "../src/devcert/index.ts"
import { trustStoreFromPem } from "../src/x509/path/trust.ts"
import { createCertificateVerifier } from "../src/x509/path/verifier.ts"

const one = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
const other = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
const verifier = createCertificateVerifier({ trust: trustStoreFromPem(one.caCert) })

const client = (rules: Partial<Parameters<typeof streamClientConfig>[0]>) =>
  streamClientConfig({ hostname: "localhost", port: 1, ...rules }).resumptionPartition
const server = (rules: Partial<Parameters<typeof streamServerConfig>[0]>) =>
  streamServerConfig({ cert: one.serverCert, key: one.serverKey, ...rules }).resumptionPartition

describe("the partition of sessions", () => {
  it("is another for other authorities, another verifier, and none", () => {
    const partitions = [
      client({ ca: one.caCert }),
      client({ ca: other.caCert }),
      client({ verifier }),
      client({ verifier: acceptAnyCertificate() }),
      server({}),
      server({ ca: one.caCert, clientAuthentication: { mode: "request" } }),
      server({ ca: other.caCert, clientAuthentication: { mode: "request" } }),
      server({ verifier, clientAuthentication: { mode: "request" } }),
      server({ verifier: acceptAnyCertificate(), clientAuthentication: { mode: "request" } }),
    ]
    expect(new Set(partitions.slice(0, 4)).size).toBe(4)
    expect(new Set(partitions.slice(4)).size).toBe(5)
  })

  it("is the same for the same, and the application's own when it gives one", () => {
    expect(client({ ca: one.caCert })).toBe(client({ ca: one.caCert }))
    expect(client({ verifier })).toBe(client({ verifier }))
    expect(client({ verifier, core: { resumptionPartition: "mine" } })).toBe("mine")
    expect(client({ verifier, core: { resumptionPartition: undefined } })).toBe(client({ verifier }))
    expect(server({ core: { resumptionPartition: undefined } })).toBe(server({}))
  })
})
