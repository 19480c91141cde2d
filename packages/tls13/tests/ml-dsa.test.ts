// ML-DSA in CertificateVerify, draft-ietf-tls-mldsa.

import { ml_dsa44 } from "@noble/post-quantum/ml-dsa.js"
import { describe, expect, it } from "vitest"
import { SignatureScheme } from "../src/bytes/code-points.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import {
  generateMlDsaKey,
  generateMlDsaKeyPair,
  mlDsaPublicKey,
  mlDsaSignatures,
} from "../src/crypto/noble-pq/index.ts"
import { signatureScheme } from "../src/crypto/signature-schemes.ts"
import { createDevelopmentCertificates } from "../src/devcert/index.ts"
import { Pair } from "../src/testing/pair.ts"
import { loadCredential, singleCredential } from "../src/x509/certificate/credential.ts"
import { trustStoreFromPem } from "../src/x509/path/trust.ts"
import { createCertificateVerifier } from "../src/x509/path/verifier.ts"
import { mlDsaNames } from "./crypto/ml-dsa-keys.ts"
import { clientUnderTest, expectRefused, provider as noble, serverUnderTest, start } from "./support.ts"
import { always, testCredential, testVerifier } from "./tools/credentials.ts"

const provider = { ...noble, signatures: [...noble.signatures, ...mlDsaSignatures] }

describe.each(mlDsaNames)("%s", (type) => {
  const scheme = type.replaceAll("-", "") as "mldsa44" | "mldsa65" | "mldsa87"

  it("authenticates both sides, with certificates of its own all the way", () => {
    const pem = createDevelopmentCertificates({
      names: ["server.test"],
      clientName: "device",
      keyPair: () => generateMlDsaKeyPair(type, noble.random),
      provider,
      now: start,
    })
    const verifier = createCertificateVerifier({ trust: trustStoreFromPem(pem.caCert) })
    const resolver = (cert: string, key: string) => singleCredential(loadCredential({ cert, key, provider }))
    const client = createClientConfig({
      provider,
      serverName: "server.test",
      verifier,
      credentials: resolver(pem.clientCert!, pem.clientKey!),
    })
    const server = createServerConfig({
      provider,
      credentials: resolver(pem.serverCert, pem.serverKey),
      clientAuthentication: { mode: "require", verifier },
    })
    const pair = new Pair(new ClientConnection(client, start), new ServerConnection(server, start), start).handshake()
    for (const { connection } of [pair.client, pair.server])
      expect(connection.info).toMatchObject({ authentication: "certificate", peerSignatureScheme: scheme })
  })

  it("has its code point", () => {
    expect(SignatureScheme[scheme]).toBe({ mldsa44: 0x0904, mldsa65: 0x0905, mldsa87: 0x0906 }[scheme])
    expect(signatureScheme(SignatureScheme[scheme])).toMatchObject({ name: scheme, key: type })
  })
})

describe("ML-DSA that cannot be taken", () => {
  const key = generateMlDsaKey("ml-dsa-44", noble.random)
  const publicKey = mlDsaPublicKey(key)
  const rawKey = { ...testCredential(key, publicKey), type: "RawPublicKey" } as const
  const credentials = always(testCredential(key, publicKey))
  const verifier = testVerifier(publicKey)
  const sign = (change: (signature: Uint8Array, message: Uint8Array) => Uint8Array) => {
    const credential = testCredential(key, publicKey)
    const signer = {
      sign: (...[scheme, message, by]: Parameters<typeof credential.signer.sign>) =>
        change(credential.signer.sign(scheme, message, by) as Uint8Array, message),
    }
    const puppet = clientUnderTest({
      client: { provider, verifier },
      server: { provider, credentials: always({ ...credential, signer }) },
    })
    puppet.run()
    expectRefused(puppet, "decrypt_error", "PeerMisbehaved", /wrong signature/)
  }

  it("a client whose provider has none does not offer it, and gets no certificate", () => {
    const puppet = serverUnderTest({
      client: { provider: noble, verifier, certificateTypes: { server: ["RawPublicKey"] } },
      server: { provider, credentials: singleCredential(rawKey), certificateTypes: { server: ["RawPublicKey"] } },
    })
    puppet.run()
    expectRefused(puppet, "handshake_failure", "PeerIncompatible", /ML-DSA-44/)
  })

  it("a changed signature, one of another length, and one with a context", () => {
    sign((signature) => signature.map((byte, i) => (i === 9 ? byte ^ 1 : byte)))
    sign((signature) => signature.subarray(1))
    sign((_, message) => {
      const { secretKey } = ml_dsa44.keygen(key.seed!)
      return ml_dsa44.sign(message, secretKey, { context: Uint8Array.of(0) })
    })
  })

  it("a scheme of another parameter set than the key's: illegal_parameter", () => {
    const other = mlDsaPublicKey(generateMlDsaKey("ml-dsa-65", noble.random))
    const puppet = clientUnderTest({
      client: { provider, verifier: testVerifier(other) },
      server: { provider, credentials },
    })
    puppet.run()
    expectRefused(puppet, "illegal_parameter", "PeerMisbehaved", /mldsa44 does not fit the ml-dsa-65 key/)
  })
})
