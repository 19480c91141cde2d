// The flags of BoringSSL's shim (ssl/test/test_config.cc), as far as they mean something to a stack that has TLS 1.3 only.
// Any other flag makes the test "unimplemented".

import { Unimplemented } from "./outcomes.ts"

// The names say what flags mean, test_config.cc how. Some are about functions of BoringSSL alone and change nothing here:
// -trust-cert, -cipher and -handshake-twice, -implicit-handshake, -partial-write, -no-op-extra-handshake, -peek-then-read (here
// data is handed over, not asked for), the renegotiation and session-id flags, which are of TLS 1.2, and
// -expect-early-data-reason, whose words are BoringSSL's.
// -send-alert is none of these: its one test sends decompression_failure, which RFC 9846 appendix B lists as RESERVED, and
// what is "MUST NOT" be sent; any other error alert an application sends by `abort`.

const withValue = [
  "-port",
  "-shim-id",
  "-resume-count",
  "-verify-prefs",
  "-expect-peer-verify-pref",
  "-curves",
  "-key-shares",
  "-trust-cert",
  "-expect-server-name",
  "-shim-initial-write",
  "-repeat-shim-initial-write",
  "-host-name",
  "-advertise-alpn",
  "-expect-alpn",
  "-expect-advertised-alpn",
  "-select-alpn",
  "-expect-signed-cert-timestamps",
  "-min-version",
  "-max-version",
  "-expect-version",
  "-cipher",
  "-export-keying-material",
  "-export-label",
  "-export-context",
  "-expect-ocsp-response",
  "-expect-total-renegotiations",
  "-expect-peer-signature-algorithm",
  "-expect-curve-id",
  "-use-client-ca-list",
  "-expect-client-ca-list",
  "-max-cert-list",
  "-expect-cipher-aes",
  "-expect-cipher-no-aes",
  "-expect-cipher",
  "-expect-peer-cert-file",
  "-resumption-delay",
  "-max-send-fragment",
  "-read-size",
  "-expect-early-data-reason",
  "-expect-ticket-age-skew",
  "-early-write-after-message",
  "-expect-selected-credential",
  "-cert-file",
  "-key-file",
  "-signing-prefs",
  "-ocsp-response",
  "-signed-cert-timestamps",
  "-delegated-credential",
  "-psk-importer-key",
  "-psk-importer-identity",
  "-psk-importer-context",
  "-accepted-peer-cert-types",
  "-available-client-cert-types",
  "-expect-peer-certificate-type",
  "-expect-peer-rpk-sha256",
  "-install-one-cert-compression-alg",
  "-ech-config-list",
  "-ech-server-config",
  "-ech-server-key",
  "-ech-is-retry-config",
  "-expect-ech-retry-configs",
  "-expect-ech-name-override",
] as const

const withoutValue = [
  "-ipv6",
  "-server",
  "-no-key-shares",
  "-require-any-client-certificate",
  "-async",
  "-write-different-record-sizes",
  "-partial-write",
  "-no-tls13",
  "-no-tls12",
  "-no-tls11",
  "-no-tls1",
  "-no-ticket",
  "-no-legacy-server-connect",
  "-shim-writes-first",
  "-decline-alpn",
  "-reject-alpn",
  "-expect-session-miss",
  "-expect-extended-master-secret",
  "-expect-secure-renegotiation",
  "-enable-ocsp-stapling",
  "-enable-signed-cert-timestamps",
  "-implicit-handshake",
  "-use-early-callback",
  "-install-ddos-callback",
  "-fail-cert-callback",
  "-handshake-never-done",
  "-use-export-context",
  "-expect-ticket-renewal",
  "-expect-no-session",
  "-expect-ticket-supports-early-data",
  "-expect-accept-early-data",
  "-expect-reject-early-data",
  "-expect-no-offer-early-data",
  "-expect-no-server-name",
  "-use-ticket-callback",
  "-use-ticket-aead-callback",
  "-renew-ticket",
  "-skip-ticket",
  "-enable-early-data",
  "-check-close-notify",
  "-shim-shuts-down",
  "-verify-fail",
  "-verify-peer",
  "-expect-verify-result",
  "-renegotiate-once",
  "-renegotiate-freely",
  "-renegotiate-ignore",
  "-renegotiate-explicit",
  "-use-old-client-cert-callback",
  "-enable-grease",
  "-permute-extensions",
  "-use-exporter-between-reads",
  "-expect-no-peer-cert",
  "-read-with-unfinished-write",
  "-expect-session-id",
  "-expect-no-session-id",
  "-no-op-extra-handshake",
  "-handshake-twice",
  "-use-custom-verify-callback",
  "-use-ocsp-callback",
  "-set-ocsp-in-callback",
  "-decline-ocsp-callback",
  "-fail-ocsp-callback",
  "-install-cert-compression-algs",
  "-server-preference",
  "-export-traffic-secrets",
  "-key-update",
  "-key-update-before-read",
  "-reverify-on-resume",
  "-expect-hrr",
  "-expect-no-hrr",
  "-must-match-issuer",
  "-psk-importer-sha256",
  "-psk-importer-sha384",
  "-peek-then-read",
  "-fips-202205",
  "-wpa-202304",
  "-cnsa-202407",
  "-cnsa1-202603",
  "-cnsa2-202603",
  "-enable-ech-grease",
  "-expect-ech-accept",
  "-expect-no-ech-name-override",
  "-expect-no-ech-retry-configs",
  "-reject-unusable-ech-config",
] as const

