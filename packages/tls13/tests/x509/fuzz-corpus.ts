// What the fuzzers begin with: certificates of every kind that the tests make, lists, responses and keys.

import type { Corpus } from "../../fuzz/x509.ts"
import { basicConstraints, nameConstraints } from "../../src/devcert/extensions.ts"
import { encodePkcs8 } from "../../src/devcert/keys.ts"
import { derOid, derSequence, derValue } from "../../src/x509/der/der-writer.ts"
import { certificateBytes, Oid, parsePem } from "../../src/x509/index.ts"
import {
  crlNumber,
  extension,
  makeCrl,
  makeIntermediate,
  makeLeaf,
  makeOcsp,
  makeRoot,
  privateKeyOf,
  withExtension,
} from "./pki.ts"

/** What `openssl.json` holds. */
export interface MadeByOpenSsl {
  readonly keys: Readonly<
    Record<string, { readonly cert: string; readonly key: string; readonly sec1?: string; readonly pkcs1?: string }>
  >
  readonly crl: string
  readonly ocsp: { readonly good: string }
}

/** Ed25519 signs the same way every time, so equal seeds see equal bytes. */
export function fuzzCorpus(made: MadeByOpenSsl): Corpus {
  const pem = (text: string | undefined): Uint8Array => parsePem(text ?? "")[0]!.der
  const root = makeRoot({ key: 1, curve: "ed25519" })
  const ica = makeIntermediate(root, {
    key: 2,
    curve: "ed25519",
    pathLength: 1,
    change: (usual) => [
      ...withExtension(
        nameConstraints(
          [
            { type: "dns", value: "example.com" },
            { type: "ip", value: Uint8Array.of(10, 0, 0, 0, 255, 0, 0, 0) },
          ],
          [{ type: "email", value: "example.org" }],
        ),
      )(usual),
      extension(Oid.certificatePolicies, false, derSequence(derSequence(derOid("1.2.3.4")))),
      extension(Oid.policyConstraints, true, derSequence(derValue(0x80, Uint8Array.of(0)))),
      extension(Oid.policyMappings, false, derSequence(derSequence(derOid("1.2.3.4"), derOid("1.2.3.5")))),
    ],
  })
  const leaf = makeLeaf(ica, { key: 3, curve: "ed25519", names: ["example.com", "*.example.com", "192.0.2.1"] })
  const certificates = [
    root,
    ica,
    leaf,
    makeRoot({ key: 4, pathLength: 2, curve: "ed25519" }),
    makeLeaf(root, { key: 5, curve: "ed25519", change: withExtension(basicConstraints(true, 0)) }),
  ].map((each) => each.der)
  return {
    certificates: [...certificates, ...["rsa", "ec-P-384"].flatMap((name) => certificateBytes(made.keys[name]!.cert))],
    crls: [
      makeCrl(root, { revoked: [{ serial: Uint8Array.of(1, 2), reason: 1 }, { serial: Uint8Array.of(9) }] }),
      makeCrl(ica, {
        extensions: [
          crlNumber,
          extension(
            Oid.issuingDistributionPoint,
            true,
            derSequence(derValue(0xa0, derValue(0xa0, derValue(0x86, Uint8Array.of(97))))),
          ),
        ],
      }),
      pem(made.crl),
    ],
    ocspResponses: [
      makeOcsp(leaf, ica),
      makeOcsp(leaf, ica, { status: "revoked", byName: true, certificates: [ica.der] }),
      new Uint8Array(Buffer.from(made.ocsp.good, "base64")),
    ],
    keys: [
      encodePkcs8(privateKeyOf(1)),
      encodePkcs8(privateKeyOf(1, "ed25519")),
      pem(made.keys["rsa"]?.key),
      pem(made.keys["rsa"]?.pkcs1),
      pem(made.keys["ec-P-256"]?.sec1),
    ],
  }
}
