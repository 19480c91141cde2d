// The part of x509-limbo's schema that the runner reads.

export interface PeerName {
  readonly kind: "DNS" | "IP" | "RFC822"
  readonly value: string
}

export interface Testcase {
  readonly id: string
  readonly features: readonly string[] | null
  readonly description: string
  readonly validation_kind: "SERVER" | "CLIENT"
  readonly trusted_certs: readonly string[]
  readonly untrusted_intermediates: readonly string[]
  readonly peer_certificate: string
  readonly validation_time: string | null
  readonly key_usage: readonly string[] | null
  readonly extended_key_usage: readonly string[] | null
  readonly expected_result: "SUCCESS" | "FAILURE"
  readonly expected_peer_name: PeerName | null
  readonly expected_peer_names: readonly PeerName[] | null
  readonly max_chain_depth: number | null
  readonly crls?: readonly string[] | null
}

export interface Limbo {
  readonly version: number
  readonly testcases: readonly Testcase[]
}

export function isLimbo(value: unknown): value is Limbo {
  return (
    typeof value === "object" &&
    value !== null &&
    "version" in value &&
    value.version === 1 &&
    "testcases" in value &&
    Array.isArray(value.testcases)
  )
}