/** These begin a credential; the credential flags after one are its own, and those before the first the default's. */
const credentialKinds = {
  "-new-x509-credential": "x509",
  "-new-psk-credential": "psk",
  "-new-rpk-credential": "rpk",
  "-new-delegated-credential": "delegated",
} as const
const credentialFlags: readonly string[] = [
  "-cert-file",
  "-key-file",
  "-signing-prefs",
  "-ocsp-response",
  "-signed-cert-timestamps",
  "-delegated-credential",
  "-must-match-issuer",
  "-psk-importer-key",
  "-psk-importer-identity",
  "-psk-importer-context",
  "-psk-importer-sha256",
  "-psk-importer-sha384",
]

export type FlagName = (typeof withValue)[number] | (typeof withoutValue)[number]

/** The values of flags; octets are characters of one byte each. */
export class Flags {
  readonly #values = new Map<string, string[]>()

  add(name: string, value: string): void {
    this.#values.set(name, [...(this.#values.get(name) ?? []), value])
  }

  has(name: FlagName): boolean {
    return this.#values.has(name)
  }

  /** The same without one of them. */
  without(name: FlagName): Flags {
    const others = new Flags()
    for (const [key, values] of this.#values) if (key !== name) for (const value of values) others.add(key, value)
    return others
  }

  text(name: FlagName): string | undefined {
    return this.#values.get(name)?.at(-1)
  }

  number(name: FlagName): number | undefined {
    return this.numbers(name)?.at(-1)
  }

  numbers(name: FlagName): readonly number[] | undefined {
    return this.#values.get(name)?.map(Number)
  }

  /** Base64, as the runner writes bytes. */
  bytes(name: FlagName): Uint8Array | undefined {
    return this.allBytes(name).at(-1)
  }

  /** Of a flag that may be given several times. */
  allBytes(name: FlagName): readonly Uint8Array[] {
    return (this.#values.get(name) ?? []).map((text) => new Uint8Array(Buffer.from(text, "base64")))
  }
}

export interface CredentialFlags {
  readonly kind: "x509" | "psk" | "rpk" | "delegated"
  readonly flags: Flags
}

/** The flags of one connection. */
export class ConnectionFlags extends Flags {
  readonly credentials: CredentialFlags[] = []
}

export interface ShimFlags {
  readonly initial: ConnectionFlags
  /** The connections after the first. */
  readonly resume: ConnectionFlags
  /** A connection whose early data was rejected, from then on. */
  readonly retry: ConnectionFlags
}

/** @throws Unimplemented for a flag that is not in the tables above */
export function parseFlags(args: readonly string[]): ShimFlags {
  const flags: ShimFlags = {
    initial: new ConnectionFlags(),
    resume: new ConnectionFlags(),
    retry: new ConnectionFlags(),
  }
  for (let at = 0; at < args.length; at++) {
    const [, prefix, name = ""] = /^(?:-on-shim)?(-on-initial|-on-resume|-on-retry)?(-.*)$/s.exec(args[at]!) ?? []
    const targets = [flags.initial, flags.resume, flags.retry].filter(
      (_, index) => prefix === undefined || ["-on-initial", "-on-resume", "-on-retry"][index] === prefix,
    )
    if (name in credentialKinds) {
      const kind = credentialKinds[name as keyof typeof credentialKinds]
      for (const target of targets) target.credentials.push({ kind, flags: new Flags() })
      continue
    }
    const takesValue = (withValue as readonly string[]).includes(name)
    if (!takesValue && !(withoutValue as readonly string[]).includes(name)) throw new Unimplemented(`flag ${name}`)
    const value = takesValue ? (args[++at] ?? "") : ""
    for (const target of targets) {
      const own = credentialFlags.includes(name) ? target.credentials.at(-1)?.flags : undefined
      ;(own ?? target).add(name, value)
    }
  }
  return flags
}
