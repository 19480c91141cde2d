// Why a TLS handshake failed, in plain words: what happened, whose fault it was, and what to do.

import type { HandshakeFailureModel } from "../http/model.ts"
import { withoutPort } from "./format.ts"
import { shown } from "./sent.ts"

export interface Explained {
  /** A sentence that begins with who it was. */
  readonly what: string
  /** What to do about it. */
  readonly advice: string | undefined
  /** The same for all that failed so: to count them by. */
  readonly kind: string
}

type Failure = Pick<HandshakeFailureModel, "peer" | "listener" | "fault" | "alert" | "reason" | "offer" | "turnedAway">

interface Rule {
  readonly kind: string
  readonly fits: (failure: Failure) => boolean
  /** Follows the address. */
  readonly says: (failure: Failure) => string
  readonly advice?: (failure: Failure) => string
}

const alertIs =
  (...names: readonly string[]) =>
  ({ alert }: Failure) =>
    alert !== undefined && names.includes(alert)

/** Of the client: it has ended the handshake and says why. */
const told =
  (...names: readonly string[]) =>
  (failure: Failure) =>
    alertIs(...names)(failure) && /peer|client/i.test(failure.reason) && /alert/i.test(failure.reason)

const both =
  (...tests: readonly ((failure: Failure) => boolean)[]) =>
  (failure: Failure) =>
    tests.every((test) => test(failure))

const hasOld = ({ offer }: Failure) =>
  offer !== undefined && offer.versions.length > 0 && !offer.versions.some((version) => isThirteen(version))

/** The first that fits counts. */
const rules: readonly Rule[] = [
  {
    kind: "Too many handshakes at a time",
    fits: ({ turnedAway }) => turnedAway,
    says: ({ reason }) => `was turned away before its handshake began: ${reason}`,
    advice: () => "If these are your own clients, let them come again more slowly, or raise the limits of handshakes.",
  },
  {
    kind: "Older than TLS 1.3",
    fits: (failure) => hasOld(failure) || (alertIs("protocol_version")(failure) && failure.offer === undefined),
    says: ({ offer }) => `offered ${oldVersions(offer?.versions ?? [])}; this broker speaks TLS 1.3`,
    advice: () =>
      "Update the client's TLS library, or turn TLS 1.3 on in it: OpenSSL has it from 1.1.1, Mbed TLS from 3.",
  },
  {
    kind: "Does not trust the broker's certificate",
    fits: told("unknown_ca", "bad_certificate", "certificate_unknown"),
    says: () => "does not trust this broker's certificate",
    advice: ({ listener }) =>
      `Give the client the authority of the certificate of ${shown(listener)} (--cafile), and the name that is in it.`,
  },
  {
    kind: "Finds the broker's certificate expired",
    fits: told("certificate_expired"),
    says: () => "finds this broker's certificate expired",
    advice: () => "Renew the certificate, or set the clock of the client.",
  },
  {
    kind: "Shows no certificate",
    fits: alertIs("certificate_required"),
    says: () => "shows no client certificate, and this listener asks for one",
    advice: () => "Give the client its certificate and key (--cert, --key), or send it to another listener.",
  },
  {
    kind: "Its certificate is not accepted",
    fits: alertIs("unknown_ca", "bad_certificate", "certificate_unknown", "certificate_expired", "certificate_revoked"),
    says: ({ reason }) => `shows a certificate that is not accepted: ${small(reason)}`,
    advice: () =>
      "Give the client a certificate of an authority that this listener trusts, or add its authority there.",
  },
  {
    kind: "Unknown name",
    fits: alertIs("unrecognized_name"),
    says: () => "asks for a name that this broker does not have",
    advice: () => "Let the client connect by a name that is in the certificate.",
  },
  {
    kind: "No protocol in common",
    fits: alertIs("no_application_protocol"),
    says: () => "wants another protocol than MQTT (ALPN)",
    advice: () => "Set the client's ALPN to mqtt, or leave it out.",
  },
  {
    kind: "Unknown key",
    fits: alertIs("unknown_psk_identity"),
    says: () => "shows a pre-shared key that this broker does not know",
    advice: () => "Give both the same key by the same name.",
  },
  {
    kind: "Nothing in common",
    fits: both(alertIs("handshake_failure", "insufficient_security", "missing_extension"), ({ offer }) => !!offer),
    says: ({ reason }) => `has nothing in common with this broker: ${small(reason)}`,
    advice: () => "Compare what it offered, below, with the suites, groups and signature schemes of the listener.",
  },
  {
    kind: "Not TLS",
    fits: ({ offer, alert, reason, fault }) =>
      offer === undefined &&
      fault === "client" &&
      (alert === "decode_error" || alert === "unexpected_message") &&
      /record|content type|not TLS|message/i.test(reason),
    says: () => "sent something that is not TLS",
    advice: () => "Perhaps it speaks MQTT without TLS to a port with TLS: turn TLS on in it.",
  },
  {
    kind: "Went away in the handshake",
    fits: ({ fault, alert, reason }) =>
      fault === "network" || (alert === undefined && /closed|ended|reset/i.test(reason)),
    says: ({ offer }) =>
      `went away ${offer === undefined ? "before it had sent anything" : "in the middle of the handshake"}`,
    advice: ({ offer, listener }) =>
      offer === undefined
        ? "Perhaps it only looks whether the port is open, as health checks do; or the network between failed."
        : `Perhaps it does not trust the certificate of ${shown(listener, 40)}: its own log says so. Or the network between failed.`,
  },
  {
    kind: "A defect of the broker",
    fits: ({ fault }) => fault === "server",
    says: ({ reason }) => `could not be served: ${small(reason)}`,
    advice: () => "Look into the broker's log: the configuration of this listener may be the reason.",
  },
]

const otherwise: Rule = { kind: "Other", fits: () => true, says: ({ reason }) => `: ${small(reason)}` }

export function explain(failure: Failure): Explained {
  const { kind, says, advice } = rules.find(({ fits }) => fits(failure)) ?? otherwise
  const who = shown(withoutPort(failure.peer), 60)
  const rest = says(failure)
  const what = `${who}${rest.startsWith(":") ? "" : " "}${rest}`
  return { what: /[.!?]$/.test(what) ? what : `${what}.`, advice: advice?.(failure), kind }
}

/** Whose fault it was. */
export const faultWords: Readonly<Record<HandshakeFailureModel["fault"], string>> = {
  client: "the client's",
  server: "the broker's",
  network: "the network's",
}

function isThirteen(version: string): boolean {
  return /1\.3|0x0304/i.test(version)
}

/** "TLS 1.2 only", "TLS 1.2 and TLS 1.1". */
function oldVersions(versions: readonly string[]): string {
  const names = versions
    .map((version) => version.replace(/^TLSv/, "TLS ").replace(/^SSLv/, "SSL "))
    .map((version) => (version === "TLS 1" ? "TLS 1.0" : version))
  if (names.length === 0) return "no version of TLS that is known here"
  if (names.length === 1) return `${shown(names[0] ?? "", 20)} only`
  const sorted = [...names].sort().reverse()
  return `${shown(sorted.slice(0, -1).join(", "), 60)} and ${shown(sorted.at(-1) ?? "", 20)}`
}

function small(text: string): string {
  return shown(text, 240).replace(/\.$/, "")
}
