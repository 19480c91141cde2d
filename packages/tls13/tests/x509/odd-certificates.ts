// Certificates that break a rule of their encoding, though everything in them can be read: many tools make them.

import { contextConstructed } from "../../src/x509/der/der.ts"
import { derNull, derOid, derSequence, derValue } from "../../src/x509/der/der-writer.ts"
import { type Issued, makeIntermediate, makeRoot } from "./pki.ts"

/** With its private key, each. */
export type Odd = Pick<Issued, "der" | "privateKey" | "publicKey">

const ecdsaWithSha256 = derOid("1.2.840.10045.4.3.2")

/** `subject` is the name on each of them. */
export function oddCertificates(commonName: string): readonly (readonly [oddity: string, certificate: Odd])[] {
  const subject = { commonName }
  return [
    [
      "an empty list of extensions",
      makeRoot({ subject, extensions: [], after: [derValue(contextConstructed(3), derSequence())] }),
    ],
    [
      "ecdsa-with-SHA256 with parameters",
      withOuterParameters(makeRoot({ subject, innerAlgorithm: derSequence(ecdsaWithSha256, derNull()) })),
    ],
    [
      "two signature algorithms that differ",
      makeRoot({ subject, innerAlgorithm: derSequence(derOid("1.2.840.10045.4.3.3")) }),
    ],
    ["a negative serial number", makeIntermediate(makeRoot(), { subject, serialDer: Uint8Array.of(2, 1, 0xfb) })],
    ["a version that does not exist", makeRoot({ subject, version: 7 })],
    ["times that are none", makeRoot({ subject, validity: derSequence(derNull()) })],
    ["data behind the extensions", makeRoot({ subject, after: [derNull()] })],
  ]
}

/** The same identifier outside, so that nothing but the parameters is odd. */
function withOuterParameters({ der, privateKey, publicKey }: Issued): Odd {
  const plain = derSequence(ecdsaWithSha256)
  const odd = derSequence(ecdsaWithSha256, derNull())
  const text = Buffer.from(der).toString("hex")
  const at = text.lastIndexOf(Buffer.from(plain).toString("hex")) / 2
  const content = Buffer.concat([der.subarray(4, at), odd, der.subarray(at + plain.length)])
  return { privateKey, publicKey, der: derSequence(new Uint8Array(content)) }
}
