// A chain and whom it is believed by: the verdict, and what each rule of the path validation said of each certificate.

import { rules } from "explorer:rules"
import type { CryptoProvider } from "@puremq/tls13"
import {
  nameProblem,
  Oid,
  type PathVerdict,
  type Profile,
  parseCertificate,
  referenceHost,
  TrustStore,
  trustAnchor,
  validatePath,
  type X509Error,
} from "@puremq/tls13/x509"
import { judgedDuring } from "../recording/rules.ts"

export type Said =
  /** The rule was looked at, and nothing is wrong. */
  | "kept"
  | "broken"
  /** Something else was wrong before it. */
  | "not reached"

export interface RuleSaid {
  /** DER. */
  readonly certificate: Uint8Array
  /** A stable word such as `expired`. */
  readonly reason: string
  /** `RFC 5280 section 6.1.3`. */
  readonly cited: string
  readonly file: string
  readonly line: number
  readonly said: Said
  /** The sentence of the rule that is broken. */
  readonly message: string | undefined
}

export interface Judgement {
  readonly accepted: boolean
  /** Why not, or whom it is for. */
  readonly message: string
  /** DER, leaf first, the anchor last; empty when none leads to one. */
  readonly path: readonly Uint8Array[]
  readonly rules: readonly RuleSaid[]
}

export interface Question {
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[]
  /** DER of the authorities that are trusted. */
  readonly trusted: readonly Uint8Array[]
  /** Whom the client wants to reach. */
  readonly serverName: string
  /** Milliseconds since 1970. */
  readonly now: number
  readonly provider: CryptoProvider
  readonly profile?: Profile
  /** Whose certificate it is to be; default: a server's. */
  readonly usage?: "server" | "client"
}

/** @throws X509Error for a certificate that cannot be read, or a name that is none */
export function judge({
  chain,
  trusted,
  serverName,
  now,
  provider,
  profile = "path",
  usage = "server",
}: Question): Judgement {
  const [leaf, ...intermediates] = chain.map((der) => parseCertificate(der))
  const reference = referenceHost(serverName)
  let verdict: PathVerdict | undefined
  let named: X509Error | undefined
  const judged = judgedDuring(() => {
    verdict = validatePath({
      leaf: leaf!,
      intermediates,
      trust: new TrustStore(trusted.map((der) => trustAnchor(der))),
      now,
      provider,
      profile,
      usage: usage === "server" ? Oid.serverAuth : Oid.clientAuth,
      keyUsage: 1,
    })
    named = nameProblem(leaf!, reference)
  })
  const said: RuleSaid[] = []
  for (const { rule, file, certificate, problem, noticed } of judged) {
    if (certificate === undefined) continue
    let isReached = true
    for (const row of rules.filter((each) => each.rule === rule && each.file === file)) {
      const isBroken = noticed?.file === row.file && noticed.line === row.line
      // What looking at a chain may cost is no rule about certificates, unless it costs too much.
      if (row.reason === "limit_exceeded" && !isBroken) continue
      const message = isBroken ? problem?.message : undefined
      const { reason, cited, line } = row
      said.push({
        certificate,
        reason,
        cited,
        file,
        line,
        said: isBroken ? "broken" : isReached ? "kept" : "not reached",
        message,
      })
      if (isBroken) isReached = false
    }
  }
  const path = verdict?.accepted ? verdict.path.map(({ der }) => der) : []
  if (!verdict?.accepted) return { accepted: false, message: verdict?.problem.message ?? "", path, rules: said }
  if (named) return { accepted: false, message: named.message, path, rules: said }
  return { accepted: true, message: `it is ${serverName}, and an authority that is trusted says so`, path, rules: said }
}
