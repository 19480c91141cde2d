// BoringSSL's compliance policies (SSL_set_compliance_policy), as the suites, groups and signature schemes that they leave.

import type { FlagName, Flags } from "./flags.ts"

export interface Policy {
  /** In order of preference. */
  readonly cipherSuites: readonly string[]
  /** Code points; undefined: as without a policy. */
  readonly groups?: readonly number[]
  /** Code points, to sign with and to verify; undefined: as without a policy. */
  readonly signatureSchemes?: readonly number[]
  /** The server's order counts, not the client's. */
  readonly ownOrder?: true
}

const [aes128, aes256, chacha20] = [
  "TLS_AES_128_GCM_SHA256",
  "TLS_AES_256_GCM_SHA384",
  "TLS_CHACHA20_POLY1305_SHA256",
] as const
const [p256, p384, mlkem1024] = [0x0017, 0x0018, 0x0202]
const cnsaSchemes = [0x0503, 0x0805, 0x0501]

const policies: readonly (readonly [FlagName, Policy])[] = [
  [
    "-fips-202205",
    {
      cipherSuites: [aes128, aes256],
      groups: [p256, p384],
      signatureSchemes: [0x0401, 0x0501, 0x0601, 0x0403, 0x0503, 0x0804, 0x0805, 0x0806],
    },
  ],
  [
    "-wpa-202304",
    { cipherSuites: [aes256], groups: [p384], signatureSchemes: [0x0501, 0x0601, 0x0503, 0x0805, 0x0806] },
  ],
  ["-cnsa-202407", { cipherSuites: [aes256, aes128, chacha20], ownOrder: true }],
  [
    "-cnsa1-202603",
    { cipherSuites: [aes256], groups: [mlkem1024, p384], signatureSchemes: cnsaSchemes, ownOrder: true },
  ],
  ["-cnsa2-202603", { cipherSuites: [aes256], groups: [mlkem1024], signatureSchemes: cnsaSchemes }],
]

/** What overrides the other flags; undefined without a policy. */
export function policyOf(flags: Flags): Policy | undefined {
  return policies.find(([flag]) => flags.has(flag))?.[1]
}
