// A certificate that is no certificate: enough for tests of the handshake, which leaves certificates to a verifier.

import { Pause } from "../../src/bytes/pause.ts"
import type { PrivateKey, PublicKey } from "../../src/crypto/keys.ts"
import type {
  CertificateVerdict,
  CertificateVerifier,
  Credential,
  CredentialResolver,
} from "../../src/x509/interfaces.ts"

/** Signs with a key in memory; its chain is one opaque value. */
export function testCredential(
  privateKey: PrivateKey,
  publicKey: PublicKey,
  data: Uint8Array = Uint8Array.of(0x30, 0),
): Credential {
  return {
    type: "X509",
    chain: [data],
    publicKey,
    signer: {
      sign(scheme, message, provider) {
        const algorithm = provider.signatures.find(({ name }) => name === scheme.algorithm)!
        return algorithm.sign(privateKey, message, provider.random)
      },
    },
  }
}

export function always(credential: Credential | undefined): CredentialResolver {
  return { resolve: () => credential }
}

/** Takes any chain for that of the key; or refuses all with `verdict`. */
export function testVerifier(publicKey: PublicKey, verdict?: CertificateVerdict): CertificateVerifier {
  return {
    leafKey: () => publicKey,
    verify: ({ chain, type }) =>
      verdict ?? { accepted: true, publicKey, identity: { type, chain, path: chain, subject: "CN=test" } },
  }
}

/** Makes a callback's answer wait for `connection.answer`. */
export function paused<Answer>(): Pause<Answer> {
  return new Pause<Answer>()
}
